package adminapi

import (
	"syscall"
	"unsafe"
)

// diskFree is the room that is left for this process on a folder's disk, in
// bytes.
func diskFree(dir string) (int64, bool) {
	path, err := syscall.UTF16PtrFromString(dir)
	if err != nil {
		return 0, false
	}
	var free uint64
	proc := syscall.NewLazyDLL("kernel32.dll").NewProc("GetDiskFreeSpaceExW")
	ok, _, _ := proc.Call(uintptr(unsafe.Pointer(path)), uintptr(unsafe.Pointer(&free)), 0, 0)
	return int64(free), ok != 0
}

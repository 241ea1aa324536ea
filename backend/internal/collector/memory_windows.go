package collector

import (
	"unsafe"

	"golang.org/x/sys/windows"
)

// memoryStatus is MEMORYSTATUSEX of sysinfoapi.h.
type memoryStatus struct {
	length, load                               uint32
	totalPhys, availPhys, totalPage, availPage uint64
	totalVirtual, availVirtual, availExtended  uint64
}

// machine is the whole memory.
func machine() int64 {
	m := memoryStatus{}
	m.length = uint32(unsafe.Sizeof(m))
	ok, _, _ := windows.NewLazySystemDLL("kernel32.dll").NewProc("GlobalMemoryStatusEx").Call(uintptr(unsafe.Pointer(&m)))
	if ok == 0 {
		return 0
	}
	return int64(m.totalPhys)
}

// granted: job objects' limits are not asked for.
func granted() int64 { return 0 }

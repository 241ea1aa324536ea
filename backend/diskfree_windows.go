package backend

import "golang.org/x/sys/windows"

// diskFree is the space left for the data folder, in bytes; 0: not known.
func diskFree(dir string) int64 {
	path, err := windows.UTF16PtrFromString(dir)
	if err != nil {
		return 0
	}
	var free uint64
	if windows.GetDiskFreeSpaceEx(path, &free, nil, nil) != nil {
		return 0
	}
	return int64(free)
}

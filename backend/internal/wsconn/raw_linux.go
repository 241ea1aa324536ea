package wsconn

import (
	"syscall"
	"unsafe"
)

// These calls never block: the descriptors are non-blocking and the wait has no
// time. They go to the kernel without telling the scheduler (RawSyscall), which
// would wake its watchdog thread for each first call after a silence; with a
// heartbeat every millisecond that costs more than the calls' own work.

// readNow reads what is there.
func readNow(fd int32, b []byte) (int, error) {
	return called(syscall.RawSyscall(syscall.SYS_READ, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b))))
}

// writeNow writes as much as the network takes.
func writeNow(fd int32, b []byte) (int, error) {
	return called(syscall.RawSyscall(syscall.SYS_WRITE, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b))))
}

// eventsNow asks epoll for what is ready. SYS_EPOLL_WAIT is not there on every
// processor; without a signal mask SYS_EPOLL_PWAIT is the same.
func eventsNow(fd int, ready []syscall.EpollEvent) (int, error) {
	n, _, errno := syscall.RawSyscall6(syscall.SYS_EPOLL_PWAIT, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(ready))), uintptr(len(ready)), 0, 0, 0)
	return called(n, 0, errno)
}

func called(n, _ uintptr, errno syscall.Errno) (int, error) {
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}

package loadtest

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"
)

// cpuSet is the kernel's mask of 1,024 processors.
type cpuSet [16]uint64

// pinned runs start on a thread bound to cpus: a process started there
// inherits the binding and counts only these processors.
func pinned(cpus []int, start func() error) error {
	if len(cpus) == 0 {
		return start()
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var was, now cpuSet
	if err := affinity(syscall.SYS_SCHED_GETAFFINITY, &was); err != nil {
		return start()
	}
	for _, c := range cpus {
		now[c/64] |= 1 << (c % 64)
	}
	if err := affinity(syscall.SYS_SCHED_SETAFFINITY, &now); err != nil {
		return start()
	}
	defer affinity(syscall.SYS_SCHED_SETAFFINITY, &was)
	return start()
}

func affinity(call uintptr, set *cpuSet) error {
	if _, _, e := syscall.RawSyscall(call, 0, unsafe.Sizeof(*set), uintptr(unsafe.Pointer(set))); e != 0 {
		return e
	}
	return nil
}

// memory is the resident set of a process in bytes.
func memory(pid int) (int64, error) { return status(pid, "VmRSS:") }

// peakMemory is the largest that its resident set has been.
func peakMemory(pid int) (int64, error) { return status(pid, "VmHWM:") }

// openFiles is how many files and sockets a process has open; 0: not known.
func openFiles(pid int) int {
	d, err := os.Open(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		return 0
	}
	defer d.Close()
	names, err := d.Readdirnames(-1)
	if err != nil {
		return 0
	}
	return len(names)
}

// status reads a size from a process's status file.
func status(pid int, field string) (int64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, fmt.Errorf("read a process's memory: %w", err)
	}
	_, rest, ok := strings.Cut(string(b), field)
	f := strings.Fields(rest)
	if !ok || len(f) == 0 {
		return 0, fmt.Errorf("read a process's memory: no %s", field)
	}
	kb, err := strconv.ParseInt(f[0], 10, 64)
	return kb << 10, err
}

// clockTick is the unit of /proc's processor times; Linux fixes it at 1/100 s
// for user space.
const clockTick = 10 * time.Millisecond

// processor is the processor time that a process has used.
func processor(pid int) (time.Duration, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, fmt.Errorf("read a process's time: %w", err)
	}
	// The name in brackets may hold blanks; what follows does not.
	f := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	if len(f) < 13 {
		return 0, fmt.Errorf("read a process's time: short line")
	}
	user, err1 := strconv.ParseInt(f[11], 10, 64)
	system, err2 := strconv.ParseInt(f[12], 10, 64)
	if err1 != nil || err2 != nil {
		return 0, fmt.Errorf("read a process's time: not numbers")
	}
	return time.Duration(user+system) * clockTick, nil
}

// fileLimit is how many files this process and its children may open.
func fileLimit() int {
	var l syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l) != nil {
		return 1024
	}
	return int(min(l.Max, 1<<20))
}

func machine() string {
	name := "unknown processor"
	if b, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		if _, rest, ok := strings.Cut(string(b), "model name"); ok {
			line, _, _ := strings.Cut(rest, "\n")
			name = strings.TrimSpace(strings.TrimLeft(line, "\t :"))
		}
	}
	total := ""
	if b, err := os.ReadFile("/proc/meminfo"); err == nil {
		var kb int64
		if n, _ := fmt.Sscanf(string(b), "MemTotal: %d kB", &kb); n == 1 {
			total = fmt.Sprintf(", %.1f GB", float64(kb)/(1<<20))
		}
	}
	return fmt.Sprintf("%d x %s%s", runtime.NumCPU(), name, total)
}

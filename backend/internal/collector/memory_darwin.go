package collector

import "golang.org/x/sys/unix"

// machine is the whole memory.
func machine() int64 {
	n, err := unix.SysctlUint64("hw.memsize")
	if err != nil {
		return 0
	}
	return int64(n)
}

// granted: macOS sets no limit for a process.
func granted() int64 { return 0 }

package collector

import (
	"os"
	"path"
	"strings"

	"golang.org/x/sys/unix"
)

// machine is the whole memory.
func machine() int64 {
	var i unix.Sysinfo_t
	if unix.Sysinfo(&i) != nil {
		return 0
	}
	return int64(uint64(i.Totalram) * uint64(i.Unit))
}

// granted is the smallest limit of the control groups that this process is in
// (cgroups(7)); 0: none.
func granted() int64 {
	b, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return 0
	}
	return smallest(os.DirFS("/sys/fs/cgroup").(readFS), string(b))
}

// smallest goes through the groups of a /proc/self/cgroup, each line
// "hierarchy:controllers:path", up to the top: every group on the way limits.
func smallest(sys readFS, groups string) (least int64) {
	for line := range strings.Lines(groups) {
		part := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(part) != 3 {
			continue
		}
		base, file := "", "memory.max" // version 2
		switch {
		case part[1] == "memory":
			base, file = "memory", "memory.limit_in_bytes" // version 1
		case part[0] != "0":
			continue
		}
		for at := path.Clean("/" + part[2]); ; at = path.Dir(at) {
			if b, err := sys.ReadFile(strings.TrimPrefix(path.Join("/", base, at, file), "/")); err == nil {
				if n := bytesOf(strings.TrimSpace(string(b))); n > 0 && (least == 0 || n < least) {
					least = n
				}
			}
			if at == "/" {
				break
			}
		}
	}
	return least
}

// readFS is the part of a file system that smallest needs.
type readFS interface {
	ReadFile(name string) ([]byte, error)
}

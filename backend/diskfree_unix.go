//go:build !windows

package backend

import "syscall"

// diskFree is the space left for the data folder, in bytes; 0: not known.
func diskFree(dir string) int64 {
	var st syscall.Statfs_t
	if syscall.Statfs(dir, &st) != nil {
		return 0
	}
	return int64(st.Bavail) * int64(st.Bsize)
}

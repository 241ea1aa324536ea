//go:build unix

package adminapi

import "syscall"

// diskFree is the room that is left for this process on a folder's disk, in
// bytes.
func diskFree(dir string) (int64, bool) {
	var st syscall.Statfs_t
	if syscall.Statfs(dir, &st) != nil {
		return 0, false
	}
	return int64(st.Bavail) * int64(st.Bsize), true
}

//go:build darwin || linux

package replace

import "syscall"

// free is how many bytes the file system of a folder has left for this user; ok is false where it does not tell.
func free(dir string) (bytes uint64, ok bool) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil || s.Bsize <= 0 {
		return 0, false
	}
	return s.Bavail * uint64(s.Bsize), s.Blocks > 0 //nolint:gosec // Bsize has another type on each system, and is positive
}

//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package replace

import (
	"errors"
	"os"
	"syscall"
)

// holdTemporary marks a temporary file as in use until release. The mark ends with the process, however that ends. It fails
// with errSwept if another run was quicker and took the file for an abandoned one. On file systems without locks, it does
// nothing.
func holdTemporary(path string) (release func(), err error) {
	f, err := tryLock(path)
	if errors.Is(err, errSwept) {
		return nil, err
	}
	return func() { _ = f.Close() }, nil
}

// claim takes a temporary file that no run holds.
func claim(path string) (release func(), ok bool) {
	f, err := tryLock(path)
	return func() { _ = f.Close() }, err == nil
}

// tryLock opens and locks a file, without waiting. The error is errSwept if another run has the lock, or the name.
func tryLock(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err == nil {
		err = flock(f, syscall.LOCK_EX|syscall.LOCK_NB)
	}
	if err == nil { // between the opening and the lock, the file may have been renamed or removed
		var opened, named os.FileInfo
		if opened, err = f.Stat(); err == nil {
			if named, err = os.Lstat(path); err == nil && !os.SameFile(opened, named) {
				err = errSwept
			}
		}
	}
	if err == nil {
		return f, nil
	}
	_ = f.Close() // nil or only opened
	if errors.Is(err, syscall.EWOULDBLOCK) || errors.Is(err, os.ErrNotExist) {
		err = errSwept
	}
	return nil, err
}

// Lock lets one run at a time rename files in a folder, as long as the file system knows locks.
func Lock(dir string) (unlock func()) {
	f, err := os.Open(dir)
	if err != nil {
		return func() {}
	}
	_ = flock(f, syscall.LOCK_EX) // without it, runs at the same moment could mix, as on any other file system
	return func() { _ = f.Close() }
}

func flock(f *os.File, how int) error {
	for {
		err := syscall.Flock(int(f.Fd()), how)
		if !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}

// SyncFolder flushes the names in a folder to the disk.
func SyncFolder(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

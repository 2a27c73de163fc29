//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package replace

import (
	"os"
	"sync"
	"time"
)

// strayAge is the time without a write after which a temporary file counts as left by a run that was killed.
const strayAge = time.Hour

// holdTemporary does nothing: what is being written is known by its age.
func holdTemporary(string) (release func(), err error) { return func() {}, nil }

// claim takes a temporary file that no run seems to write any more.
func claim(path string) (release func(), ok bool) {
	stat, err := os.Stat(path)
	return func() {}, err == nil && time.Since(stat.ModTime()) > strayAge
}

var renaming sync.Mutex

// Lock lets one run of this process at a time rename files. No lock on a folder here ends with the process and leaves
// no file, so it does not hold for other processes.
func Lock(string) (unlock func()) {
	renaming.Lock()
	return renaming.Unlock
}

// SyncFolder does nothing: folders cannot be flushed.
func SyncFolder(string) error { return nil }

//go:build unix

package replace_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// TestUmask: a new file has the permissions that the umask leaves.
func TestUmask(t *testing.T) {
	dir := t.TempDir()
	previous := syscall.Umask(0o027)
	defer syscall.Umask(previous)
	for name, write := range ways {
		path := filepath.Join(dir, name)
		if err := write(path, "x"); err != nil {
			t.Fatal(err)
		}
		holds(t, path, "x", 0o640)
	}
	if err := ways["OneOfMany"](os.DevNull, "x"); err != nil {
		t.Error(err)
	}
	if info, err := os.Stat(os.DevNull); err != nil || info.Mode()&os.ModeCharDevice == 0 {
		t.Error(os.DevNull, " is no device any more")
	}
}

package replace

import (
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"testing"
)

// TestRoom: what is larger than the disk is refused before it is begun, and what was there stays.
func TestRoom(t *testing.T) {
	if _, ok := free(t.TempDir()); !ok {
		t.Skip("the file system does not tell how much room it has")
	}
	path := filepath.Join(t.TempDir(), "a")
	if err := os.WriteFile(path, []byte("before"), 0o600); err != nil {
		t.Fatal(err)
	}
	err := File(path, math.MaxInt64, false, func(io.Writer) error {
		t.Error("writing began")
		return nil
	})
	var room *NoRoomError
	if !errors.As(err, &room) || room.Needed != math.MaxInt64 || room.Free <= 0 {
		t.Errorf("got %v", err)
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != "before" {
		t.Errorf("the file holds %q, %v", text, err)
	}
	if entries, err := os.ReadDir(filepath.Dir(path)); err != nil || len(entries) != 1 {
		t.Errorf("%d files are left, %v", len(entries), err)
	}
	if err := File(path, 3, false, func(w io.Writer) error { _, err := w.Write([]byte("now")); return err }); err != nil {
		t.Error(err)
	}
}

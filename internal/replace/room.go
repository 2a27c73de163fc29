package replace

import (
	"fmt"
	"syscall"

	"ysc2onnx/internal/units"
)

// NoRoomError says that files do not fit the disk.
type NoRoomError struct{ Needed, Free int64 }

// Error says how much is missing.
func (e *NoRoomError) Error() string {
	return fmt.Sprintf("%v: the new file takes %s, beside the file that it replaces, and %s are left", syscall.ENOSPC, units.Bytes(e.Needed), units.Bytes(e.Free))
}

// Unwrap is what a system says of a full disk.
func (e *NoRoomError) Unwrap() error { return syscall.ENOSPC }

// Room fails with a [*NoRoomError] if the disk of the target cannot take so many bytes, before any is written. A file system that
// does not tell is taken to have room.
func (t *Target) Room(bytes int64) error {
	left, ok := free(t.Dir)
	if !ok || bytes < 0 || uint64(bytes) <= left {
		return nil
	}
	return &NoRoomError{bytes, int64(left)} //nolint:gosec // less than bytes
}

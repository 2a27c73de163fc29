package replace

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"ysc2onnx/internal/units"
)

// Temporary files are called .model.onnx.0123abcd.ysc2onnx-tmp.
const temporarySuffix = ".ysc2onnx-tmp"

// errSwept is why a temporary file is made anew.
var errSwept = errors.New("taken for an abandoned file by another run")

// Temporary is a file that was written but does not have its name yet.
type Temporary struct {
	path    string
	release func() // gives up the hold on it
}

// Fill writes a temporary file of the given size. It is locked against the sweep of other runs until Discard.
func (t *Target) Fill(size int64, sync bool, write func(io.Writer) error) (_ *Temporary, err error) {
	if err := t.Room(size); err != nil {
		return nil, err
	}
	f, tmp, err := t.create()
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = f.Close() // err says more
			tmp.Discard()
		}
	}()
	if err := write(f); errors.Is(err, syscall.ENOSPC) {
		return nil, fmt.Errorf("%w: the new file takes %s, beside the file that it replaces", Plain(err), units.Bytes(size))
	} else if err != nil {
		return nil, err
	}
	if t.Exists {
		if err := f.Chmod(t.mode); err != nil && !errors.Is(err, errors.ErrUnsupported) {
			return nil, err
		}
	}
	if sync {
		if err := f.Sync(); err != nil {
			return nil, err
		}
	}
	return tmp, f.Close()
}

// Sweep removes what killed runs have left for the same file; before is as for [Sweep].
func (t *Target) Sweep(before func(path string)) {
	Sweep(t.Dir, func(base string) bool { return base == t.Base }, before)
}

// create makes a temporary file with the permissions of any new file.
func (t *Target) create() (*os.File, *Temporary, error) {
	for {
		name := "." + t.Base + "." + randomDigits() + temporarySuffix
		tmp := &Temporary{path: filepath.Join(t.Dir, name)}
		f, err := os.OpenFile(tmp.path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) {
			return nil, nil, fmt.Errorf("no file can be made in the folder %s: %w", t.Dir, Plain(err))
		}
		if err != nil {
			return nil, nil, err
		}
		if tmp.release, err = holdTemporary(tmp.path); err == nil {
			return f, tmp, nil
		}
		_ = f.Close()
	}
}

func randomDigits() string {
	n := rand.Uint32()
	return hex.EncodeToString([]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)})
}

// Rename gives the file its name, in the place of what has it now.
func (tmp *Temporary) Rename(path string) error {
	if err := os.Rename(tmp.path, path); err != nil {
		return err
	}
	tmp.path = ""
	return nil
}

// Discard removes the file, unless it was renamed.
func (tmp *Temporary) Discard() {
	if tmp.path != "" {
		_ = os.Remove(tmp.path) // else the next run's sweep does
	}
	tmp.release()
}

// Sweep removes what killed runs have left in a folder for the files that are mine, by their names. It leaves what another
// run is writing. Unless it is nil, before is called for each file that is about to be removed, while no other run renames files.
func Sweep(dir string, mine func(base string) bool, before func(path string)) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return // the folder cannot be listed; it may still be written to
	}
	for _, e := range entries {
		if of, ok := strayOf(e.Name()); ok && mine(of) && e.Type().IsRegular() {
			remove(filepath.Join(dir, e.Name()), before)
		}
	}
}

// strayOf is the name of the file that a temporary file was to become.
func strayOf(name string) (base string, ok bool) {
	name, hidden := strings.CutPrefix(name, ".")
	name, end := strings.CutSuffix(name, temporarySuffix)
	dot := strings.LastIndexByte(name, '.')
	if !hidden || !end || dot < 1 {
		return "", false
	}
	sum, err := hex.DecodeString(name[dot+1:])
	return name[:dot], err == nil && len(sum) == 4
}

// remove removes a stray temporary file.
func remove(path string, before func(path string)) {
	release, ok := claim(path)
	if !ok {
		return
	}
	defer release()
	if before != nil {
		defer Lock(filepath.Dir(path))()
		before(path)
	}
	_ = os.Remove(path)
}

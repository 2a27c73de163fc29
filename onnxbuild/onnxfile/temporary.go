package onnxfile

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
var errSwept = errors.New("taken for a stray file by another run")

// temporary is a file that was written but has not got its name yet.
type temporary struct {
	path    string
	release func() // gives up the hold on it
}

// fill writes a temporary file of the given size. It is held against the sweep of other runs until discard.
func (t *target) fill(size int64, sync bool, write func(io.Writer) error) (_ *temporary, err error) {
	f, tmp, err := t.create()
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = f.Close() // err says more
			tmp.discard()
		}
	}()
	if err := write(f); errors.Is(err, syscall.ENOSPC) {
		return nil, fmt.Errorf("%w: the new file takes %s, beside the file that it replaces", plain(err), units.Bytes(size))
	} else if err != nil {
		return nil, err
	}
	if t.exists {
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

// create makes a temporary file with the permissions of any new file.
func (t *target) create() (*os.File, *temporary, error) {
	for {
		name := "." + t.base + "." + randomDigits() + temporarySuffix
		tmp := &temporary{path: filepath.Join(t.dir, name)}
		f, err := os.OpenFile(tmp.path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) {
			return nil, nil, fmt.Errorf("no file can be made in the folder %s: %w", t.dir, plain(err))
		}
		if err != nil {
			return nil, nil, err
		}
		if tmp.release, err = hold(tmp.path); err == nil {
			return f, tmp, nil
		}
		_ = f.Close()
	}
}

func randomDigits() string {
	n := rand.Uint32()
	return hex.EncodeToString([]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)})
}

// rename gives the file its name, in the place of what has it now.
func (tmp *temporary) rename(path string) error {
	if err := os.Rename(tmp.path, path); err != nil {
		return err
	}
	tmp.path = ""
	return nil
}

// discard removes the file, unless it was renamed.
func (tmp *temporary) discard() {
	if tmp.path != "" {
		_ = os.Remove(tmp.path) // else the next run's sweep does
	}
	tmp.release()
}

// sweep removes what killed runs for the same target have left. It leaves what another run is writing.
func (t *target) sweep() {
	entries, err := os.ReadDir(t.dir)
	if err != nil {
		return // the folder cannot be listed; it may still be written to
	}
	for _, e := range entries {
		digits, ok := strings.CutPrefix(e.Name(), "."+t.base+".")
		digits, end := strings.CutSuffix(digits, temporarySuffix)
		if sum, err := hex.DecodeString(digits); !ok || !end || err != nil || len(sum) != 4 || !e.Type().IsRegular() {
			continue
		}
		t.remove(filepath.Join(t.dir, e.Name()))
	}
}

// remove removes a stray temporary file. If it is a whole model, the run was killed while it put the files in place, and
// the data file that the model names may be there already: then it belongs to nothing, unless to the present model.
func (t *target) remove(path string) {
	release, ok := claim(path)
	if !ok {
		return
	}
	defer release()
	defer lock(t.dir)()
	if data := ownData(path, t.base); data != "" && data != ownData(t.path(), t.base) {
		_ = os.Remove(filepath.Join(t.dir, data)) // not there, as a rule
	}
	_ = os.Remove(path)
}

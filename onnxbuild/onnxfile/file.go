package onnxfile

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"ysc2onnx/onnxbuild"
)

// FileOptions says how [WriteFile] writes.
type FileOptions struct {
	Version           string // as in [Options]
	ExternalThreshold int64  // as in [Options]
	// Sync makes the file survive a loss of power that follows: it and its folder are flushed to the disk.
	Sync     bool
	Progress func(done, total int64) // as for [Layout.Write]
}

// FileInfo is what [WriteFile] wrote.
type FileInfo struct {
	Path     string // of the model: where the path that was given leads
	Size     int64  // bytes
	DataPath string // of the data file; "" without one
	DataSize int64
}

// WriteFile writes a model to a file, as a whole or not at all: it writes a temporary file in the same folder and then
// renames it, so that a reader never sees half a model, and any failure leaves the previous file as it was. What the
// temporary files of killed runs hold is removed by the next run for the same path.
//
// Through a symbolic link, the file that it leads to is replaced. A replaced file's permissions stay, and a file that is
// write-protected is not replaced. To what is neither file nor folder, such as a pipe or a device, the bytes are written
// directly.
//
// A model above the threshold gets a data file beside it, named by its content: model.onnx.0123456789ab.data. The old
// model with its old data and the new one with its new data thus never mix, wherever a run is cut off. The data
// file that the replaced model named is removed in the end.
func WriteFile(ctx context.Context, path string, w *onnxbuild.Written, opts FileOptions) (*FileInfo, error) {
	info, err := writeFile(ctx, path, w, opts)
	if err != nil {
		return nil, fmt.Errorf("cannot write %s: %w", path, plain(err))
	}
	return info, nil
}

// Replace writes a file that is no model, of size bytes, the way that [WriteFile] writes one: as a whole or not at all.
func Replace(path string, size int64, sync bool, write func(io.Writer) error) error {
	if err := replace(path, size, sync, write); err != nil {
		return fmt.Errorf("cannot write %s: %w", path, plain(err))
	}
	return nil
}

func replace(path string, size int64, sync bool, write func(io.Writer) error) error {
	t, err := findTarget(path)
	if err != nil {
		return err
	}
	if t.direct {
		return t.pour(write)
	}
	t.sweep()
	tmp, err := t.fill(size, sync, write)
	if err != nil {
		return err
	}
	defer tmp.discard()
	return t.commit(tmp, nil, &FileInfo{Path: t.path()}, sync)
}

// plain leaves out the operation and the path that an error of package os begins with: the path is that of a temporary
// file. What is wrapped further, such as the error of a source of elements, stays whole.
func plain(err error) error {
	switch e := err.(type) { //nolint:errorlint // only the outermost error is meant
	case *fs.PathError:
		return e.Err
	case *os.LinkError:
		return e.Err
	}
	return err
}

func writeFile(ctx context.Context, path string, w *onnxbuild.Written, opts FileOptions) (*FileInfo, error) {
	t, err := findTarget(path)
	if err != nil {
		return nil, err
	}
	plan := Options{Version: opts.Version, ExternalThreshold: opts.ExternalThreshold}
	if t.direct {
		return t.writeDirect(ctx, w, plan, opts.Progress)
	}
	plan.Location = dataName(t.base, make([]byte, sha256.Size))
	layout, err := Plan(w, plan)
	if err != nil {
		return nil, err
	}
	report := layout.counter(opts.Progress)
	t.sweep()

	var data *temporary
	info := &FileInfo{Path: t.path(), Size: layout.Size(), DataSize: layout.DataSize()}
	if info.DataSize > 0 {
		hash := sha256.New()
		data, err = t.fill(info.DataSize, opts.Sync, func(f io.Writer) error {
			return layout.data.write(ctx, io.MultiWriter(f, hash), report)
		})
		if err != nil {
			return nil, err
		}
		defer data.discard()
		plan.Location = dataName(t.base, hash.Sum(nil))
		info.DataPath = filepath.Join(t.dir, plan.Location)
		if layout, err = Plan(w, plan); err != nil { // the same layout, since all such names have the same length
			return nil, err
		}
	}
	model, err := t.fill(info.Size, opts.Sync, func(f io.Writer) error { return layout.model.write(ctx, f, report) })
	if err != nil {
		return nil, err
	}
	defer model.discard()
	return info, t.commit(model, data, info, opts.Sync)
}

// target is the place that a model is written to.
type target struct {
	dir, base string
	mode      fs.FileMode // permissions of the file that is there
	exists    bool
	direct    bool // neither a file nor free to become one: a pipe or a device
}

func (t *target) path() string { return filepath.Join(t.dir, t.base) }

// findTarget follows links and looks at what is there.
func findTarget(path string) (*target, error) {
	if path == "" {
		return nil, errors.New("the path is empty")
	}
	stat, err := os.Stat(path)
	switch {
	case err == nil && stat.IsDir():
		return nil, fmt.Errorf("it is a folder; name a file in it, such as %s", filepath.Join(path, "model.onnx"))
	case err == nil && !stat.Mode().IsRegular():
		return &target{dir: filepath.Dir(path), base: filepath.Base(path), direct: true}, nil
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return nil, err
	case err != nil && os.IsPathSeparator(path[len(path)-1]):
		return nil, errors.New("the path names a folder that does not exist, not a file")
	}
	t := &target{}
	if t.dir, t.base, err = follow(path); err != nil {
		return nil, err
	}
	if stat == nil {
		return t, nil
	}
	// The rename would not ask the file for permission; whoever protects a file wants it to.
	f, err := os.OpenFile(t.path(), os.O_WRONLY, 0)
	if errors.Is(err, fs.ErrPermission) {
		return nil, errors.New("the file that is there is write-protected")
	} else if err != nil {
		return nil, err
	}
	t.exists, t.mode = true, stat.Mode().Perm()
	return t, f.Close()
}

// follow gives the folder and the name of the file that a path leads to, which need not exist.
func follow(path string) (dir, base string, err error) {
	for range 40 { // as many links as Linux follows
		if dir, err = filepath.EvalSymlinks(filepath.Dir(path)); err != nil {
			if errors.Is(err, fs.ErrNotExist) {
				err = fmt.Errorf("the folder %s does not exist", filepath.Dir(path))
			}
			return "", "", err
		}
		base = filepath.Base(path)
		link, err := os.Readlink(filepath.Join(dir, base))
		if err != nil {
			return dir, base, nil // not a link, or nothing there
		}
		if path = link; !filepath.IsAbs(link) {
			path = filepath.Join(dir, link)
		}
	}
	return "", "", errors.New("too many symbolic links")
}

// writeDirect writes to a pipe or a device.
func (t *target) writeDirect(ctx context.Context, w *onnxbuild.Written, plan Options, progress func(done, total int64)) (*FileInfo, error) {
	layout, err := Plan(w, plan)
	if err != nil {
		return nil, err
	}
	if err := t.pour(func(f io.Writer) error { return layout.Write(ctx, f, nil, progress) }); err != nil {
		return nil, err
	}
	return &FileInfo{Path: t.path(), Size: layout.Size()}, nil
}

// pour writes straight into a pipe or a device.
func (t *target) pour(write func(io.Writer) error) error {
	f, err := os.OpenFile(t.path(), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	if err := write(f); err != nil {
		_ = f.Close() // err says more
		return err
	}
	return f.Close()
}

// commit puts the files where they belong: the data before the model that names it, and only then is the data of the
// replaced model removed.
func (t *target) commit(model, data *temporary, info *FileInfo, sync bool) error {
	defer lock(t.dir)() // against another run that replaces the same pair
	old := ""
	if t.exists {
		old = ownData(t.path(), t.base)
	}
	if data != nil {
		if err := data.rename(info.DataPath); err != nil {
			return err
		}
		if sync {
			if err := syncFolder(t.dir); err != nil {
				return err
			}
		}
	}
	if err := model.rename(info.Path); err != nil {
		return err
	}
	if old != "" && old != filepath.Base(info.DataPath) {
		_ = os.Remove(filepath.Join(t.dir, old)) // if it stays, nothing is wrong but the space it takes
	}
	if sync {
		return syncFolder(t.dir)
	}
	return nil
}

// dataName is the name of the data file of a model called base.
func dataName(base string, sum []byte) string {
	return base + "." + hex.EncodeToString(sum[:6]) + ".data"
}

// isDataName reports whether a name is one that dataName gives to a data file of base.
func isDataName(name, base string) bool {
	digits, ok := strings.CutPrefix(name, base+".")
	digits, end := strings.CutSuffix(digits, ".data")
	sum, err := hex.DecodeString(digits)
	return ok && end && err == nil && name == dataName(base, append(sum, make([]byte, sha256.Size)...))
}

// ownData is the name of the data file that this package wrote for a model called base and that the file at path
// names; "" if there is none. Only such files are ever removed.
func ownData(path, base string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer func() { _ = f.Close() }() // it was only read
	stat, err := f.Stat()
	if err != nil {
		return ""
	}
	m, err := Open(f, stat.Size())
	if err != nil || m.Producer != Producer {
		return ""
	}
	for _, t := range m.Initializers {
		if isDataName(t.Location, base) {
			return t.Location
		}
	}
	return ""
}

package onnxfile

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"ysc2onnx/internal/replace"
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
		return nil, fmt.Errorf("cannot write %s: %w", path, replace.Plain(err))
	}
	return info, nil
}

func writeFile(ctx context.Context, path string, w *onnxbuild.Written, opts FileOptions) (*FileInfo, error) {
	t, err := replace.Find(path)
	if err != nil {
		return nil, err
	}
	plan := Options{Version: opts.Version, ExternalThreshold: opts.ExternalThreshold}
	if t.Direct {
		return writeDirect(ctx, t, w, plan, opts.Progress)
	}
	plan.Location = dataName(t.Base, make([]byte, sha256.Size))
	layout, err := Plan(w, plan)
	if err != nil {
		return nil, err
	}
	if err := t.Room(layout.Size() + layout.DataSize()); err != nil {
		return nil, err
	}
	report := layout.counter(opts.Progress)
	t.Sweep(func(stray string) { removeData(t, stray) })

	var data *replace.Temporary
	info := &FileInfo{Path: t.Path(), Size: layout.Size(), DataSize: layout.DataSize()}
	if info.DataSize > 0 {
		hash := sha256.New()
		data, err = t.Fill(info.DataSize, opts.Sync, func(f io.Writer) error {
			return layout.data.write(ctx, io.MultiWriter(f, hash), report)
		})
		if err != nil {
			return nil, err
		}
		defer data.Discard()
		plan.Location = dataName(t.Base, hash.Sum(nil))
		info.DataPath = filepath.Join(t.Dir, plan.Location)
		if layout, err = Plan(w, plan); err != nil { // the same layout, since all such names have the same length
			return nil, err
		}
	}
	model, err := t.Fill(info.Size, opts.Sync, func(f io.Writer) error { return layout.model.write(ctx, f, report) })
	if err != nil {
		return nil, err
	}
	defer model.Discard()
	return info, commit(t, model, data, info, opts.Sync)
}

// writeDirect writes to a pipe or a device.
func writeDirect(ctx context.Context, t *replace.Target, w *onnxbuild.Written, plan Options, progress func(done, total int64)) (*FileInfo, error) {
	layout, err := Plan(w, plan)
	if err != nil {
		return nil, err
	}
	if err := t.Pour(func(f io.Writer) error { return layout.Write(ctx, f, nil, progress) }); err != nil {
		return nil, err
	}
	return &FileInfo{Path: t.Path(), Size: layout.Size()}, nil
}

// removeData removes the data of a stray temporary file. If that is a whole model, the run was killed while it put the files in
// place, and the data file that the model names may be there already: then nothing uses it, unless the present model does.
func removeData(t *replace.Target, stray string) {
	if data := ownData(stray, t.Base); data != "" && data != ownData(t.Path(), t.Base) {
		_ = os.Remove(filepath.Join(t.Dir, data)) // not there, as a rule
	}
}

// commit puts the files where they belong: the data before the model that names it, and only then is the data of the
// replaced model removed.
func commit(t *replace.Target, model, data *replace.Temporary, info *FileInfo, sync bool) error {
	defer replace.Lock(t.Dir)() // against another run that replaces the same pair
	old := ""
	if t.Exists {
		old = ownData(t.Path(), t.Base)
	}
	if data != nil {
		if err := data.Rename(info.DataPath); err != nil {
			return err
		}
		if sync {
			if err := replace.SyncFolder(t.Dir); err != nil {
				return err
			}
		}
	}
	if err := model.Rename(info.Path); err != nil {
		return err
	}
	if old != "" && old != filepath.Base(info.DataPath) {
		_ = os.Remove(filepath.Join(t.Dir, old)) // a file that stays only takes up space
	}
	if sync {
		return replace.SyncFolder(t.Dir)
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

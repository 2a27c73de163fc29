package verify

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"ysc2onnx/internal/npz"
	"ysc2onnx/verify/engine"
)

// Reference gives recorded tensors by name, such as those of an .npz file.
type Reference interface {
	// Names lists the tensors in the order of the recording.
	Names() []string
	// Read gives one tensor; its Name is the one asked for.
	Read(name string) (engine.Tensor, error)
}

// NPZ is a NumPy .npz archive: arrays by name, each read when it is asked for.
type NPZ struct {
	archive *npz.Archive
	names   []string
	file    io.Closer // nil if the archive is not a file of ours
	path    string    // of that file
}

// OpenNPZ opens the archive at path. Close it after use.
func OpenNPZ(path string) (*NPZ, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	z, err := NewNPZ(f, info.Size())
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), f.Close())
	}
	z.file, z.path = f, path
	return z, nil
}

// NewNPZ reads the table of contents of an archive of size bytes.
func NewNPZ(r io.ReaderAt, size int64) (*NPZ, error) {
	archive, err := npz.New(r, size)
	if err != nil {
		return nil, err
	}
	z := &NPZ{archive: archive}
	for _, name := range archive.Names() {
		if of, ok := strings.CutSuffix(name, rounding); !ok || !archive.Has(of) {
			z.names = append(z.names, name)
		}
	}
	return z, nil
}

// rounding ends the name of an array that says how far another one is from float64: layer.9.rounding is what must be added
// to layer.9. So a recording with both holds no number twice, and readers that do not know of it can read the rest.
const rounding = ".rounding"

// exactly adds what a recording says about float64.
func (z *NPZ) exactly(t *engine.Tensor, name string) error {
	file := name + rounding + ".npy"
	r, err := z.archive.Read(name + rounding)
	if err != nil {
		return fmt.Errorf("its %s: %w", file, err)
	}
	if r.Floats == nil || t.Floats == nil || !slices.Equal(r.Shape, t.Shape) {
		return fmt.Errorf("its %s has the shape %s; %s of floating-point numbers was expected", file, engine.ShapeText(r.Shape), engine.ShapeText(t.Shape))
	}
	t.Exact = make([]float64, len(r.Floats))
	for i, d := range r.Floats {
		t.Exact[i] = float64(t.Floats[i]) + float64(d)
	}
	return nil
}

// Close closes the file that OpenNPZ opened.
func (z *NPZ) Close() error {
	if z.file == nil {
		return nil
	}
	return z.file.Close()
}

// Names lists the arrays in the archive's order, without those that only say how exact another one is.
func (z *NPZ) Names() []string { return z.names }

// Read gives the array of that name: floating-point types as float32, whole numbers and bools as int64. Where the archive has
// a name.rounding as well, [Tensor.Exact] is the sum of both.
func (z *NPZ) Read(name string) (engine.Tensor, error) {
	if !z.archive.Has(name) {
		return engine.Tensor{}, fmt.Errorf("the .npz file has no array %q", name)
	}
	array, err := z.archive.Read(name)
	t := engine.Tensor{Name: name, Shape: array.Shape, Floats: array.Floats, Ints: array.Ints}
	if err == nil && z.archive.Has(name+rounding) {
		err = z.exactly(&t, name)
	}
	switch {
	case err != nil && z.path != "":
		return engine.Tensor{}, fmt.Errorf("%s: array %q: %w", z.path, name, err)
	case err != nil:
		return engine.Tensor{}, fmt.Errorf("array %q: %w", name, err)
	}
	return t, nil
}

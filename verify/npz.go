package verify

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

const (
	maxNPZEntries = 10_000
	// maxDeflate is more than deflate can shrink anything (1032 times): a member
	// that says it is larger than this times its bytes is lying.
	maxDeflate = 1040
)

// Reference gives recorded tensors by name, such as those of an .npz file.
type Reference interface {
	// Names lists the tensors in the order of the recording.
	Names() []string
	// Read gives one tensor; its Name is the one asked for.
	Read(name string) (Tensor, error)
}

// NPZ is a NumPy .npz archive: arrays by name, each read when it is asked for.
type NPZ struct {
	names   []string
	members map[string]*zip.File
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
	archive, err := zip.NewReader(r, size)
	if err != nil {
		return nil, fmt.Errorf("not an .npz file: %w", err)
	}
	if len(archive.File) > maxNPZEntries {
		return nil, fmt.Errorf("the .npz file has %d arrays, more than the %d that are allowed", len(archive.File), maxNPZEntries)
	}
	z := &NPZ{members: make(map[string]*zip.File, len(archive.File))}
	for _, member := range archive.File {
		name, ok := strings.CutSuffix(member.Name, ".npy")
		if !ok {
			return nil, fmt.Errorf("the .npz file holds %q, which is not an .npy array", member.Name)
		}
		if z.members[name] != nil {
			return nil, fmt.Errorf("the .npz file holds %q twice", name)
		}
		z.members[name] = member
		z.names = append(z.names, name)
	}
	z.names = slices.DeleteFunc(z.names, func(name string) bool {
		of, ok := strings.CutSuffix(name, rounding)
		return ok && z.members[of] != nil
	})
	return z, nil
}

// rounding ends the name of an array that says how far another one is from float64: layer.9.rounding is what has to be added
// to layer.9. So a recording with both holds no number twice, and is read by those who do not know of it.
const rounding = ".rounding"

// exactly adds what a recording says about float64.
func (t *Tensor) exactly(member *zip.File) error {
	r, err := readMember(member)
	if err != nil {
		return fmt.Errorf("its %s: %w", member.Name, err)
	}
	if r.Floats == nil || t.Floats == nil || !slices.Equal(r.Shape, t.Shape) {
		return fmt.Errorf("its %s has the shape %s; %s of floating-point numbers was expected", member.Name, shapeText(r.Shape), shapeText(t.Shape))
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
func (z *NPZ) Read(name string) (t Tensor, err error) {
	member := z.members[name]
	if member == nil {
		return Tensor{}, fmt.Errorf("the .npz file has no array %q", name)
	}
	t, err = readMember(member)
	if exact := z.members[name+rounding]; err == nil && exact != nil {
		err = t.exactly(exact)
	}
	if err != nil && z.path != "" {
		return Tensor{}, fmt.Errorf("%s: array %q: %w", z.path, name, err)
	}
	if err != nil {
		return Tensor{}, fmt.Errorf("array %q: %w", name, err)
	}
	t.Name = name
	return t, nil
}

// readMember unpacks one array.
func readMember(member *zip.File) (t Tensor, err error) {
	packed, size := member.CompressedSize64, member.UncompressedSize64
	if packed < 1<<40 && size > packed*maxDeflate || size > maxElements*8+maxNPYHeader+12 {
		return t, fmt.Errorf("it says it is %d bytes, unpacked from %d; that cannot be or is too much", size, packed)
	}
	r, err := member.Open()
	if err != nil {
		return t, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	t, err = readNPY(r, int64(size))
	if err != nil {
		return t, err
	}
	// The checksum is compared at the end, so the end must be reached.
	if n, err := io.Copy(io.Discard, io.LimitReader(r, 1)); err != nil || n > 0 {
		return t, errors.Join(errors.New("the array does not end where it should"), err)
	}
	return t, nil
}

// Package npz reads and writes NumPy's .npz archives: a zip with an array in the .npy format under each name.
package npz

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"strings"
)

const (
	maxEntries = 10_000
	// maxDeflate is more than deflate can shrink anything (1032 times): a member that says it is larger than this times its
	// bytes is lying.
	maxDeflate = 1040
)

// Archive is an archive's table of contents. Its arrays are read when they are asked for.
type Archive struct {
	names   []string
	members map[string]*zip.File
}

// New reads the table of contents of an archive of size bytes.
func New(r io.ReaderAt, size int64) (*Archive, error) {
	archive, err := zip.NewReader(r, size)
	if err != nil {
		return nil, fmt.Errorf("not an .npz file: %w", err)
	}
	if len(archive.File) > maxEntries {
		return nil, fmt.Errorf("the .npz file has %d arrays, more than the %d that are allowed", len(archive.File), maxEntries)
	}
	a := &Archive{members: make(map[string]*zip.File, len(archive.File))}
	for _, member := range archive.File {
		name, ok := strings.CutSuffix(member.Name, ".npy")
		if !ok {
			return nil, fmt.Errorf("the .npz file holds %q, which is not an .npy array", member.Name)
		}
		if a.members[name] != nil {
			return nil, fmt.Errorf("the .npz file holds %q twice", name)
		}
		a.members[name] = member
		a.names = append(a.names, name)
	}
	return a, nil
}

// Names lists the arrays in the archive's order.
func (a *Archive) Names() []string { return a.names }

// Has says whether there is an array of that name.
func (a *Archive) Has(name string) bool { return a.members[name] != nil }

// Read gives the array of that name: floating-point types as float32, whole numbers and bools as int64.
func (a *Archive) Read(name string) (array Array, err error) {
	member := a.members[name]
	if member == nil {
		return array, fmt.Errorf("the .npz file has no array %q", name)
	}
	packed, size := member.CompressedSize64, member.UncompressedSize64
	if packed < 1<<40 && size > packed*maxDeflate || size > maxElements*8+maxNPYHeader+12 {
		return array, fmt.Errorf("it says that it has %d bytes, unpacked from %d; that is impossible or too much", size, packed)
	}
	r, err := member.Open()
	if err != nil {
		return array, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	if array, err = readNPY(r, int64(size)); err != nil {
		return array, err
	}
	// The checksum is compared at the end, so the end must be reached.
	if n, err := io.Copy(io.Discard, io.LimitReader(r, 1)); err != nil || n > 0 {
		return array, errors.Join(errors.New("the array does not end where it should"), err)
	}
	return array, nil
}

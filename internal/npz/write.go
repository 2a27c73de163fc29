package npz

import (
	"archive/zip"
	"encoding/binary"
	"fmt"
	"io"
	"strings"
)

// Writer writes an archive. Close it in the end.
type Writer struct{ archive *zip.Writer }

// NewWriter begins an archive.
func NewWriter(w io.Writer) *Writer { return &Writer{zip.NewWriter(w)} }

// Write adds an array: float32, or int64 where it has Ints. Format: NumPy's documentation, "numpy.lib.format", version 1.0.
func (w *Writer) Write(name string, a Array) error {
	descr, elements := "<f4", any(a.Floats)
	if a.Ints != nil {
		descr, elements = "<i8", a.Ints
	}
	shape := strings.ReplaceAll(strings.Trim(fmt.Sprint(a.Shape), "[]"), " ", ", ")
	if len(a.Shape) == 1 {
		shape += "," // a tuple of one, in Python
	}
	header := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", descr, shape)
	header += strings.Repeat(" ", 63-(10+len(header))%64) + "\n" // so that the elements are aligned
	f, err := w.archive.Create(name + ".npy")
	if err != nil {
		return err
	}
	start := append([]byte("\x93NUMPY\x01\x00"), byte(len(header)), byte(len(header)>>8))
	if _, err := f.Write(append(start, header...)); err != nil {
		return err
	}
	return binary.Write(f, binary.LittleEndian, elements)
}

// Close writes the archive's table of contents.
func (w *Writer) Close() error { return w.archive.Close() }

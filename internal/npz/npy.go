package npz

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/x448/float16"
)

// maxNPYHeader bounds the text in front of an array's bytes. NumPy's own is a
// few hundred bytes at most for the types read here.
const maxNPYHeader = 64 << 10

// What one array has at most: 2^29 elements, 2 GiB of float32, in as many dimensions as NumPy allows.
const (
	maxElements = 1 << 29
	maxRank     = 64
)

// Array is one array: its elements in row-major order, in Floats or in Ints.
type Array struct {
	Shape  []int64 // [] of a scalar
	Floats []float32
	Ints   []int64 // of whole numbers and bools
}

// npyTypes are the element types that are read, by NumPy's name without the
// byte order: how many bytes, and which of Array's slices they go to.
var npyTypes = map[string]struct {
	size    int64
	decode  func(b []byte) float32
	integer func(b []byte) int64
}{
	"f2": {size: 2, decode: func(b []byte) float32 { return float16.Frombits(binary.LittleEndian.Uint16(b)).Float32() }},
	"f4": {size: 4, decode: func(b []byte) float32 { return math.Float32frombits(binary.LittleEndian.Uint32(b)) }},
	"f8": {size: 8, decode: func(b []byte) float32 { return float32(math.Float64frombits(binary.LittleEndian.Uint64(b))) }},
	"i4": {size: 4, integer: func(b []byte) int64 { return int64(int32(binary.LittleEndian.Uint32(b))) }},
	"i8": {size: 8, integer: func(b []byte) int64 { return int64(binary.LittleEndian.Uint64(b)) }},
	"u1": {size: 1, integer: func(b []byte) int64 { return int64(b[0]) }},
	"b1": {size: 1, integer: func(b []byte) int64 { return int64(b[0]) }},
}

// readNPY reads one array of NumPy's .npy format, versions 1 to 3, from a source
// of size bytes. float16 and float64 become float32; whole numbers become int64.
// Nothing is allocated before the declared shape was compared with size.
//
// Format: NumPy's documentation, "numpy.lib.format".
func readNPY(r io.Reader, size int64) (Array, error) {
	var t Array
	h, used, err := readNPYHeader(r)
	if err != nil {
		return t, err
	}
	kind, ok := npyTypes[strings.TrimLeft(h.descr, "<|=")]
	switch {
	case !ok:
		return t, fmt.Errorf("elements are of type %q; f2, f4, f8, i4, i8, u1 and b1 in little-endian order can be read", h.descr)
	case h.fortran:
		return t, errors.New("the array is in Fortran order; save it with numpy.ascontiguousarray")
	}
	count, ok := elements(h.shape)
	if !ok {
		return t, fmt.Errorf("shape %v is more than can be read (%d values)", h.shape, maxElements)
	}
	if count*kind.size != size-used {
		return t, fmt.Errorf("shape %v of %s takes %d bytes, but %d are there", h.shape, h.descr, count*kind.size, size-used)
	}
	t.Shape = h.shape
	if kind.decode != nil {
		t.Floats = make([]float32, count)
		err = decodeAll(r, t.Floats, kind.size, kind.decode)
	} else {
		t.Ints = make([]int64, count)
		err = decodeAll(r, t.Ints, kind.size, kind.integer)
	}
	return t, err
}

// decodeAll fills dst from elements of size bytes.
func decodeAll[T any](r io.Reader, dst []T, size int64, decode func([]byte) T) error {
	buf := make([]byte, 64<<10)
	for len(dst) > 0 {
		n := min(int64(len(dst)), int64(len(buf))/size)
		part := buf[:n*size]
		if _, err := io.ReadFull(r, part); err != nil {
			return fmt.Errorf("the array is cut off: %w", err)
		}
		for i := range n {
			dst[i] = decode(part[i*size:])
		}
		dst = dst[n:]
	}
	return nil
}

// elements is how many elements a shape has; ok is false where they are more than maxElements.
func elements(shape []int64) (n int64, ok bool) {
	if slices.Contains(shape, 0) {
		return 0, true
	}
	n = 1
	for _, d := range shape {
		if n > maxElements/d {
			return 0, false
		}
		n *= d
	}
	return n, true
}

// npyHeader is the dictionary in front of an array.
type npyHeader struct {
	descr   string
	fortran bool
	shape   []int64
}

// readNPYHeader reads up to the first byte of data, and says how many bytes that were.
func readNPYHeader(r io.Reader) (h npyHeader, used int64, err error) {
	var start [8]byte
	if _, err := io.ReadFull(r, start[:]); err != nil || string(start[:6]) != "\x93NUMPY" {
		return h, 0, errors.New("not a .npy array: it does not begin with \\x93NUMPY")
	}
	width := 4
	switch start[6] {
	case 1:
		width = 2
	case 2, 3:
	default:
		return h, 0, fmt.Errorf("version %d of the .npy format is not known", start[6])
	}
	var length [4]byte
	if _, err := io.ReadFull(r, length[:width]); err != nil {
		return h, 0, fmt.Errorf("the .npy header is cut off: %w", err)
	}
	n := binary.LittleEndian.Uint32(length[:])
	if n > maxNPYHeader {
		return h, 0, fmt.Errorf("the .npy header has %d bytes, more than the %d that are allowed", n, maxNPYHeader)
	}
	text := make([]byte, n)
	if _, err := io.ReadFull(r, text); err != nil {
		return h, 0, fmt.Errorf("the .npy header is cut off: %w", err)
	}
	h, err = parseNPYHeader(string(text))
	if err != nil {
		return h, 0, fmt.Errorf("the .npy header %q: %w", text[:min(n, 120)], err)
	}
	return h, int64(8+width) + int64(n), nil
}

// parseNPYHeader reads the Python dictionary {'descr': '<f4', 'fortran_order':
// False, 'shape': (1, 3), }, keys in any order.
func parseNPYHeader(text string) (h npyHeader, err error) {
	p := npyParser{rest: strings.TrimSpace(text)}
	seen := map[string]bool{}
	p.expect("{")
	for p.err == nil && !p.accept("}") {
		key := p.quoted()
		p.expect(":")
		if seen[key] {
			p.fail("key %q is given twice", key)
		}
		seen[key] = true
		switch key {
		case "descr":
			h.descr = p.quoted()
		case "fortran_order":
			h.fortran = p.accept("True")
			if !h.fortran {
				p.expect("False")
			}
		case "shape":
			h.shape = p.tuple()
		default:
			p.fail("key %q is not known", key)
		}
		if !p.accept(",") {
			p.expect("}")
			break
		}
	}
	if p.err == nil && p.rest != "" {
		p.fail("there is more after the dictionary")
	}
	if p.err == nil && len(seen) != 3 {
		p.fail("it needs descr, fortran_order and shape")
	}
	return h, p.err
}

// npyParser reads Python literals; its first error sticks.
type npyParser struct {
	rest string
	err  error
}

func (p *npyParser) fail(format string, args ...any) {
	if p.err == nil {
		p.err = fmt.Errorf(format, args...)
	}
}

// accept steps over a token if it comes next.
func (p *npyParser) accept(token string) bool {
	rest, ok := strings.CutPrefix(p.rest, token)
	if ok && p.err == nil {
		p.rest = strings.TrimLeft(rest, " \t\n")
	}
	return ok && p.err == nil
}

func (p *npyParser) expect(token string) {
	if !p.accept(token) {
		p.fail("%q is missing", token)
	}
}

// quoted reads a string without escapes.
func (p *npyParser) quoted() string {
	for _, quote := range []string{"'", `"`} {
		if rest, ok := strings.CutPrefix(p.rest, quote); ok {
			if value, after, ok := strings.Cut(rest, quote); ok {
				p.rest = strings.TrimLeft(after, " \t\n")
				return value
			}
		}
	}
	p.fail("a quoted text is missing; structured types cannot be read")
	return ""
}

// tuple reads whole numbers: (), (4,), (1, 3).
func (p *npyParser) tuple() []int64 {
	p.expect("(")
	dims := []int64{}
	for p.err == nil && !p.accept(")") {
		end := strings.IndexAny(p.rest, ",)")
		if end < 0 || len(dims) == maxRank {
			p.fail("the shape does not end, or has more than %d dimensions", maxRank)
			break
		}
		d, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(p.rest[:end]), "L"), 10, 64)
		if err != nil || d < 0 {
			p.fail("%q is not a size of a dimension", p.rest[:end])
		}
		dims = append(dims, d)
		p.rest = p.rest[end:]
		if !p.accept(",") {
			p.expect(")")
			break
		}
	}
	return dims
}

package verify

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// npy writes one array in version 1 of the format; numbers are the bytes.
func npy(descr, shape string, numbers any) []byte {
	header := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': %s, }\n", descr, shape)
	b := append([]byte("\x93NUMPY\x01\x00"), byte(len(header)), byte(len(header)>>8))
	b, err := binary.Append(append(b, header...), binary.LittleEndian, numbers)
	if err != nil {
		panic(err)
	}
	return b
}

// member is one file of an archive.
type member struct {
	name string
	data []byte
}

// npz writes an archive.
func npz(t testing.TB, members ...member) []byte {
	t.Helper()
	var buf bytes.Buffer
	z := zip.NewWriter(&buf)
	for _, m := range members {
		w, err := z.Create(m.name)
		if err == nil {
			_, err = w.Write(m.data)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// TestNPZFromNumPy reads what testdata/make_npz.py had NumPy write.
func TestNPZFromNumPy(t *testing.T) {
	z, err := OpenNPZ("testdata/numpy.npz")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := z.Close(); err != nil {
			t.Error(err)
		}
	}()
	single := make([]float32, 24)
	for i := range single {
		single[i] = float32(i) / 8
	}
	inf := float32(math.Inf(1))
	want := []Tensor{
		{"half", []int64{2, 2}, []float32{1.5, -2, 6.103515625e-05, 5.960464477539063e-08}, nil, nil},
		{"single", []int64{2, 3, 4}, single, nil, nil},
		{"double", []int64{2}, []float32{0.1, -1e10}, nil, nil},
		{"short", []int64{2}, nil, []int64{-7, 1<<31 - 1}, nil},
		{"long", []int64{2, 1}, nil, []int64{math.MinInt64, math.MaxInt64}, nil},
		{"byte", []int64{2}, nil, []int64{0, 255}, nil},
		{"truth", []int64{3}, nil, []int64{1, 0, 1}, nil},
		{"scalar", []int64{}, []float32{2.5}, nil, nil},
		{"empty", []int64{0, 3}, []float32{}, nil, nil},
		{"special", []int64{3}, []float32{float32(math.NaN()), inf, -inf}, nil, nil},
	}
	var got []Tensor
	for _, name := range z.Names() {
		array, err := z.Read(name)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, array)
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateNaNs()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestHalf holds the widening of float16 against the format's definition:
// (-1)^s * 2^(e-15) * (1 + f/1024), and 2^-14 * f/1024 for e = 0.
func TestHalf(t *testing.T) {
	for h := range 1 << 16 {
		s, e, f := h>>15, h>>10&31, float64(h&1023)
		want := math.Ldexp(1+f/1024, e-15)
		switch {
		case e == 0:
			want = math.Ldexp(f/1024, -14)
		case e == 31 && f == 0:
			want = math.Inf(1)
		case e == 31:
			want = math.NaN()
		}
		if s == 1 {
			want = -want
		}
		got := float64(npyTypes["f2"].decode([]byte{byte(h), byte(h >> 8)}))
		if got != want && !(math.IsNaN(got) && math.IsNaN(want)) || math.Signbit(got) != (s == 1) {
			t.Fatalf("%#04x is widened to %v, want %v", h, got, want)
		}
	}
}

func TestNPZRefuses(t *testing.T) {
	file := func(name string) []byte {
		b, err := os.ReadFile("testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	good := npy("<f4", "(2,)", []float32{1, 2})
	one := func(b []byte) []byte { return npz(t, member{"a.npy", b}) }
	wide := strings.Repeat("1,", 70)
	long := append([]byte("\x93NUMPY\x02\x00"), 0xff, 0xff, 0xff, 0x7f)
	tests := []struct {
		name string
		npz  []byte
		want string
	}{
		{"no zip", []byte("hello"), "not an .npz file: zip: not a valid zip file"},
		{"other member", npz(t, member{"evil.txt", good}), `the .npz file holds "evil.txt", which is not an .npy array`},
		{"twice", npz(t, member{"a.npy", good}, member{"a.npy", good}), `the .npz file holds "a" twice`},
		{"no npy", one([]byte("hello, hello")), `array "a": not a .npy array: it does not begin with \x93NUMPY`},
		{"version", one([]byte("\x93NUMPY\x09\x00")), `array "a": version 9 of the .npy format is not known`},
		{"header cut", one(good[:20]), `array "a": the .npy header is cut off: unexpected EOF`},
		{"header long", one(long), `array "a": the .npy header has 2147483647 bytes, more than the 65536 that are allowed`},
		{"data cut", one(good[:len(good)-1]), `array "a": shape 2 of <f4 takes 8 bytes, but 7 are there`},
		{"data more", one(append(good, 0)), `array "a": shape 2 of <f4 takes 8 bytes, but 9 are there`},
		{"huge shape", one(npy("<f4", "(1000000, 1000000)", []float32{1})), `array "a": shape [1000000 1000000] is more than can be read (536870912 values)`},
		{"overflow", one(npy("<f4", "(4611686018427387904, 4)", []float32{1})), `array "a": shape [4611686018427387904 4] is more than can be read (536870912 values)`},
		{"negative", one(npy("<f4", "(-1,)", []float32{1})), `array "a": the .npy header "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }\n": "-1" is no size of a dimension`},
		{"rank", one(npy("<f4", "("+wide+")", []float32{1})), ""},
		{"type", one(npy("<c8", "(1,)", []float32{1, 1})), `array "a": elements are of type "<c8"; f2, f4, f8, i4, i8, u1 and b1 in little-endian order can be read`},
		{"object", one(npy("|O", "(1,)", []float32{1})), `array "a": elements are of type "|O"; f2, f4, f8, i4, i8, u1 and b1 in little-endian order can be read`},
		{"big endian", file("big.npz"), `array "a": elements are of type ">f4"; f2, f4, f8, i4, i8, u1 and b1 in little-endian order can be read`},
		{"fortran", file("fortran.npz"), `array "a": the array is in Fortran order; save it with numpy.ascontiguousarray`},
		{"bomb", bomb(t), `array "a": it says it is 4000000000 bytes, unpacked from 10; that cannot be or is too much`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := readAll(test.npz)
			if err == nil {
				t.Fatal("no error")
			}
			if test.want != "" && err.Error() != test.want {
				t.Errorf("got  %s\nwant %s", err, test.want)
			}
			if test.want == "" && !strings.HasSuffix(err.Error(), "the shape does not end, or has more than 64 dimensions") {
				t.Errorf("got %s", err)
			}
		})
	}
}

// bomb is an archive whose directory promises 4 GB from 10 bytes.
func bomb(t *testing.T) []byte {
	t.Helper()
	var buf bytes.Buffer
	z := zip.NewWriter(&buf)
	w, err := z.CreateRaw(&zip.FileHeader{
		Name: "a.npy", Method: zip.Deflate, CRC32: crc32.ChecksumIEEE(nil), CompressedSize64: 10, UncompressedSize64: 4_000_000_000,
	})
	if err == nil {
		_, err = w.Write(make([]byte, 10))
	}
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// readAll reads every array of an archive.
func readAll(b []byte) error {
	z, err := NewNPZ(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return err
	}
	for _, name := range z.Names() {
		if _, err := z.Read(name); err != nil {
			return err
		}
	}
	return nil
}

func FuzzNPZ(f *testing.F) {
	good := npy("<f4", "(2,)", []float32{1, 2})
	f.Add(npz(f, member{"a.npy", good}))
	f.Add(npz(f, member{"a.npy", good}, member{"a.rounding.npy", good}))
	f.Add(npz(f, member{"input.npy", good}, member{"layer.0.npy", npy("<i8", "()", []int64{3})}))
	f.Fuzz(func(t *testing.T, b []byte) {
		if err := readAll(b); err != nil && err.Error() == "" {
			t.Error("an error without a text")
		}
	})
}

func FuzzNPY(f *testing.F) {
	f.Add(npy("<f4", "(2,)", []float32{1, 2}))
	f.Add(npy("<f2", "(1, 3)", []uint16{1, 2, 3}))
	f.Add(npy("|b1", "()", []uint8{1}))
	f.Fuzz(func(t *testing.T, b []byte) {
		array, err := readNPY(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			return
		}
		count, ok := elements(array.Shape)
		if !ok || count != int64(len(array.Floats)+len(array.Ints)) || count > int64(len(b)) {
			t.Errorf("shape %v for %d values from %d bytes", array.Shape, len(array.Floats)+len(array.Ints), len(b))
		}
	})
}

// TestNPZNamesItsFile: an array that cannot be read is named with its archive.
func TestNPZNamesItsFile(t *testing.T) {
	z, err := OpenNPZ("testdata/fortran.npz")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = z.Close() }()
	want := `testdata/fortran.npz: array "a": the array is in Fortran order; save it with numpy.ascontiguousarray`
	if _, err := z.Read("a"); err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

// TestNPZRounding: an array that says how far another one is from float64 is part of it, and no value of its own.
func TestNPZRounding(t *testing.T) {
	half, tiny := npy("<f4", "(2,)", []float32{0.5, 2}), npy("<f4", "(2,)", []float32{1.0 / (1 << 28), -1.0 / (1 << 28)})
	data := npz(t, member{"layer.0.npy", half}, member{"layer.0.rounding.npy", tiny}, member{"lone.rounding.npy", tiny}, member{"layer.1.npy", half})
	z, err := NewNPZ(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"layer.0", "lone.rounding", "layer.1"}, z.Names()); diff != "" {
		t.Error(diff)
	}
	got, err := z.Read("layer.0")
	if diff := cmp.Diff(Tensor{Name: "layer.0", Shape: []int64{2}, Floats: []float32{0.5, 2}, Exact: []float64{0.5 + 1.0/(1<<28), 2 - 1.0/(1<<28)}}, got); err != nil || diff != "" {
		t.Error(err, diff)
	}
	if got, err := z.Read("layer.1"); err != nil || got.Exact != nil {
		t.Error(err, got)
	}
	data = npz(t, member{"layer.0.npy", half}, member{"layer.0.rounding.npy", npy("<f4", "(1,)", []float32{0})})
	if z, err = NewNPZ(bytes.NewReader(data), int64(len(data))); err != nil {
		t.Fatal(err)
	}
	want := `array "layer.0": its layer.0.rounding.npy has the shape 1; 2 of floating-point numbers was expected`
	if _, err := z.Read("layer.0"); err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

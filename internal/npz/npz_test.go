package npz

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
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

// archive writes an archive.
func archive(t testing.TB, members ...member) []byte {
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
	data, err := os.ReadFile("testdata/numpy.npz")
	if err != nil {
		t.Fatal(err)
	}
	z, err := New(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	single := make([]float32, 24)
	for i := range single {
		single[i] = float32(i) / 8
	}
	inf := float32(math.Inf(1))
	type named struct {
		Name string
		Array
	}
	want := []named{
		{"half", Array{[]int64{2, 2}, []float32{1.5, -2, 6.103515625e-05, 5.960464477539063e-08}, nil}},
		{"single", Array{[]int64{2, 3, 4}, single, nil}},
		{"double", Array{[]int64{2}, []float32{0.1, -1e10}, nil}},
		{"short", Array{[]int64{2}, nil, []int64{-7, 1<<31 - 1}}},
		{"long", Array{[]int64{2, 1}, nil, []int64{math.MinInt64, math.MaxInt64}}},
		{"byte", Array{[]int64{2}, nil, []int64{0, 255}}},
		{"truth", Array{[]int64{3}, nil, []int64{1, 0, 1}}},
		{"scalar", Array{[]int64{}, []float32{2.5}, nil}},
		{"empty", Array{[]int64{0, 3}, []float32{}, nil}},
		{"special", Array{[]int64{3}, []float32{float32(math.NaN()), inf, -inf}, nil}},
	}
	var got []named
	for _, name := range z.Names() {
		array, err := z.Read(name)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, named{name, array})
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateNaNs()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestHalf checks the widening of float16 against the format's definition:
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
	one := func(b []byte) []byte { return archive(t, member{"a.npy", b}) }
	wide := strings.Repeat("1,", 70)
	long := append([]byte("\x93NUMPY\x02\x00"), 0xff, 0xff, 0xff, 0x7f)
	tests := []struct {
		name string
		npz  []byte
		want string
	}{
		{"no zip", []byte("hello"), "not an .npz file: zip: not a valid zip file"},
		{"other member", archive(t, member{"evil.txt", good}), `the .npz file holds "evil.txt", which is not an .npy array`},
		{"twice", archive(t, member{"a.npy", good}, member{"a.npy", good}), `the .npz file holds "a" twice`},
		{"no npy", one([]byte("hello, hello")), `not a .npy array: it does not begin with \x93NUMPY`},
		{"version", one([]byte("\x93NUMPY\x09\x00")), `version 9 of the .npy format is not known`},
		{"header cut", one(good[:20]), `the .npy header is cut off: unexpected EOF`},
		{"header long", one(long), `the .npy header has 2147483647 bytes, more than the 65536 that are allowed`},
		{"data cut", one(good[:len(good)-1]), `shape [2] of <f4 takes 8 bytes, but 7 are there`},
		{"data more", one(append(good, 0)), `shape [2] of <f4 takes 8 bytes, but 9 are there`},
		{"huge shape", one(npy("<f4", "(1000000, 1000000)", []float32{1})), `shape [1000000 1000000] is more than can be read (536870912 values)`},
		{"overflow", one(npy("<f4", "(4611686018427387904, 4)", []float32{1})), `shape [4611686018427387904 4] is more than can be read (536870912 values)`},
		{"negative", one(npy("<f4", "(-1,)", []float32{1})), `the .npy header "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }\n": "-1" is not a size of a dimension`},
		{"rank", one(npy("<f4", "("+wide+")", []float32{1})), ""},
		{"type", one(npy("<c8", "(1,)", []float32{1, 1})), `elements are of type "<c8"; f2, f4, f8, i4, i8, u1 and b1 in little-endian order can be read`},
		{"object", one(npy("|O", "(1,)", []float32{1})), `elements are of type "|O"; f2, f4, f8, i4, i8, u1 and b1 in little-endian order can be read`},
		{"big endian", file("big.npz"), `elements are of type ">f4"; f2, f4, f8, i4, i8, u1 and b1 in little-endian order can be read`},
		{"fortran", file("fortran.npz"), `the array is in Fortran order; save it with numpy.ascontiguousarray`},
		{"bomb", bomb(t), `it says that it has 4000000000 bytes, unpacked from 10; that is impossible or too much`},
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
	z, err := New(bytes.NewReader(b), int64(len(b)))
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

// TestWrite: what is written is what NumPy wrote of the same arrays, byte by byte.
func TestWrite(t *testing.T) {
	numpys, err := zip.OpenReader("testdata/numpy.npz")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = numpys.Close() }() // only read
	data, err := os.ReadFile("testdata/numpy.npz")
	if err != nil {
		t.Fatal(err)
	}
	z, err := New(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	w, names := NewWriter(&file), []string{"single", "long", "empty", "special"}
	for _, name := range names {
		array, err := z.Read(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Write(name, array); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	ours, err := zip.NewReader(bytes.NewReader(file.Bytes()), int64(file.Len()))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		got, err := fs.ReadFile(ours, name+".npy")
		want, err2 := fs.ReadFile(numpys, name+".npy")
		if err := errors.Join(err, err2); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %v\n%q\n%q", name, err, got, want)
		}
	}
}

func FuzzNPZ(f *testing.F) {
	good := npy("<f4", "(2,)", []float32{1, 2})
	f.Add(archive(f, member{"a.npy", good}))
	f.Add(archive(f, member{"a.npy", good}, member{"a.rounding.npy", good}))
	f.Add(archive(f, member{"input.npy", good}, member{"layer.0.npy", npy("<i8", "()", []int64{3})}))
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

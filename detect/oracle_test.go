package detect

import (
	"encoding/json"
	"fmt"
	"hash/crc32"
	"image"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"ysc2onnx/verify"
	"ysc2onnx/verify/engine"
)

// The expectations in testdata come from OpenCV, torchvision and YOLOv5 v7.0: testdata/oracle.py recorded them.
func TestResize(t *testing.T)    { sameResize(t, "testdata") }
func TestLetterbox(t *testing.T) { sameLetterbox(t, "testdata") }
func TestSuppress(t *testing.T)  { sameSuppression(t, "testdata") }
func TestPictures(t *testing.T)  { samePictures(t, "testdata", 42) }

// arrays opens an archive; each array is read by its name.
func arrays(t *testing.T, path string) (names []string, read func(name string) engine.Tensor) {
	t.Helper()
	z, err := verify.OpenNPZ(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = z.Close() })
	return z.Names(), func(name string) engine.Tensor {
		v, err := z.Read(name)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// records reads a JSON list.
func records[T any](t *testing.T, path string) (list []T) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &list); err != nil || len(list) == 0 {
		t.Fatalf("%s: %d records, %v", path, len(list), err)
	}
	return list
}

// fromArray makes a picture of an array of height, width and red, green, blue.
func fromArray(v engine.Tensor) *image.RGBA {
	width := int(v.Shape[1])
	img := image.NewRGBA(image.Rect(0, 0, width, int(v.Shape[0])))
	fill(img, func(x, y int) (r, g, b uint8) {
		p := v.Ints[(y*width+x)*channels:]
		return uint8(p[0]), uint8(p[1]), uint8(p[2])
	})
	return img
}

// samePixels compares packed pixels with an array's.
func samePixels(t *testing.T, what string, got []uint8, want engine.Tensor) {
	t.Helper()
	if len(got) != len(want.Ints) {
		t.Errorf("%s: %d values, want %d", what, len(got), len(want.Ints))
		return
	}
	wrong, first, largest := 0, 0, 0
	for i, v := range want.Ints {
		if d := max(int(got[i])-int(v), int(v)-int(got[i])); d > 0 {
			if wrong == 0 {
				first = i
			}
			wrong, largest = wrong+1, max(largest, d)
		}
	}
	if wrong > 0 {
		t.Errorf("%s: %d of %d values differ, by %d at most; the first is value %d: %d, want %d",
			what, wrong, len(got), largest, first, got[first], want.Ints[first])
	}
}

func sameResize(t *testing.T, folder string) {
	t.Helper()
	names, read := arrays(t, filepath.Join(folder, "resize.npz"))
	cases := len(names) / 2
	if cases < 16 {
		t.Fatalf("%d cases", cases)
	}
	for k := range cases {
		from, to := read(fmt.Sprintf("%d.from", k)), read(fmt.Sprintf("%d.to", k))
		got := resize(fromArray(from), int(to.Shape[1]), int(to.Shape[0]))
		samePixels(t, fmt.Sprintf("%v to %v", from.Shape, to.Shape), got, to)
	}
}

func sameLetterbox(t *testing.T, folder string) {
	t.Helper()
	type record struct {
		Height, Width   int
		Input, Shape    [2]int
		Auto            bool
		CRC32           uint32
		Boxes, Original [][4]float32
	}
	for _, r := range records[record](t, filepath.Join(folder, "letterbox.json")) {
		name := fmt.Sprintf("%dx%d to %v, auto %v", r.Height, r.Width, r.Input, r.Auto)
		img := image.NewRGBA(image.Rect(0, 0, r.Width, r.Height))
		fill(img, func(x, y int) (red, green, blue uint8) {
			v := x*7 + y*13
			return uint8(v), uint8(v + 50), uint8(v + 100)
		})
		var stride image.Point
		if r.Auto {
			stride = image.Pt(32, 32)
		}
		got := letterbox(img, r.Input[1], r.Input[0], stride)
		if got.Height != r.Shape[0] || got.Width != r.Shape[1] {
			t.Errorf("%s: %dx%d, want %v", name, got.Height, got.Width, r.Shape)
			continue
		}
		if sum := crc32.ChecksumIEEE(bytesOf(got)); sum != r.CRC32 {
			t.Errorf("%s: the pixels are not OpenCV's", name)
		}
		for i, box := range r.Boxes {
			if back := got.original(box, image.Pt(r.Width, r.Height)); back != r.Original[i] {
				t.Errorf("%s: box %v is %v in the picture, want %v", name, box, back, r.Original[i])
			}
		}
	}
}

// bytesOf turns an input into the pixels that it was made of.
func bytesOf(l *Letterboxed) []byte {
	plane := l.Height * l.Width
	pixels := make([]byte, channels*plane)
	for i, v := range l.Values {
		pixels[i%plane*channels+i/plane] = byte(v*255 + 0.5)
	}
	return pixels
}

func sameSuppression(t *testing.T, folder string) {
	t.Helper()
	type record struct {
		Conf, IoU float64
		Classes   []int
		Agnostic  bool
		Max       int
	}
	_, read := arrays(t, filepath.Join(folder, "suppress.npz"))
	for k, r := range records[record](t, filepath.Join(folder, "suppress.json")) {
		rows, want := read(fmt.Sprintf("%d.rows", k)), read(fmt.Sprintf("%d.kept", k))
		opts := Options{Confidence: r.Conf, IoU: r.IoU, MaxDetections: r.Max, Agnostic: r.Agnostic}
		var got []float32
		for _, d := range suppress(rows.Floats, plain(int(rows.Shape[1])-boxColumns), r.Classes, &opts) {
			got = append(append(got, d.Box[:]...), d.Score, float32(d.Class))
		}
		if !slices.Equal(got, want.Floats) {
			t.Errorf("case %d: %d detections, torchvision keeps %d, or not the same ones", k, len(got)/6, want.Shape[0])
		}
	}
}

func samePictures(t *testing.T, folder string, count int) {
	t.Helper()
	names, read := arrays(t, filepath.Join(folder, "pictures.npz"))
	if len(names) != count {
		t.Fatalf("%d pictures, want %d", len(names), count)
	}
	for _, name := range names {
		want := read(name)
		f, err := os.Open(filepath.Join(folder, "pictures", name))
		if err != nil {
			t.Fatal(err)
		}
		got, format, err := Decode(f)
		if err := f.Close(); err != nil {
			t.Error(err)
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if ending := map[string]string{JPEG: ".jpg", PNG: ".png"}[format]; !strings.HasSuffix(name, ending) {
			t.Errorf("%s: the format is %s", name, format)
		}
		if size := got.Rect.Size(); int64(size.Y) != want.Shape[0] || int64(size.X) != want.Shape[1] {
			t.Errorf("%s: %v, want %v", name, size, want.Shape)
			continue
		}
		samePixels(t, name+" "+strconv.Itoa(got.Rect.Dx()), packed(got), want)
	}
}

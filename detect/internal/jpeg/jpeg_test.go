package jpeg

import (
	"bytes"
	"image"
	stdjpeg "image/jpeg"
	"os"
	"path/filepath"
	"testing"
)

// planes are an image's samples, in their lines without padding.
func planes(t *testing.T, img image.Image) [][]byte {
	t.Helper()
	cut := func(pix []byte, stride, width, height int) (out []byte) {
		for y := range height {
			out = append(out, pix[y*stride:][:width]...)
		}
		return out
	}
	size := img.Bounds().Size()
	switch p := img.(type) {
	case *image.Gray:
		return [][]byte{cut(p.Pix, p.Stride, size.X, size.Y)}
	case *image.YCbCr:
		w := p.COffset(size.X-1, 0) + 1
		h := p.COffset(0, size.Y-1)/p.CStride + 1
		return [][]byte{cut(p.Y, p.YStride, size.X, size.Y), cut(p.Cb, p.CStride, w, h), cut(p.Cr, p.CStride, w, h)}
	}
	t.Fatalf("the picture is a %T", img)
	return nil
}

// likeGo compares with Go's decoder, which reads the same files and rounds otherwise: no sample may be off by more than 2.
func likeGo(t *testing.T, data []byte, img image.Image) {
	t.Helper()
	theirs, err := stdjpeg.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	got, want := planes(t, img), planes(t, theirs)
	for i := range want {
		for k := range want[i] {
			if d := int(got[i][k]) - int(want[i][k]); d < -2 || d > 2 {
				t.Fatalf("plane %d: sample %d is %d, Go's is %d", i, k, got[i][k], want[i][k])
			}
		}
	}
}

func pictures(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob("../../testdata/pictures/*.jpg")
	if err != nil || len(files) < 20 {
		t.Fatalf("%d pictures, %v", len(files), err)
	}
	return files
}

func TestDecode(t *testing.T) {
	for _, path := range pictures(t) {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		img, err := Decode(data)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		switch filepath.Base(path) {
		case "extreme.jpg": // its steps are so coarse that rounding shows
		case "restartprogressive.jpg": // Go's decoder does not get over the restarts; libjpeg does, see TestPictures of package detect
		default:
			t.Run(filepath.Base(path), func(t *testing.T) { likeGo(t, data, img) })
		}
		for _, n := range []int{3, 20, len(data) / 2, len(data) - 3} { // cut off
			if _, err := Decode(data[:n]); err == nil {
				t.Errorf("%s: %d of %d bytes are taken for the whole", path, n, len(data))
			}
		}
	}
}

// FuzzDecode: no file makes it panic, and what it gives has the size that Go's decoder reads.
func FuzzDecode(f *testing.F) {
	for _, path := range pictures(f) {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		config, err := stdjpeg.DecodeConfig(bytes.NewReader(data))
		if err != nil || config.Width*config.Height > 1<<18 {
			return // larger ones only take longer
		}
		img, err := Decode(data)
		if err == nil && img.Bounds().Size() != image.Pt(config.Width, config.Height) {
			t.Errorf("%v, want %dx%d", img.Bounds(), config.Width, config.Height)
		}
		if err == nil {
			planes(t, img)
		}
	})
}

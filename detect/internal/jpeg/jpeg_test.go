package jpeg

import (
	"bytes"
	"errors"
	"image"
	stdjpeg "image/jpeg"
	"os"
	"path/filepath"
	"slices"
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

// What one decoder may say to a file that the other one reads: the two see damage in a scan's data at other places, Go's reads
// runs of empty blocks in a baseline file, which libjpeg and ours do not, and stops where libjpeg warns and goes on. Of
// headers, ours refuses quantization tables that are missing, as libjpeg does, or cut off.
var (
	goRefuses = []string{
		"invalid JPEG format: bad Huffman code", "invalid JPEG format: bad RST marker", "invalid JPEG format: missing 0xff00 sequence",
		"invalid JPEG format: too many coefficients", "invalid JPEG format: unknown marker", "unsupported JPEG feature: unknown marker",
		"unsupported JPEG feature: excessive DC component",
	}
	oursRefuses = []string{
		"a quantization table is malformed", "a restart marker is missing: the file is damaged", "a scan's table is missing",
		"the picture's data end too early, or are damaged",
	}
)

// FuzzDecode: no file makes it panic, and it reads the files that Go's decoder reads, with the same size, but for the
// reasons above.
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
		_, theirs := stdjpeg.Decode(bytes.NewReader(data))
		switch {
		case errors.Is(err, ErrUnsupported): // package detect goes on with Go's
		case err == nil && theirs != nil && !slices.Contains(goRefuses, theirs.Error()):
			t.Errorf("it is read, and Go's decoder says: %v", theirs)
		case err != nil && theirs == nil && !slices.Contains(oursRefuses, err.Error()):
			t.Errorf("Go's decoder reads it, and ours says: %v", err)
		case err == nil && img.Bounds().Size() != image.Pt(config.Width, config.Height):
			t.Errorf("%v, want %dx%d", img.Bounds(), config.Width, config.Height)
		case err == nil:
			planes(t, img)
		}
	})
}

// FuzzEncoded: any picture that Go's encoder writes is read, and its samples are Go's decoder's, which rounds otherwise.
func FuzzEncoded(f *testing.F) {
	f.Add([]byte{0, 255, 7, 90}, uint8(16), uint8(75), false)
	f.Add([]byte("a pattern that repeats"), uint8(17), uint8(1), false)
	f.Add([]byte{1}, uint8(1), uint8(100), true)
	f.Fuzz(func(t *testing.T, pixels []byte, width, quality uint8, grey bool) {
		if len(pixels) == 0 || len(pixels) > 1<<14 || width == 0 {
			return
		}
		bounds := image.Rect(0, 0, int(width), 1+len(pixels)/int(width))
		rgba, one := image.NewRGBA(bounds), image.NewGray(bounds)
		for i := range rgba.Pix {
			rgba.Pix[i] = pixels[i%len(pixels)]
		}
		copy(one.Pix, rgba.Pix)
		var picture image.Image = rgba
		if grey {
			picture = one
		}
		var file bytes.Buffer
		if err := stdjpeg.Encode(&file, picture, &stdjpeg.Options{Quality: 1 + int(quality)%100}); err != nil {
			t.Fatal(err)
		}
		img, err := Decode(file.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		likeGo(t, file.Bytes(), img)
	})
}

package detect

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestDecodeRefuses(t *testing.T) {
	header := func(width, height uint32) string { // of a PNG file
		chunk := binary.BigEndian.AppendUint32([]byte("IHDR"), width)
		chunk = append(binary.BigEndian.AppendUint32(chunk, height), 8, 2, 0, 0, 0)
		sum := binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE(chunk))
		return "\x89PNG\r\n\x1a\n\x00\x00\x00\x0d" + string(chunk) + string(sum)
	}
	for file, want := range map[string]string{
		"":                         "the file is empty; a picture was expected",
		"GIF89a":                   "the picture cannot be read: ",
		"BM":                       "the picture cannot be read: ",
		"II*\x00":                  "the picture cannot be read: ",
		"RIFF\x04\x00\x00\x00WEBP": "the picture cannot be read: ",
		"%PDF":                     "the file is not a JPEG, PNG, WebP, BMP, TIFF or GIF picture",
		header(1<<20, 1<<10):       "the picture has 1048576 x 1024 pixels; 1 to 134217728 are read",
		header(8, 8):               "the picture cannot be read: unexpected EOF",
		"\xff\xd8\xff\xd9":         "the picture cannot be read: ",
		"\xff\xd8\xff\xe1\x00\x01": "the picture cannot be read: ",
	} {
		if _, _, err := Decode(strings.NewReader(file)); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: the error is %v\nwant %s", file, err, want)
		}
	}
}

// TestFormats: lossless files of OpenCV and Pillow hold the pattern that testdata/make_formats.py put into them.
func TestFormats(t *testing.T) {
	for _, format := range []string{BMP, TIFF, WebP, GIF} {
		data, err := os.ReadFile(filepath.Join("testdata", "formats", "pattern."+format))
		if err != nil {
			t.Fatal(err)
		}
		picture, got, err := Decode(bytes.NewReader(data))
		if err != nil || got != format || picture.Rect != image.Rect(0, 0, 13, 9) {
			t.Fatalf("%s: %s, %v", format, got, err)
		}
		for y := range 9 {
			for x := range 13 {
				if r, g, b, _ := picture.At(x, y).RGBA(); r>>8 != uint32(16*x) || g>>8 != uint32(24*y) || b>>8 != uint32(8*(x^y)) {
					t.Fatalf("%s: the pixel at %d, %d is %d, %d, %d", format, x, y, r>>8, g>>8, b>>8)
				}
			}
		}
	}
}

// FuzzFormats: whatever a file holds, its decoder fails or gives a picture.
func FuzzFormats(f *testing.F) {
	for _, format := range []string{BMP, TIFF, WebP, GIF} {
		data, err := os.ReadFile(filepath.Join("testdata", "formats", "pattern."+format))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, c := range codecs {
			if c.format == JPEG || c.format == PNG || !c.begins(data) {
				continue
			}
			if size, err := c.size(bytes.NewReader(data)); err == nil && size.Width > 0 && size.Height > 0 && size.Width <= 1<<12/size.Height {
				if p, _, err := Decode(bytes.NewReader(data)); err == nil && p == nil {
					t.Error("neither a picture nor an error")
				}
			}
		}
	})
}

// TestOpaque: what is opaque RGBA from the origin on is not copied; what is not is cut out of what it is a part of.
func TestOpaque(t *testing.T) {
	whole := image.NewRGBA(image.Rect(0, 0, 4, 3))
	fill(whole, func(x, y int) (r, g, b uint8) { return uint8(x), uint8(y), 7 })
	if Opaque(whole) != whole {
		t.Error("an opaque picture is copied")
	}
	part := Opaque(whole.SubImage(image.Rect(1, 1, 3, 3)))
	if want := []uint8{1, 1, 7, 2, 1, 7, 1, 2, 7, 2, 2, 7}; part.Rect != image.Rect(0, 0, 2, 2) || !bytes.Equal(packed(part), want) {
		t.Errorf("the part is %v %v, want %v", part.Rect, packed(part), want)
	}
}

// FuzzDecode: no file makes Decode panic, and what it gives is opaque, from the origin on.
func FuzzDecode(f *testing.F) {
	files, err := filepath.Glob("testdata/pictures/*")
	if err != nil || len(files) == 0 {
		f.Fatalf("%d pictures, %v", len(files), err)
	}
	for _, path := range files {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if o := orientation(data); o < 1 || o > 8 {
			t.Errorf("orientation %d", o)
		}
		if config, _, err := image.DecodeConfig(bytes.NewReader(data)); err != nil || config.Width*config.Height > 1<<20 {
			return // larger ones only take longer
		}
		picture, _, err := Decode(bytes.NewReader(data))
		if err == nil && (!picture.Opaque() || picture.Rect.Min != image.Point{} || picture.Rect.Empty()) {
			t.Errorf("the picture is %v, opaque: %v", picture.Rect, picture.Opaque())
		}
	})
}

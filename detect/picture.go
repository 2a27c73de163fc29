package detect

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"slices"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
	"golang.org/x/image/webp"

	libjpeg "ysc2onnx/detect/internal/jpeg"
)

// What is read of a picture at most.
const (
	MaxFileBytes = 1 << 28
	MaxPixels    = 1 << 27
)

// The formats of pictures.
const (
	JPEG = "jpeg"
	PNG  = "png"
	WebP = "webp"
	BMP  = "bmp"
	TIFF = "tiff"
	GIF  = "gif"
)

// codec is how a format begins, and what reads it.
type codec struct {
	format string
	begins func(data []byte) bool
	decode func(io.Reader) (image.Image, error)
	size   func(io.Reader) (image.Config, error)
}

var codecs = []codec{
	{JPEG, prefix("\xff\xd8"), jpeg.Decode, jpeg.DecodeConfig},
	{PNG, prefix("\x89PNG\r\n\x1a\n"), png.Decode, png.DecodeConfig},
	{WebP, func(data []byte) bool {
		return len(data) >= 12 && string(data[:4]) == "RIFF" && string(data[8:12]) == "WEBP"
	}, webp.Decode, webp.DecodeConfig},
	{BMP, prefix("BM"), bmp.Decode, bmp.DecodeConfig},
	{TIFF, prefix("II*\x00", "MM\x00*"), tiff.Decode, tiff.DecodeConfig},
	{GIF, prefix("GIF87a", "GIF89a"), gif.Decode, gif.DecodeConfig}, // its first frame
}

func prefix(texts ...string) func([]byte) bool {
	return func(data []byte) bool {
		return slices.ContainsFunc(texts, func(text string) bool { return bytes.HasPrefix(data, []byte(text)) })
	}
}

// Decode reads a JPEG, PNG, WebP, BMP, TIFF or GIF file, of several frames the first. JPEG and PNG are read as OpenCV's imread does,
// turned as its EXIF orientation says: transparency is dropped, 16 bits become the upper 8, and the colours of a JPEG file are those
// of libjpeg. format is one of the formats above.
//
// The error says so if the file is larger than MaxFileBytes or the picture than MaxPixels; the pixels are then not read.
func Decode(r io.Reader) (picture *image.RGBA, format string, err error) {
	data, err := io.ReadAll(io.LimitReader(r, MaxFileBytes+1))
	if err != nil {
		return nil, "", err
	}
	if len(data) > MaxFileBytes {
		return nil, "", fmt.Errorf("the picture's file is larger than %d MiB", MaxFileBytes>>20)
	}
	at := slices.IndexFunc(codecs, func(c codec) bool { return c.begins(data) })
	switch {
	case len(data) == 0:
		return nil, "", errors.New("the file is empty; a picture was expected")
	case at < 0:
		return nil, "", errors.New("the file is not a JPEG, PNG, WebP, BMP, TIFF or GIF picture")
	}
	format = codecs[at].format
	config, err := codecs[at].size(bytes.NewReader(data))
	if err != nil {
		return nil, "", fmt.Errorf("the picture cannot be read: %w", err)
	}
	if config.Width < 1 || config.Height < 1 || config.Width > MaxPixels/config.Height {
		return nil, "", fmt.Errorf("the picture has %d x %d pixels; 1 to %d are read", config.Width, config.Height, MaxPixels)
	}
	var img image.Image
	if format == JPEG {
		img, err = libjpeg.Decode(data)
	}
	if format != JPEG || errors.Is(err, libjpeg.ErrUnsupported) {
		img, err = guarded(codecs[at].decode, data)
	}
	if err != nil {
		return nil, "", fmt.Errorf("the picture cannot be read: %w", err)
	}
	return upright(Opaque(img), orientation(data)), format, nil
}

// guarded decodes a picture; a decoder that panics has failed.
func guarded(decode func(io.Reader) (image.Image, error), data []byte) (img image.Image, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			img, err = nil, fmt.Errorf("its decoder failed: %v", fault)
		}
	}()
	return decode(bytes.NewReader(data))
}

// Opaque gives a picture's red, green and blue at full alpha, from (0, 0) on. A picture that is already so is returned, not
// copied. Alpha is dropped, as OpenCV does, and YCbCr is converted to RGB as libjpeg does.
func Opaque(picture image.Image) *image.RGBA {
	size := picture.Bounds().Size()
	if p, ok := picture.(*image.RGBA); ok && p.Rect.Min == (image.Point{}) && p.Opaque() {
		return p
	}
	dst := image.NewRGBA(image.Rectangle{Max: size})
	switch p := picture.(type) {
	case *image.YCbCr:
		fromYCbCr(dst, p)
	case *image.Gray:
		fill(dst, func(x, y int) (uint8, uint8, uint8) {
			v := p.Pix[y*p.Stride+x]
			return v, v, v
		})
	case *image.NRGBA:
		fill(dst, func(x, y int) (uint8, uint8, uint8) {
			v := p.Pix[y*p.Stride+4*x:][:4]
			return v[0], v[1], v[2]
		})
	case *image.NRGBA64:
		fill(dst, func(x, y int) (uint8, uint8, uint8) {
			v := p.Pix[y*p.Stride+8*x:][:8]
			return v[0], v[2], v[4]
		})
	case *image.Paletted:
		palette := make([]color.NRGBA, 256) // a pixel may name a colour that the palette lacks
		for i, c := range p.Palette {
			palette[i] = straight(c)
		}
		fill(dst, func(x, y int) (uint8, uint8, uint8) {
			c := palette[p.Pix[y*p.Stride+x]]
			return c.R, c.G, c.B
		})
	default:
		from := picture.Bounds().Min
		fill(dst, func(x, y int) (uint8, uint8, uint8) {
			c := straight(picture.At(from.X+x, from.Y+y))
			return c.R, c.G, c.B
		})
	}
	return dst
}

// straight is a colour whose red, green and blue are not multiplied by its alpha.
func straight(c color.Color) color.NRGBA {
	n, _ := color.NRGBAModel.Convert(c).(color.NRGBA) // the model's colours are of that type
	return n
}

// fill sets every pixel.
func fill(dst *image.RGBA, at func(x, y int) (r, g, b uint8)) {
	size := dst.Rect.Size()
	for y := range size.Y {
		line := dst.Pix[y*dst.Stride:]
		for x := range size.X {
			pixel := line[4*x:][:4]
			pixel[0], pixel[1], pixel[2] = at(x, y)
			pixel[3] = 0xff
		}
	}
}

package detect

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"

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
)

// Decode reads a JPEG or PNG file as OpenCV's imread does, turned as its EXIF orientation says: transparency is
// dropped, 16 bits become the upper 8, and the colours of a JPEG file are those of libjpeg. format is JPEG or PNG.
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
	decode, size := jpeg.Decode, jpeg.DecodeConfig
	switch {
	case len(data) == 0:
		return nil, "", errors.New("the file is empty; a JPEG or PNG picture was expected")
	case bytes.HasPrefix(data, []byte("\xff\xd8")):
		format = JPEG
	case bytes.HasPrefix(data, []byte("\x89PNG\r\n\x1a\n")):
		format, decode, size = PNG, png.Decode, png.DecodeConfig
	default:
		return nil, "", errors.New("the file is neither a JPEG nor a PNG picture")
	}
	config, err := size(bytes.NewReader(data))
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
	if format == PNG || errors.Is(err, libjpeg.ErrUnsupported) {
		img, err = decode(bytes.NewReader(data))
	}
	if err != nil {
		return nil, "", fmt.Errorf("the picture cannot be read: %w", err)
	}
	return upright(Opaque(img), orientation(data)), format, nil
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

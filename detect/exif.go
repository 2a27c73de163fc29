package detect

import (
	"bytes"
	"encoding/binary"
	"image"
)

// orientation gives the EXIF orientation of a picture's file, 1 to 8; 1, upright, where the file does not say.
func orientation(file []byte) int {
	if bytes.HasPrefix(file, []byte("\xff\xd8")) {
		return tiffOrientation(jpegEXIF(file[2:]))
	}
	const signature = 8
	if len(file) < signature {
		return 1
	}
	return tiffOrientation(pngEXIF(file[signature:]))
}

// jpegEXIF finds the EXIF data in the segments before the picture's own; nil if there is none.
func jpegEXIF(segments []byte) []byte {
	const (
		app1        = 0xe1
		startOfScan = 0xda
		fill        = 0xff
	)
	for len(segments) >= 4 && segments[0] == 0xff {
		marker := segments[1]
		if marker == fill {
			segments = segments[1:]
			continue
		}
		size := int(binary.BigEndian.Uint16(segments[2:])) // with its own two bytes
		if marker == startOfScan || size < 2 || size > len(segments)-2 {
			return nil
		}
		if exif, ok := bytes.CutPrefix(segments[4:2+size], []byte("Exif\x00\x00")); ok && marker == app1 {
			return exif
		}
		segments = segments[2+size:]
	}
	return nil
}

// pngEXIF finds the EXIF data in a PNG file's chunks; nil if there is none.
func pngEXIF(chunks []byte) []byte {
	const around = 12 // length, name and checksum
	for len(chunks) >= around {
		size := binary.BigEndian.Uint32(chunks)
		if uint64(size) > uint64(len(chunks)-around) {
			return nil
		}
		if string(chunks[4:8]) == "eXIf" {
			return chunks[8:][:size]
		}
		chunks = chunks[around+size:]
	}
	return nil
}

// tiffOrientation reads the tag Orientation in the first directory of a TIFF block; 1 if it is not there.
func tiffOrientation(block []byte) int {
	const (
		header   = 8
		entry    = 12
		tag      = 0x0112
		short    = 3
		standard = 42
	)
	if len(block) < header {
		return 1
	}
	var order binary.ByteOrder = binary.LittleEndian
	switch string(block[:2]) {
	case "II":
	case "MM":
		order = binary.BigEndian
	default:
		return 1
	}
	directory := uint64(order.Uint32(block[4:]))
	if order.Uint16(block[2:]) != standard || directory+2 > uint64(len(block)) {
		return 1
	}
	entries := block[directory+2:]
	for range order.Uint16(block[directory:]) {
		if len(entries) < entry {
			return 1
		}
		if order.Uint16(entries) == tag {
			if v := order.Uint16(entries[8:]); order.Uint16(entries[2:]) == short && v >= 1 && v <= 8 {
				return int(v)
			}
			return 1
		}
		entries = entries[entry:]
	}
	return 1
}

// upright turns and mirrors a picture to the way it should be displayed.
func upright(src *image.RGBA, orientation int) *image.RGBA {
	if orientation == 1 {
		return src
	}
	size := src.Rect.Size()
	right, bottom := size.X-1, size.Y-1
	from := map[int]func(x, y int) (int, int){
		2: func(x, y int) (int, int) { return right - x, y },
		3: func(x, y int) (int, int) { return right - x, bottom - y },
		4: func(x, y int) (int, int) { return x, bottom - y },
		5: func(x, y int) (int, int) { return y, x },
		6: func(x, y int) (int, int) { return y, bottom - x },
		7: func(x, y int) (int, int) { return right - y, bottom - x },
		8: func(x, y int) (int, int) { return right - y, x },
	}[orientation]
	if orientation >= 5 {
		size.X, size.Y = size.Y, size.X
	}
	dst := image.NewRGBA(image.Rectangle{Max: size})
	for y := range size.Y {
		line := dst.Pix[y*dst.Stride:]
		for x := range size.X {
			sx, sy := from(x, y)
			copy(line[4*x:][:4], src.Pix[sy*src.Stride+4*sx:])
		}
	}
	return dst
}

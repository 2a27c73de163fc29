// Package jpeg reads JPEG files to the bit as libjpeg does with its default transform, and so OpenCV, Pillow and
// torchvision. The standard leaves the last bit of the inverse transform open, and Go's image/jpeg rounds it differently in
// a few per cent of the samples, which moves a detector's scores by thousandths.
//
// It reads the pictures that cameras and programs write: 8 bits, Huffman coded, baseline, extended or progressive, grey
// or YCbCr. Anything else gets ErrUnsupported.
//
// Source: ITU-T T.81 (1992); section numbers are its own.
package jpeg

import (
	"encoding/binary"
	"errors"
	"fmt"
	"image"
)

// ErrUnsupported is the error for a file that may be sound, but is of a kind that is not read here.
var ErrUnsupported = errors.New("a kind of JPEG file that is not read here")

// maxScans bounds the work that a small file can ask for; encoders write about ten.
const maxScans = 1000

// The markers that matter, B.1.1.3.
const (
	baseline     = 0xc0
	extended     = 0xc1
	progressive  = 0xc2
	huffman      = 0xc4
	restart      = 0xd0 // to 0xd7
	startOfImage = 0xd8
	endOfImage   = 0xd9
	startOfScan  = 0xda
	quantization = 0xdb
	interval     = 0xdd
	app0         = 0xe0
	app14        = 0xee
)

// decoder is a file while it is read.
type decoder struct {
	data []byte
	at   int

	width, height int
	progressive   bool
	components    []*component
	maxH, maxV    int // largest sampling factors
	mcusX, mcusY  int

	quant     [4]*[64]uint16 // in zigzag order
	dc, ac    [4]*table
	interval  int // MCUs between restarts; 0 for none
	jfif      bool
	adobe     bool
	transform byte // Adobe's colour transform
	scans     int
}

// component is one of the picture's colour planes.
type component struct {
	id             byte
	h, v           int // sampling factors
	quant          int
	table          *[64]uint16 // the quantization table as it was when the first scan began
	width, height  int         // in samples
	columns, lines int         // blocks of memory, whole MCUs
	coefficients   [][64]int16 // natural order
}

// Decode reads a file. It gives an *image.Gray or an *image.YCbCr.
func Decode(data []byte) (image.Image, error) {
	d := &decoder{data: data}
	if len(data) < 2 || data[0] != 0xff || data[1] != startOfImage {
		return nil, errors.New("not a JPEG file")
	}
	d.at = 2
	for {
		marker, err := d.marker()
		if err != nil {
			return nil, err
		}
		if marker == endOfImage {
			break
		}
		if marker >= restart && marker < startOfImage { // one too many: libjpeg skips it, too
			continue
		}
		segment, err := d.segment()
		if err != nil {
			return nil, err
		}
		if err := d.read(marker, segment); err != nil {
			return nil, err
		}
	}
	if d.scans == 0 {
		return nil, errors.New("the file ends before its pixels")
	}
	return d.picture()
}

// marker reads up to and over the next marker.
func (d *decoder) marker() (byte, error) {
	for ; d.at+1 < len(d.data); d.at++ {
		if m := d.data[d.at+1]; d.data[d.at] == 0xff && m != 0 && m != 0xff {
			d.at += 2
			return m, nil
		}
	}
	return 0, errors.New("the file is cut off")
}

// segment gives what follows a marker.
func (d *decoder) segment() ([]byte, error) {
	if len(d.data)-d.at < 2 {
		return nil, errors.New("the file is cut off")
	}
	size := int(binary.BigEndian.Uint16(d.data[d.at:]))
	if size < 2 || size > len(d.data)-d.at {
		return nil, fmt.Errorf("a segment says that it has %d bytes; the file has %d more", size, len(d.data)-d.at)
	}
	segment := d.data[d.at+2 : d.at+size]
	d.at += size
	return segment, nil
}

// read takes up a segment.
func (d *decoder) read(marker byte, segment []byte) error {
	switch marker {
	case baseline, extended, progressive:
		d.progressive = marker == progressive
		return d.frame(segment)
	case huffman:
		return d.huffmanTables(segment)
	case quantization:
		return d.quantizationTables(segment)
	case interval:
		if len(segment) != 2 {
			return errors.New("the restart interval is malformed")
		}
		d.interval = int(binary.BigEndian.Uint16(segment))
	case app0:
		d.jfif = d.jfif || len(segment) >= 5 && string(segment[:5]) == "JFIF\x00"
	case app14:
		if len(segment) >= 12 && string(segment[:5]) == "Adobe" {
			d.adobe, d.transform = true, segment[11]
		}
	case startOfScan:
		return d.scan(segment)
	default:
		if marker > extended && marker < startOfImage && marker != 0xc8 && marker != 0xcc { // lossless, arithmetic, hierarchical
			return ErrUnsupported
		}
	}
	return nil
}

// frame reads the picture's size and components, B.2.2.
func (d *decoder) frame(s []byte) error {
	switch {
	case d.components != nil:
		return errors.New("the file has two frames")
	case len(s) < 6 || len(s) != 6+3*int(s[5]):
		return errors.New("the frame's header is malformed")
	case s[0] != 8 || s[5] != 1 && s[5] != 3:
		return ErrUnsupported
	}
	d.height, d.width = int(binary.BigEndian.Uint16(s[1:])), int(binary.BigEndian.Uint16(s[3:]))
	if d.height == 0 || d.width == 0 {
		return ErrUnsupported // the height may follow the first scan
	}
	for s = s[6:]; len(s) > 0; s = s[3:] {
		c := &component{id: s[0], h: int(s[1] >> 4), v: int(s[1] & 15), quant: int(s[2])}
		if c.h < 1 || c.h > 4 || c.v < 1 || c.v > 4 || c.quant > 3 {
			return errors.New("a component's header is malformed")
		}
		d.maxH, d.maxV = max(d.maxH, c.h), max(d.maxV, c.v)
		d.components = append(d.components, c)
	}
	if len(d.components) == 1 { // factors mean nothing then, A.2.2
		d.components[0].h, d.components[0].v, d.maxH, d.maxV = 1, 1, 1, 1
	}
	d.mcusX, d.mcusY = ceilDiv(d.width, 8*d.maxH), ceilDiv(d.height, 8*d.maxV)
	for _, c := range d.components {
		c.width, c.height = ceilDiv(d.width*c.h, d.maxH), ceilDiv(d.height*c.v, d.maxV)
		c.columns, c.lines = d.mcusX*c.h, d.mcusY*c.v
		c.coefficients = make([][64]int16, c.columns*c.lines)
	}
	if !d.known() {
		return ErrUnsupported
	}
	return nil
}

// ceilDiv is a quotient, rounded up.
func ceilDiv(n, by int) int { return (n + by - 1) / by }

// known says whether image.YCbCr has the components' sampling.
func (d *decoder) known() bool {
	if len(d.components) == 1 {
		return true
	}
	_, ok := d.ratio()
	return ok
}

// ratio is how many samples of chroma there are for luma's.
func (d *decoder) ratio() (image.YCbCrSubsampleRatio, bool) {
	y, cb, cr := d.components[0], d.components[1], d.components[2]
	if y.h != d.maxH || y.v != d.maxV || cb.h != cr.h || cb.v != cr.v || y.h%cb.h != 0 || y.v%cb.v != 0 {
		return 0, false
	}
	ratio, ok := map[image.Point]image.YCbCrSubsampleRatio{
		{X: 1, Y: 1}: image.YCbCrSubsampleRatio444, {X: 2, Y: 1}: image.YCbCrSubsampleRatio422,
		{X: 2, Y: 2}: image.YCbCrSubsampleRatio420, {X: 1, Y: 2}: image.YCbCrSubsampleRatio440,
		{X: 4, Y: 1}: image.YCbCrSubsampleRatio411, {X: 4, Y: 2}: image.YCbCrSubsampleRatio410,
	}[image.Pt(y.h/cb.h, y.v/cb.v)]
	return ratio, ok
}

// isRGB says whether three components are red, green and blue, by the marks that libjpeg goes by.
func (d *decoder) isRGB() bool {
	switch {
	case d.jfif:
		return false
	case d.adobe:
		return d.transform == 0
	}
	return d.components[0].id == 'R' && d.components[1].id == 'G' && d.components[2].id == 'B'
}

// quantizationTables reads tables, B.2.4.1.
func (d *decoder) quantizationTables(s []byte) error {
	for len(s) > 0 {
		wide, at := int(s[0]>>4), s[0]&15
		if wide > 1 || at > 3 || len(s) < 1+64*(1+wide) {
			return errors.New("a quantization table is malformed")
		}
		t := new([64]uint16)
		for i := range t {
			if wide == 1 {
				t[i] = binary.BigEndian.Uint16(s[1+2*i:])
			} else {
				t[i] = uint16(s[1+i])
			}
		}
		d.quant[at] = t
		s = s[1+64*(1+wide):]
	}
	return nil
}

// picture makes samples from the coefficients.
func (d *decoder) picture() (image.Image, error) {
	bounds := image.Rect(0, 0, d.width, d.height)
	if len(d.components) == 1 {
		samples, stride, err := d.components[0].samples()
		if err != nil {
			return nil, err
		}
		return &image.Gray{Pix: samples, Stride: stride, Rect: bounds}, nil
	}
	if d.isRGB() {
		return nil, ErrUnsupported
	}
	var err error
	out := &image.YCbCr{Rect: bounds}
	out.SubsampleRatio, _ = d.ratio() // else the frame's header was refused
	if out.Y, out.YStride, err = d.components[0].samples(); err != nil {
		return nil, err
	}
	if out.Cb, out.CStride, err = d.components[1].samples(); err != nil {
		return nil, err
	}
	out.Cr, _, err = d.components[2].samples()
	return out, err
}

// samples are the component's values, in lines of stride.
func (c *component) samples() (samples []uint8, stride int, err error) {
	if c.table == nil {
		return nil, 0, errors.New("a component has no pixels")
	}
	stride = 8 * c.columns
	samples = make([]uint8, stride*8*c.lines)
	for i := range c.coefficients {
		inverse(&c.coefficients[i], c.table, samples[i/c.columns*8*stride+i%c.columns*8:], stride)
	}
	return samples, stride, nil
}

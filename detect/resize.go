package detect

import (
	"image"
	"math"
)

// weightBits is the precision of the weights of a pixel's neighbours.
const weightBits = 11

// resize scales a picture as cv2.resize does with INTER_LINEAR, to the bit: weights of 11 bits, a sum of two rows that
// drops bits of each product, and the mean of four pixels where both sides are halved. It gives width x height pixels
// of red, green and blue.
func resize(src *image.RGBA, width, height int) []uint8 {
	size := src.Rect.Size()
	switch {
	case size == image.Pt(width, height):
		return packed(src)
	case size == image.Pt(2*width, 2*height):
		return halved(src)
	}
	dst := make([]uint8, 0, width*height*channels)
	columns := neighbours(size.X, width)
	for i := range columns { // at the edges, the first and the last pixel have all the weight
		switch c := &columns[i]; {
		case c.at < 0:
			*c = neighbour{0, 1 << weightBits, 0}
		case c.at >= size.X-1:
			*c = neighbour{size.X - 1, 1 << weightBits, 0}
		}
	}
	above, below := row{y: -1}, row{y: -1}
	for _, n := range neighbours(size.Y, height) {
		y0, y1 := min(max(n.at, 0), size.Y-1), min(max(n.at+1, 0), size.Y-1)
		if above.y != y0 {
			above, below = below, above
		}
		above.scale(src, y0, columns)
		below.scale(src, y1, columns)
		for i, a := range above.sums {
			dst = append(dst, uint8(((a>>4*n.first)>>16+(below.sums[i]>>4*n.second)>>16+2)>>2))
		}
	}
	return dst
}

// neighbour is the first of the two pixels that a new one is made from, and their weights.
type neighbour struct {
	at            int
	first, second int32
}

// neighbours gives for each new pixel of a line the old ones that it is made from. at may be -1 or the last one.
func neighbours(from, to int) []neighbour {
	list := make([]neighbour, to)
	scale := 1 / (float64(to) / float64(from))
	for i := range list {
		centre := float32(float64((float64(i)+0.5)*scale) - 0.5)
		at := float32(math.Floor(float64(centre)))
		part := centre - at
		list[i] = neighbour{int(at), weight(1 - part), weight(part)}
	}
	return list
}

// weight is a share in units of 2^-11.
func weight(share float32) int32 { return int32(math.RoundToEven(float64(share * (1 << weightBits)))) }

// row is a line of a picture that was scaled horizontally.
type row struct {
	y    int
	sums []int32
}

// scale scales line y, unless the row holds it already.
func (r *row) scale(src *image.RGBA, y int, columns []neighbour) {
	if r.y == y {
		return
	}
	r.y = y
	if r.sums == nil {
		r.sums = make([]int32, channels*len(columns))
	}
	line := src.Pix[y*src.Stride:]
	for x, n := range columns {
		first := line[4*n.at:][:4]
		second := first
		if n.second != 0 { // the last pixel has no next one
			second = line[4*n.at+4:][:4]
		}
		for c := range channels {
			r.sums[channels*x+c] = int32(first[c])*n.first + int32(second[c])*n.second
		}
	}
}

// halved gives the mean of each two by two pixels.
func halved(src *image.RGBA) []uint8 {
	size := src.Rect.Size().Div(2)
	dst := make([]uint8, 0, size.X*size.Y*channels)
	for y := range size.Y {
		above, below := src.Pix[2*y*src.Stride:], src.Pix[(2*y+1)*src.Stride:]
		for x := range size.X {
			for i := 8 * x; i < 8*x+channels; i++ {
				sum := int(above[i]) + int(above[i+4]) + int(below[i]) + int(below[i+4])
				dst = append(dst, uint8((sum+2)>>2))
			}
		}
	}
	return dst
}

// packed gives the pixels as they are.
func packed(src *image.RGBA) []uint8 {
	size := src.Rect.Size()
	dst := make([]uint8, 0, size.X*size.Y*channels)
	for y := range size.Y {
		line := src.Pix[y*src.Stride:]
		for x := range size.X {
			dst = append(dst, line[4*x:][:channels]...)
		}
	}
	return dst
}

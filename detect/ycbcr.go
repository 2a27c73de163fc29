package detect

import "image"

// fromYCbCr makes RGB from a JPEG picture's planes as libjpeg does, and so OpenCV, Pillow and browsers: chroma that was
// halved is interpolated, three parts of the nearer sample and one of the next, where Go's own conversion repeats it.
// The numbers are those of libjpeg's jdsample.c and of ITU-T T.871 in 16 bits after the point.
func fromYCbCr(dst *image.RGBA, src *image.YCbCr) {
	size := src.Rect.Size()
	luma := newPlane(src.Y[src.YOffset(src.Rect.Min.X, src.Rect.Min.Y):], src.YStride, size.X, size.Y)
	offset := src.COffset(src.Rect.Min.X, src.Rect.Min.Y)
	cb, cr := newChroma(src, src.Cb[offset:]), newChroma(src, src.Cr[offset:])
	for y := range size.Y {
		light, blue, red := luma.row(y), cb.row(y), cr.row(y)
		line := dst.Pix[y*dst.Stride:]
		for x := range size.X {
			l, b, r := int32(light[x]), int32(blue[x])-128, int32(red[x])-128
			pixel := line[4*x:][:4]
			pixel[0] = clamped(l + (91881*r+1<<15)>>16)
			pixel[1] = clamped(l + (-22554*b-46802*r+1<<15)>>16)
			pixel[2] = clamped(l + (116130*b+1<<15)>>16)
			pixel[3] = 0xff
		}
	}
}

func clamped(v int32) uint8 { return uint8(min(max(v, 0), 255)) }

// plane is one component of a picture.
type plane struct {
	samples               []uint8
	stride, width, height int
}

func newPlane(samples []uint8, stride, width, height int) plane {
	return plane{samples, stride, width, height}
}

// row is a line of the plane.
func (p plane) row(y int) []uint8 { return p.samples[y*p.stride:][:p.width] }

// near is the line at y, or the one at the edge beyond which y lies.
func (p plane) near(y int) []uint8 { return p.row(min(max(y, 0), p.height-1)) }

// chroma is a component that is stored with fewer samples than the picture has pixels.
type chroma struct {
	plane
	across, down int // pixels for each sample
	smooth       bool
	sums         []int32
	line         []uint8
}

func newChroma(src *image.YCbCr, samples []uint8) *chroma {
	c := &chroma{across: 1, down: 1}
	switch src.SubsampleRatio {
	case image.YCbCrSubsampleRatio444:
	case image.YCbCrSubsampleRatio422:
		c.across = 2
	case image.YCbCrSubsampleRatio420:
		c.across, c.down = 2, 2
	case image.YCbCrSubsampleRatio440:
		c.down = 2
	case image.YCbCrSubsampleRatio411:
		c.across = 4
	case image.YCbCrSubsampleRatio410:
		c.across, c.down = 4, 2
	}
	size := src.Rect.Size()
	c.plane = newPlane(samples, src.CStride, (size.X+c.across-1)/c.across, (size.Y+c.down-1)/c.down)
	c.smooth = c.across == 2 && c.width > 2 || c.across == 1 && c.down == 2
	c.sums, c.line = make([]int32, c.width), make([]uint8, c.width*c.across)
	return c
}

// row gives one sample for each pixel of line y, and sometimes one more. It holds until the next call.
func (c *chroma) row(y int) []uint8 {
	nearest := c.plane.row(y / c.down)
	switch {
	case c.across == 1 && c.down == 1:
		return nearest
	case !c.smooth:
		for i, v := range nearest {
			for k := range c.across {
				c.line[i*c.across+k] = v
			}
		}
		return c.line
	}
	scale := int32(1) // of the sums
	for i, v := range nearest {
		c.sums[i] = int32(v)
	}
	if c.down == 2 {
		scale = 4
		for i, v := range c.near(y/2 + y%2*2 - 1) {
			c.sums[i] = 3*c.sums[i] + int32(v)
		}
	}
	if c.across == 1 {
		for i, sum := range c.sums {
			c.line[i] = uint8((sum + 1 + int32(y%2)) >> 2)
		}
		return c.line
	}
	c.double(scale)
	return c.line
}

// double interpolates the sums horizontally. Halves are rounded up and down in turn, so that no picture gets lighter.
func (c *chroma) double(scale int32) {
	low, high, bits := int32(1), int32(2), 2
	if scale == 4 {
		low, high, bits = 8, 7, 4
	}
	last := len(c.sums) - 1
	for i, sum := range c.sums {
		before, after := c.sums[max(i-1, 0)], c.sums[min(i+1, last)]
		c.line[2*i] = uint8((3*sum + before + low) >> bits)
		c.line[2*i+1] = uint8((3*sum + after + high) >> bits)
	}
}

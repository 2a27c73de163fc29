package detect

import (
	"image"
	"math"
)

// grey is what is around a letterboxed picture.
const grey = 114

// unit gives the value of a byte of a picture in a tensor, 0 to 1.
var unit = func() (values [256]float32) {
	for i := range values {
		values[i] = float32(i) / 255
	}
	return values
}()

// Letterboxed is a picture as a file takes it: scaled with its sides' ratio kept, centred on grey.
type Letterboxed struct {
	Values        []float32 // [3, Height, Width], red, green, blue, 0 to 1
	Height, Width int
}

// letterbox scales a picture as large as it fits into width and height. Where stride has a number, the padding is only
// what makes the side a multiple of it. Rounding is that of utils/augmentations.py in YOLOv5 v7.0.
func letterbox(picture *image.RGBA, width, height int, stride image.Point) *Letterboxed {
	size := picture.Rect.Size()
	gain := min(float64(height)/float64(size.Y), float64(width)/float64(size.X))
	inner := image.Pt( // a picture that is all but a line keeps one pixel
		max(int(math.RoundToEven(float64(size.X)*gain)), 1),
		max(int(math.RoundToEven(float64(size.Y)*gain)), 1))
	padX, padY := width-inner.X, height-inner.Y
	if stride.X > 0 {
		padX %= stride.X
	}
	if stride.Y > 0 {
		padY %= stride.Y
	}
	l := &Letterboxed{Height: inner.Y + padY, Width: inner.X + padX}
	l.Values = make([]float32, channels*l.Height*l.Width)
	for i := range l.Values {
		l.Values[i] = unit[grey]
	}
	left, top := int(math.RoundToEven(float64(padX)/2-0.1)), int(math.RoundToEven(float64(padY)/2-0.1))
	pixels := resize(picture, inner.X, inner.Y)
	plane := l.Height * l.Width
	for y := range inner.Y {
		row := pixels[y*inner.X*channels:][:inner.X*channels]
		at := (top+y)*l.Width + left
		red, green, blue := l.Values[at:][:inner.X], l.Values[plane+at:][:inner.X], l.Values[2*plane+at:][:inner.X]
		for x := range inner.X {
			red[x], green[x], blue[x] = unit[row[channels*x]], unit[row[channels*x+1]], unit[row[channels*x+2]]
		}
	}
	return l
}

// original gives a box of the input in pixels of the picture, which has this size. The arithmetic is that of
// utils/general.py in YOLOv5 v7.0, in float32.
func (l *Letterboxed) original(box [4]float32, size image.Point) [4]float32 {
	w, h := float64(size.X), float64(size.Y)
	gain := min(float64(l.Height)/h, float64(l.Width)/w)
	pad := [2]float32{
		float32((float64(l.Width) - float64(w*gain)) / 2),
		float32((float64(l.Height) - float64(h*gain)) / 2),
	}
	limit := [2]float32{float32(size.X), float32(size.Y)}
	for i, v := range box {
		box[i] = min(max((v-pad[i%2])/float32(gain), 0), limit[i%2])
	}
	return box
}

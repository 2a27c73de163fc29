// Package overlay draws detections into a picture: a box in its class's colour, labelled with name and score, and points in it.
package overlay

import (
	"cmp"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"math"
	"slices"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"

	"ysc2onnx/detect"
)

// Style says how boxes look.
type Style struct {
	font *opentype.Font
}

// NewStyle makes a style from the bytes of a TrueType or OpenType font, or of the first one of a collection. nil stands
// for Go's own, which has Latin, Greek and Cyrillic letters. A name with letters that the font lacks is drawn as the
// number of its class.
func NewStyle(fontFile []byte) (*Style, error) {
	if fontFile == nil {
		fontFile = gobold.TTF
	}
	collection, err := opentype.ParseCollection(fontFile)
	if err != nil {
		return nil, fmt.Errorf("the font cannot be read: %w", err)
	}
	if collection.NumFonts() < 1 {
		return nil, errors.New("the font file holds no font")
	}
	f, err := collection.Font(0)
	if err != nil {
		return nil, fmt.Errorf("the font cannot be read: %w", err)
	}
	return &Style{f}, nil
}

// Draw draws detections into a picture; better ones lie over worse ones. Lines and letters grow with the picture.
func (s *Style) Draw(picture *image.RGBA, found []detect.Detection) error {
	size := picture.Rect.Size()
	mean := float64(size.X+size.Y) / 2
	line := max(int(math.Round(mean*0.003)), 2)
	face, err := opentype.NewFace(s.font, &opentype.FaceOptions{Size: max(mean*0.019, 11), DPI: 72, Hinting: font.HintingFull})
	if err != nil {
		return fmt.Errorf("the font cannot be scaled: %w", err)
	}
	defer func() { _ = face.Close() }() // it holds no more than memory
	worstFirst := slices.SortedStableFunc(slices.Values(found), func(a, b detect.Detection) int { return cmp.Compare(a.Score, b.Score) })
	for _, d := range worstFirst {
		frame(picture, rounded(d.Box), line, Color(d.Class))
	}
	for _, d := range worstFirst { // no box's line covers a point
		for _, p := range d.Landmarks {
			dot(picture, p, line, Color(d.Class))
		}
	}
	for _, d := range worstFirst { // no box's line crosses a label
		s.label(picture, face, d, line)
	}
	return nil
}

// rounded is a box in whole pixels.
func rounded(box [4]float32) image.Rectangle {
	at := func(v float32) int { return int(math.Round(float64(v))) }
	return image.Rect(at(box[0]), at(box[1]), at(box[2]), at(box[3]))
}

// frame draws the outline of a box, within it.
func frame(picture *image.RGBA, box image.Rectangle, width int, c color.Color) {
	box = box.Intersect(picture.Rect)
	inner := box.Inset(width)
	if inner.Empty() {
		fillRect(picture, box, c)
		return
	}
	for _, side := range []image.Rectangle{
		{box.Min, image.Pt(box.Max.X, inner.Min.Y)}, {image.Pt(box.Min.X, inner.Max.Y), box.Max},
		{image.Pt(box.Min.X, inner.Min.Y), image.Pt(inner.Min.X, inner.Max.Y)},
		{image.Pt(inner.Max.X, inner.Min.Y), image.Pt(box.Max.X, inner.Max.Y)},
	} {
		fillRect(picture, side, c)
	}
}

// dot draws a point as a disc.
func dot(picture *image.RGBA, at [2]float32, radius int, c color.Color) {
	x, y := int(math.Round(float64(at[0]))), int(math.Round(float64(at[1])))
	for dy := -radius; dy <= radius; dy++ {
		for dx := -radius; dx <= radius; dx++ {
			if p := image.Pt(x+dx, y+dy); dx*dx+dy*dy <= radius*radius && p.In(picture.Rect) {
				picture.Set(p.X, p.Y, c)
			}
		}
	}
}

func fillRect(picture *image.RGBA, r image.Rectangle, c color.Color) {
	draw.Draw(picture, r, image.NewUniform(c), image.Point{}, draw.Src)
}

// label writes name and score on a ground of the box's colour: above the box if there is room, else within it, and
// never beyond the picture's edge.
func (s *Style) label(picture *image.RGBA, face font.Face, d detect.Detection, line int) {
	text := fmt.Sprintf("%s %.2f", s.name(d), d.Score)
	metrics := face.Metrics()
	pad := max(line, 2)
	width := font.MeasureString(face, text).Ceil() + 2*pad
	height := metrics.Ascent.Ceil() + metrics.Descent.Ceil() + pad
	box := rounded(d.Box)
	at := image.Pt(box.Min.X, box.Min.Y-height)
	if at.Y < picture.Rect.Min.Y {
		at.Y = box.Min.Y
	}
	at.X = max(min(at.X, picture.Rect.Max.X-width), picture.Rect.Min.X)
	at.Y = max(min(at.Y, picture.Rect.Max.Y-height), picture.Rect.Min.Y)
	ground := Color(d.Class)
	fillRect(picture, image.Rectangle{at, at.Add(image.Pt(width, height))}.Intersect(picture.Rect), ground)
	drawer := font.Drawer{
		Dst: picture, Src: image.NewUniform(ink(ground)), Face: face,
		Dot: fixed.P(at.X+pad, at.Y+pad/2+metrics.Ascent.Ceil()),
	}
	drawer.DrawString(text)
}

// name is what a detection is called in the picture: by its number, if the font lacks a letter of its name.
func (s *Style) name(d detect.Detection) string {
	var buffer sfnt.Buffer
	for _, r := range d.Name {
		if i, err := s.font.GlyphIndex(&buffer, r); err != nil || i == 0 {
			return fmt.Sprintf("class %d", d.Class)
		}
	}
	return d.Name
}

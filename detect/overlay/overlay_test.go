package overlay

import (
	"image"
	"image/color"
	"image/draw"
	"math"
	"strings"
	"testing"

	"ysc2onnx/detect"
)

func style(t *testing.T) *Style {
	t.Helper()
	s, err := NewStyle(nil)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// white is a picture of a size.
func white(width, height int) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	draw.Draw(img, img.Rect, image.White, image.Point{}, draw.Src)
	return img
}

// TestDraw looks at pixels: lines are within the box, 2 wide in a picture of this size, and nothing else changes but for
// the label above.
func TestDraw(t *testing.T) {
	img := white(300, 200)
	if err := style(t).Draw(img, []detect.Detection{{Class: 3, Name: "dog", Score: 0.5, Box: [4]float32{100.4, 80, 199.6, 149.7}}}); err != nil {
		t.Fatal(err)
	}
	none, line := color.RGBA{255, 255, 255, 255}, Color(3)
	for at, want := range map[image.Point]color.RGBA{
		{100, 149}: line, {101, 148}: line, {199, 81}: line, {198, 100}: line, {150, 81}: line, {150, 148}: line,
		{99, 149}: none, {200, 100}: none, {150, 150}: none, {102, 147}: none, {150, 82}: none, {197, 100}: none,
		{100, 79}: line, {101, 70}: line, {250, 70}: none, {110, 40}: none, // the label's ground
	} {
		if got := img.RGBAAt(at.X, at.Y); got != want {
			t.Errorf("at %v there is %v, want %v", at, got, want)
		}
	}
	written := 0
	for y := 60; y < 80; y++ {
		for x := 100; x < 200; x++ {
			if c := img.RGBAAt(x, y); c.R < 60 && c.G < 60 && c.B < 60 { // letters have soft edges
				written++
			}
		}
	}
	if written < 50 {
		t.Errorf("%d dark pixels are in the label; a text was expected", written)
	}
}

// TestLandmarks: points are discs of a radius of 2 in a picture of this size, over the lines of boxes, cut off at the edge.
func TestLandmarks(t *testing.T) {
	img := white(300, 200)
	found := []detect.Detection{
		{Class: 3, Name: "face", Score: 0.9, Box: [4]float32{100, 80, 200, 150}, Landmarks: [][2]float32{{149.6, 100.4}, {299.5, 199.5}}},
		{Class: 4, Name: "face", Score: 0.5, Box: [4]float32{149, 60, 250, 170}},
	}
	if err := style(t).Draw(img, found); err != nil {
		t.Fatal(err)
	}
	none, point, line := color.RGBA{255, 255, 255, 255}, Color(3), Color(4)
	for at, want := range map[image.Point]color.RGBA{
		{150, 100}: point, {152, 100}: point, {149, 101}: point, {150, 98}: point, {152, 101}: none, {153, 100}: none,
		{150, 103}: line, {299, 199}: point, {296, 199}: none,
	} {
		if got := img.RGBAAt(at.X, at.Y); got != want {
			t.Errorf("at %v there is %v, want %v", at, got, want)
		}
	}
}

// TestEdges: boxes at and beyond the edges, and pictures smaller than any label, have labels within the picture.
func TestEdges(t *testing.T) {
	s := style(t)
	for _, size := range []image.Point{{1, 1}, {3, 200}, {200, 3}, {400, 300}} {
		img := white(size.X, size.Y)
		w, h := float32(size.X), float32(size.Y)
		for _, box := range [][4]float32{{0, 0, w, h}, {w, h, w, h}, {-5, -5, 2, 2}, {w - 1, 0, w, h}, {10, 10, 10, 10}, {0, 0, 1e9, 1e9}} {
			if err := s.Draw(img, []detect.Detection{{Class: 1, Name: "somewhere", Score: 1, Box: box}}); err != nil {
				t.Fatal(err)
			}
		}
		if img.RGBAAt(0, 0) == (color.RGBA{255, 255, 255, 255}) {
			t.Errorf("%v: nothing is drawn into the corner", size)
		}
	}
}

// TestName: what the font cannot write is drawn as a number.
func TestName(t *testing.T) {
	s := style(t)
	for name, want := range map[string]string{
		"person": "person", "пешеход": "пешеход", "άνθρωπος": "άνθρωπος", "Füße": "Füße", "行人": "class 7", "🚗": "class 7", "a\nb": "class 7",
	} {
		if got := s.name(detect.Detection{Class: 7, Name: name}); got != want {
			t.Errorf("%q is drawn as %q, want %q", name, got, want)
		}
	}
}

func TestNewStyleRefuses(t *testing.T) {
	for _, file := range []string{"x", "ttcf\x00\x01\x00\x00\x00\x00\x00\x00", strings.Repeat("\x00", 100)} {
		if _, err := NewStyle([]byte(file)); err == nil {
			t.Errorf("%q is taken for a font", file)
		}
	}
}

// TestColors: letters have the contrast that WCAG 2 asks for (4.5) on every class's colour, and classes that follow each
// other are far apart. The distance is CIE76 in Lab, where 2.3 is just noticeable: 20 is another colour at a glance.
func TestColors(t *testing.T) {
	for class := range 1000 {
		ground := Color(class)
		if c := contrast(ground, ink(ground)); c < 4.5 {
			t.Errorf("class %d: the contrast of the label is %.2f", class, c)
		}
		for next := class + 1; next < class+6; next++ {
			if d := distance(ground, Color(next)); d < 20 {
				t.Errorf("classes %d and %d are %.1f apart", class, next, d)
			}
		}
	}
	if Color(-1) != Color(0) && Color(-1).A != 255 {
		t.Error("a class below zero has no colour")
	}
}

// FuzzNewStyle: no font makes drawing panic.
func FuzzNewStyle(f *testing.F) {
	f.Add([]byte("ttcf\x00\x01\x00\x00\x00\x00\x00\x01\x00\x00\x00\x10"), "a")
	f.Fuzz(func(_ *testing.T, file []byte, name string) {
		s, err := NewStyle(file)
		if err != nil {
			return
		}
		_ = s.Draw(white(20, 20), []detect.Detection{{Name: name}}) // an error is an answer
	})
}

func linear(v uint32) float64 {
	x := float64(v) / 0xffff
	if x <= 0.04045 {
		return x / 12.92
	}
	return math.Pow((x+0.055)/1.055, 2.4)
}

func contrast(a, b color.Color) float64 {
	luminance := func(c color.Color) float64 {
		r, g, b, _ := c.RGBA()
		return 0.2126*linear(r) + 0.7152*linear(g) + 0.0722*linear(b)
	}
	x, y := luminance(a), luminance(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

func distance(a, b color.Color) float64 {
	lab := func(c color.Color) [3]float64 {
		r0, g0, b0, _ := c.RGBA()
		r, g, b := linear(r0), linear(g0), linear(b0)
		f := func(t float64) float64 {
			if t > 216./24389 {
				return math.Cbrt(t)
			}
			return (24389./27*t + 16) / 116
		}
		x, y, z := f((0.4124*r+0.3576*g+0.1805*b)/0.9505), f(0.2126*r+0.7152*g+0.0722*b), f((0.0193*r+0.1192*g+0.9505*b)/1.089)
		return [3]float64{116*y - 16, 500 * (x - y), 200 * (y - z)}
	}
	p, q := lab(a), lab(b)
	return math.Hypot(math.Hypot(p[0]-q[0], p[1]-q[1]), p[2]-q[2])
}

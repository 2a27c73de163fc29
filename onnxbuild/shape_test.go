package onnxbuild

import (
	"math/rand/v2"
	"testing"
)

// height and width are multiples of 32; batch is any number.
var (
	batch  = Sym(Symbol{Name: "batch", Unit: 1})
	height = Sym(Symbol{Name: "height", Unit: 32})
	width  = Sym(Symbol{Name: "width", Unit: 32})
)

// at is the size that a dimension has when the symbols are the given multiples of their units.
func (d Dim) at(multiples map[string]int64) int64 {
	sum := int64(0)
	for _, t := range d.terms {
		product := t.coef
		for _, s := range t.syms {
			product *= multiples[s.Name]
		}
		sum += product
	}
	return sum
}

func TestDimString(t *testing.T) {
	half, ok := height.FloorDiv(8)
	if !ok {
		t.Fatal("a multiple of 32 cannot be divided by 8")
	}
	for _, c := range []struct {
		dim  Dim
		want string
	}{
		{Dim{}, "0"},
		{D(7), "7"},
		{D(-7), "-7"},
		{batch, "batch"},
		{height, "height"},
		{height.Times(D(2)), "2*height"},
		{half, "height/8"},
		{half.Times(D(3)), "3*height/8"},
		{half.Times(half), "height*height/64"},
		{half.Times(width), "height*width/8"},
		{width.Times(half), "height*width/8"},
		{height.Plus(width).Plus(D(3)), "width+height+3"},
		{height.Plus(D(-1)), "height-1"},
		{height.Times(D(-1)), "-1*height"},
		{height.Plus(height.Times(D(-1))), "0"},
	} {
		if got := c.dim.String(); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

func TestDimEqual(t *testing.T) {
	sum := height.Plus(width)
	for _, c := range []struct {
		a, b  Dim
		equal bool
	}{
		{D(0), Dim{}, true},
		{D(3), D(3), true},
		{D(3), D(4), false},
		{D(32), height, false},
		{sum, width.Plus(height), true},
		{sum.Times(sum), height.Times(height).Plus(height.Times(width).Times(D(2))).Plus(width.Times(width)), true},
		{height.Times(width), height.Times(height), false},
		{batch, Sym(Symbol{Name: "batch", Unit: 2}), false},
	} {
		if got := c.a.Equal(c.b); got != c.equal || c.b.Equal(c.a) != c.equal {
			t.Errorf("%s and %s: equal is %t", c.a, c.b, got)
		}
	}
}

// TestDimArithmetic compares the arithmetic of polynomials with that of the integers which they stand for.
func TestDimArithmetic(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	random := func() Dim {
		d := D(r.Int64N(21) - 10)
		for range r.IntN(4) {
			p := D(r.Int64N(9) - 4)
			for range r.IntN(3) {
				p = p.Times([]Dim{batch, height, width}[r.IntN(3)])
			}
			d = d.Plus(p)
		}
		return d
	}
	divided, exact := 0, 0
	for range 20000 {
		a, b := random(), random()
		at := map[string]int64{"batch": r.Int64N(5) + 1, "height": r.Int64N(5) + 1, "width": r.Int64N(5) + 1}
		x, y := a.at(at), b.at(at)
		if got := a.Plus(b).at(at); got != x+y {
			t.Fatalf("(%s) + (%s) gives %d, want %d", a, b, got, x+y)
		}
		if got := a.Times(b).at(at); got != x*y {
			t.Fatalf("(%s) · (%s) gives %d, want %d", a, b, got, x*y)
		}
		if !a.Times(b).Equal(b.Times(a)) || !a.Plus(b).Equal(b.Plus(a)) {
			t.Fatalf("%s and %s do not commute", a, b)
		}
		n := r.Int64N(8) + 1
		if q, ok := a.FloorDiv(n); ok {
			divided++
			want := x / n
			if x%n < 0 {
				want--
			}
			if got := q.at(at); got != want {
				t.Fatalf("⌊(%s) / %d⌋ gives %d, want %d", a, n, got, want)
			}
		}
		if q, ok := a.DivExact(b); ok {
			exact++
			if !q.Times(b).Equal(a) {
				t.Fatalf("(%s) / (%s) gives %s", a, b, q)
			}
		}
		if q, ok := a.Times(D(3)).Times(height).DivExact(D(3).Times(height)); !ok || !q.Equal(a) {
			t.Fatalf("3·height·(%s) / (3·height) gives %s, %t", a, q, ok)
		}
	}
	if divided < 1000 || exact < 1000 {
		t.Errorf("only %d divisions and %d exact ones were tried", divided, exact)
	}
}

func TestDimDivisionRefused(t *testing.T) {
	if q, ok := height.FloorDiv(64); ok {
		t.Errorf("a multiple of 32 divided by 64 gives %s", q)
	}
	if q, ok := height.FloorDiv(0); ok {
		t.Errorf("division by 0 gives %s", q)
	}
	for _, by := range []Dim{{}, width, height.Plus(D(1)), D(64)} {
		if q, ok := height.DivExact(by); ok {
			t.Errorf("%s / (%s) gives %s", height, by, q)
		}
	}
}

func TestShapeString(t *testing.T) {
	for want, s := range map[string]Shape{
		"scalar":             {},
		"1x3x640x640":        ShapeOf(1, 3, 640, 640),
		"batchx3xheightx640": {batch, D(3), height, D(640)},
	} {
		if got := s.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

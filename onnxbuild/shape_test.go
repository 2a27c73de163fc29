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

// TestAtLeast: what is known of a size whatever its symbols are. A symbol is one unit or more, or where it depends on data,
// may be 0.
func TestAtLeast(t *testing.T) {
	found := Sym(Symbol{Name: "found", Unit: 1, Data: true})
	for _, c := range []struct {
		d    Dim
		n    int64
		want bool
	}{
		{D(3), 3, true}, {D(3), 4, false},
		{batch, 1, true}, {batch, 2, false}, {height, 32, true}, {height, 33, false},
		{height.Plus(D(-2)), 30, true}, {height.Plus(width), 64, true}, {height.Times(width), 1024, true},
		{height.Plus(width.Times(D(-1))), 0, false},
		{found, 0, true}, {found, 1, false}, {found.Plus(D(2)), 2, true}, {found.Times(batch), 1, false},
	} {
		if got := c.d.atLeast(c.n); got != c.want {
			t.Errorf("%s is %d or more: %t", c.d, c.n, got)
		}
	}
}

// TestFoundSizes: a size that depends on data has a name of its own, is not taken for another one, and is not known from
// the sizes of inputs.
func TestFoundSizes(t *testing.T) {
	b := bench{New("test").Build()}
	x := b.in(Sym(Symbol{Name: "found", Unit: 1}), 4) // an input's size of that name is another one, too
	first, second := b.NonZero(x, "found"), b.NonZero(x, "found")
	if got, want := first.Shape.String()+", "+second.Shape.String(), "2xfound_1, 2xfound_2"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if n := first.Dim(1); !n.Data() || x.Dim(0).Data() || !n.Times(D(3)).Plus(D(1)).Data() {
		t.Error("a size does not say where it comes from")
	}
	if _, err := first.Dim(1).At(map[string]int64{"found": 3}); err == nil || err.Error() != "found_1 depends on the elements of an input" {
		t.Errorf("got %v", err)
	}
	for want, f := range map[string]func() *Value{
		"Add: shapes 2xfound_1 and 2xfound_2 do not broadcast":   func() *Value { return b.Add(first, second) },
		"Slice: elements 0 to 1 of axis 1 are outside 2xfound_1": func() *Value { return b.Slice(first, 1, 0, 1) },
		"TopK: axis 1 of 2xfound_1 may not have the [1] elements that are asked for": func() *Value {
			v, _ := b.TopK(b.Cast(first, Float32), 1, 1)
			return v
		},
		"Gather: index 0 is outside axis 1 of 2xfound_1": func() *Value { return b.Gather(first, b.Int("i", 0), 1) },
	} {
		if v := f(); !v.Refused() {
			t.Errorf("not refused: %s", want)
		}
		if err := b.Graph.TakeErr(); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

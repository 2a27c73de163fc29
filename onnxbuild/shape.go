package onnxbuild

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Symbol is a size known only when the model runs: a positive multiple of Unit. An image height that must be a
// multiple of 32 is Symbol{Name: "height", Unit: 32}.
type Symbol struct {
	Name string
	Unit int64
	// Data says that not even the sizes of the inputs tell: how many elements an operator finds depends on what they are.
	// There may be none.
	Data bool
}

// Dim is one dimension: a polynomial with integer coefficients in the multiples of symbols. The height of an image
// is 32·h, that of its stride-8 map is 4·h, and 3·4h·4w counts the anchors there. A static dimension is a constant
// polynomial. The zero Dim is the constant 0.
type Dim struct {
	terms []term // sorted by symbols, no zero coefficient, each product once
}

type term struct {
	coef int64
	syms []Symbol // sorted by name; empty for the constant term
}

// D is the static dimension n.
func D(n int64) Dim {
	if n == 0 {
		return Dim{}
	}
	return Dim{terms: []term{{coef: n}}}
}

// Sym is the dimension s itself, that is Unit times its multiple.
func Sym(s Symbol) Dim { return Dim{terms: []term{{coef: s.Unit, syms: []Symbol{s}}}} }

// Static gives the size of a static dimension; ok is false for a symbolic one.
func (d Dim) Static() (n int64, ok bool) {
	switch {
	case len(d.terms) == 0:
		return 0, true
	case len(d.terms) == 1 && len(d.terms[0].syms) == 0:
		return d.terms[0].coef, true
	}
	return 0, false
}

// Equal reports whether two dimensions are the same for every value of their symbols.
func (d Dim) Equal(o Dim) bool {
	return slices.EqualFunc(d.terms, o.terms, func(a, b term) bool {
		return a.coef == b.coef && slices.Equal(a.syms, b.syms)
	})
}

// Is reports whether d is the static size n.
func (d Dim) Is(n int64) bool {
	k, ok := d.Static()
	return ok && k == n
}

// Data reports whether d depends on the elements of an input, and not on its sizes alone.
func (d Dim) Data() bool { return slices.ContainsFunc(d.terms, term.data) }

func (t term) data() bool { return slices.ContainsFunc(t.syms, func(s Symbol) bool { return s.Data }) }

// atLeast reports whether d is n or more for every value of its symbols.
func (d Dim) atLeast(n int64) bool {
	least := int64(0)
	for _, t := range d.terms {
		switch {
		case len(t.syms) > 0 && t.coef < 0:
			return false // as far as is known
		case !t.data():
			least += t.coef
		}
	}
	return least >= n
}

// Plus is d + o.
func (d Dim) Plus(o Dim) Dim { return normal(append(slices.Clone(d.terms), o.terms...)) }

// Times is d · o.
func (d Dim) Times(o Dim) Dim {
	var out []term
	for _, a := range d.terms {
		for _, b := range o.terms {
			syms := append(slices.Clone(a.syms), b.syms...)
			slices.SortFunc(syms, func(x, y Symbol) int { return strings.Compare(x.Name, y.Name) })
			out = append(out, term{a.coef * b.coef, syms})
		}
	}
	return normal(out)
}

// FloorDiv is ⌊d / n⌋ where that is again a polynomial: n must divide every symbolic term.
func (d Dim) FloorDiv(n int64) (Dim, bool) {
	if n <= 0 {
		return Dim{}, false
	}
	out := make([]term, 0, len(d.terms))
	for _, t := range d.terms {
		q := t.coef / n
		if t.coef%n != 0 {
			if len(t.syms) > 0 {
				return Dim{}, false
			}
			if t.coef < 0 {
				q-- // round towards minus infinity
			}
		}
		out = append(out, term{q, t.syms})
	}
	return normal(out), true
}

// DivExact is d / o where o is a single product that divides every term.
func (d Dim) DivExact(o Dim) (Dim, bool) {
	if len(o.terms) != 1 || o.terms[0].coef == 0 {
		return Dim{}, false
	}
	by := o.terms[0]
	out := make([]term, 0, len(d.terms))
	for _, t := range d.terms {
		if t.coef%by.coef != 0 {
			return Dim{}, false
		}
		syms := slices.Clone(t.syms)
		for _, s := range by.syms {
			i := slices.Index(syms, s)
			if i < 0 {
				return Dim{}, false
			}
			syms = slices.Delete(syms, i, i+1)
		}
		out = append(out, term{t.coef / by.coef, syms})
	}
	return normal(out), true
}

// At is the size of d where the symbols have the given sizes, by name; each must be a multiple of its unit.
func (d Dim) At(sizes map[string]int64) (int64, error) {
	sum := int64(0)
	for _, t := range d.terms {
		product := t.coef
		for _, s := range t.syms {
			size, ok := sizes[s.Name]
			if s.Data && !ok {
				return 0, fmt.Errorf("%s depends on the elements of an input", s.Name)
			}
			if !ok || size%s.Unit != 0 {
				return 0, fmt.Errorf("%s is %d, expected a multiple of %d", s.Name, size, s.Unit)
			}
			product *= size / s.Unit
		}
		sum += product
	}
	return sum, nil
}

// String is the size, or for a symbolic dimension a formula such as "height/8".
func (d Dim) String() string {
	if len(d.terms) == 0 {
		return "0"
	}
	parts := make([]string, len(d.terms))
	for i, t := range d.terms {
		parts[i] = t.String()
	}
	return strings.ReplaceAll(strings.Join(parts, "+"), "+-", "-")
}

func (t term) String() string {
	if len(t.syms) == 0 {
		return strconv.FormatInt(t.coef, 10)
	}
	num, den := t.coef, int64(1)
	names := make([]string, len(t.syms))
	for i, s := range t.syms {
		den *= s.Unit
		names[i] = s.Name
	}
	g := gcd(num, den)
	num, den = num/g, den/g
	text := strings.Join(names, "*")
	if num != 1 {
		text = fmt.Sprintf("%d*%s", num, text)
	}
	if den != 1 {
		text = fmt.Sprintf("%s/%d", text, den)
	}
	return text
}

func gcd(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	if a < 0 {
		return -a
	}
	return a
}

// normal sorts terms, adds those of one product and drops the zeros.
func normal(terms []term) Dim {
	key := func(t term) string {
		var sb strings.Builder
		for _, s := range t.syms {
			sb.WriteString(s.Name)
			sb.WriteByte('*')
		}
		return sb.String()
	}
	slices.SortStableFunc(terms, func(a, b term) int { return strings.Compare(key(b), key(a)) })
	var out []term
	for _, t := range terms {
		if n := len(out); n > 0 && slices.Equal(out[n-1].syms, t.syms) {
			out[n-1].coef += t.coef
		} else {
			out = append(out, t)
		}
	}
	return Dim{terms: slices.DeleteFunc(out, func(t term) bool { return t.coef == 0 })}
}

// Shape is a list of dimensions, outermost first. The empty shape is that of a scalar.
type Shape []Dim

// ShapeOf is the static shape with the given sizes.
func ShapeOf(sizes ...int64) Shape {
	s := make(Shape, len(sizes))
	for i, n := range sizes {
		s[i] = D(n)
	}
	return s
}

// Static gives the sizes of a shape without symbols; ok is false for any other.
func (s Shape) Static() (sizes []int64, ok bool) {
	sizes = make([]int64, len(s))
	for i, d := range s {
		if sizes[i], ok = d.Static(); !ok {
			return nil, false
		}
	}
	return sizes, true
}

// Elements is the number of elements, the product of the dimensions.
func (s Shape) Elements() Dim {
	n := D(1)
	for _, d := range s {
		n = n.Times(d)
	}
	return n
}

// has reports whether a symbol of that name is in the shape.
func (s Shape) has(name string) bool {
	return slices.ContainsFunc(s, func(d Dim) bool {
		return slices.ContainsFunc(d.terms, func(t term) bool {
			return slices.ContainsFunc(t.syms, func(s Symbol) bool { return s.Name == name })
		})
	})
}

// maxElements bounds tensors, so that sums and products of sizes do not overflow.
const maxElements = 1 << 40

// check refuses shapes that no tensor has. The error goes on from the tensor's name.
func (s Shape) check() error {
	n := int64(1)
	for _, d := range s {
		for _, t := range d.terms {
			if t.coef > maxElements || t.coef < -maxElements {
				return fmt.Errorf("would be %s: that is too large", s)
			}
		}
		size, static := d.Static()
		switch {
		case static && size < 0:
			return fmt.Errorf("would be %s: a size is negative", s)
		case static && size > 0 && n > maxElements/size:
			return fmt.Errorf("would be %s: that is too large", s)
		case static:
			n *= size
		}
	}
	return nil
}

// Equal reports whether two shapes have equal dimensions.
func (s Shape) Equal(o Shape) bool { return slices.EqualFunc(s, o, Dim.Equal) }

// String is the shape as "1x256x40x40", "scalar" for the empty one.
func (s Shape) String() string {
	if len(s) == 0 {
		return "scalar"
	}
	parts := make([]string, len(s))
	for i, d := range s {
		parts[i] = d.String()
	}
	return strings.Join(parts, "x")
}

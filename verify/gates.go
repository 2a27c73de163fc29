package verify

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"ysc2onnx/verify/engine"
)

// A gate compares two values that depend on the input: ScConv's r >= t. The last bit of r can decide it, and two right
// programs then go on with different numbers. A gate decided the other way is a flip.

// gateWindow is how near to each other two compared values must be for rounding to decide between them, as a part of
// the layers' tolerance, relative to the largest of the values: 1e-6 by default, some ten units in the last place.
const gateWindow = 0.01

// Gates are the discontinuous gates of a file, and how the reference decided them.
type Gates struct {
	Comparisons int    `json:"comparisons"`     // pairs of values that the file compares
	Decisions   int    `json:"decisions"`       // elements compared; 0 where all values agreed and none was looked at
	Near        int    `json:"near"`            // of them within rounding of each other: those that can flip
	Differ      int    `json:"differ"`          // of them decided otherwise by the other file; 0 of a recording, which does not say
	Flips       []Flip `json:"flips,omitempty"` // decided the other way by the reference: known of a file, found by trying of a recording
	Runs        int    `json:"runs"`            // how often the file was run to find that out
	Note        string `json:"note,omitempty"`  // why something is not attributed to flips
}

// Flip is one gate that the reference decided the other way.
type Flip struct {
	Gate  string  `json:"gate"` // name of the comparing node
	Index []int64 `json:"index"`
	Got   Number  `json:"got"`   // what is compared
	Limit Number  `json:"limit"` // with this
}

// gate is a pair of values that one or several nodes compare.
type gate struct {
	name     string   // of the first node, or what it makes
	a, b     string   // the values
	outputs  []string // of the nodes that compare them
	tieAbove bool     // equal values are decided as a > b is
}

// maxGates bounds the gates of a file. In one with more, what the rest decide is not a flip.
const maxGates = 1 << 12

// gates finds the comparisons in a file's main graph that the input decides. Gates inside other graphs (If, Loop) are not
// looked at, nor are other discontinuous operators, such as Round or ArgMax.
func (f *Facts) gates() []gate {
	fed := map[string]bool{}
	for _, in := range f.Inputs {
		fed[in.Name] = true
	}
	var list []gate
	at := map[[2]string]int{}
	for _, n := range f.nodes {
		if !slices.ContainsFunc(n.inputs, func(in string) bool { return fed[in] }) {
			continue
		}
		for _, out := range n.outputs {
			fed[out] = true
		}
		if n.domain != "" || len(n.inputs) != 2 || len(n.outputs) != 1 {
			continue
		}
		tieAbove := false
		switch n.op {
		case "GreaterOrEqual", "Less":
			tieAbove = true
		case "Greater", "LessOrEqual":
		default:
			continue
		}
		if v := f.values[n.inputs[0]]; v.DType != engine.Undefined && v.DType != engine.Float32 {
			continue
		}
		pair := [2]string{n.inputs[0], n.inputs[1]}
		i, known := at[pair]
		if !known && len(list) == maxGates {
			continue
		}
		if !known {
			i, at[pair] = len(list), len(list)
			list = append(list, gate{name: cmp.Or(n.name, n.outputs[0]), a: pair[0], b: pair[1], tieAbove: tieAbove})
		}
		list[i].outputs = append(list[i].outputs, n.outputs[0])
	}
	return list
}

// merged joins gates that compare the same value with equal ones: PyTorch writes the threshold of r >= t and r < t twice.
func merged(gates []gate, values map[string]engine.Tensor) []gate {
	var list []gate
	for _, g := range gates {
		i := slices.IndexFunc(list, func(h gate) bool {
			x, y := values[h.b], values[g.b]
			return h.a == g.a && slices.Equal(x.Shape, y.Shape) && slices.Equal(x.Floats, y.Floats)
		})
		if i < 0 {
			list = append(list, g)
			continue
		}
		list[i].outputs = append(list[i].outputs, g.outputs...)
	}
	return list
}

// compared are the values that gates compare.
func (f *Facts) compared(gates []gate) []engine.IO {
	var list []engine.IO
	seen := map[string]bool{}
	for _, g := range gates {
		for _, name := range []string{g.a, g.b} {
			if seen[name] {
				continue
			}
			v, made := f.values[name]
			if !made {
				v = engine.IO{Name: name} // an input or an initializer
			}
			list, seen[name] = append(list, v), true
		}
	}
	return list
}

// upstream is all that a value is computed from, itself included.
func (f *Facts) upstream(value string) map[string]bool {
	of := map[string]bool{value: true}
	for _, n := range slices.Backward(f.nodes) {
		if slices.ContainsFunc(n.outputs, func(out string) bool { return of[out] }) {
			for _, in := range n.inputs {
				of[in] = true
			}
		}
	}
	return of
}

// decided is a gate with the values that were compared in a run.
type decided struct {
	gate
	x, y   engine.Tensor
	shape  []int64
	window float64
}

// decide reads a gate's values out of a run: nil where they are not floating-point numbers or do not fit.
func (g gate) decide(values map[string]engine.Tensor, tolerance float64) *decided {
	d := &decided{gate: g, x: values[g.a], y: values[g.b]}
	if d.x.Floats == nil || d.y.Floats == nil {
		return nil
	}
	var ok bool
	if d.shape, ok = broadcast(d.x.Shape, d.y.Shape); !ok {
		return nil
	}
	largest := 0.0
	for _, t := range []engine.Tensor{d.x, d.y} {
		for _, v := range t.Floats {
			if a := math.Abs(float64(v)); a <= math.MaxFloat32 {
				largest = max(largest, a)
			}
		}
	}
	d.window = gateWindow * tolerance * largest
	return d
}

// broadcast gives the shape of an operator over two shapes, by ONNX's and NumPy's rule.
func broadcast(a, b []int64) ([]int64, bool) {
	if len(a) < len(b) {
		a, b = b, a
	}
	shape := slices.Clone(a)
	skip := len(a) - len(b)
	for i, n := range b {
		switch m := a[skip+i]; {
		case m == 1:
			shape[skip+i] = n
		case n != 1 && n != m:
			return nil, false
		}
	}
	return shape, true
}

// size is the number of elements that a gate decides.
func (d *decided) size() int {
	n, _ := engine.Elements(d.shape) // the values themselves fit in memory
	return int(n)
}

// at gives the two values that element i compares.
func (d *decided) at(i int) (x, y float32) {
	return d.x.Floats[offset(i, d.shape, d.x.Shape)], d.y.Floats[offset(i, d.shape, d.y.Shape)]
}

// offset is where an element of a broadcast shape reads a tensor of a smaller one.
func offset(flat int, shape, of []int64) int {
	switch n, _ := engine.Elements(of); {
	case n == 1:
		return 0
	case slices.Equal(of, shape):
		return flat
	}
	at := position(int64(flat), shape)[len(shape)-len(of):]
	to := int64(0)
	for i, n := range of {
		to *= n
		if n > 1 {
			to += at[i]
		}
	}
	return int(to)
}

// above is how element i was decided.
func (d *decided) above(i int) bool {
	x, y := d.at(i)
	return x > y || x == y && d.tieAbove
}

// distance is how far apart the two values of element i are; infinite where one is not finite.
func (d *decided) distance(i int) float64 {
	x, y := d.at(i)
	return difference(float64(x), float64(y))
}

// nearThreshold gives the elements that rounding can decide.
func (d *decided) nearThreshold() []int {
	var list []int
	for i := range d.size() {
		if d.distance(i) <= d.window {
			list = append(list, i)
		}
	}
	return list
}

// flip describes the flip of element i.
func (d *decided) flip(i int) Flip {
	x, y := d.at(i)
	return Flip{Gate: d.name, Index: position(int64(i), d.shape), Got: Number(x), Limit: Number(y)}
}

// String is one line: "/model.2/SRU/Greater[0, 3, 7, 9]: 0.49999997 against 0.5".
func (f Flip) String() string {
	return fmt.Sprintf("%s%s: %v against %v", f.Gate, indexText(f.Index), float32(f.Got), float32(f.Limit))
}

// spots marks the places of a map [N, C, H, W] where a channel is outside a limit.
type spots struct {
	n, h, w int64
	bad     []bool
}

// spots gives nil for what is not a map.
func (j *judged) spots(got engine.Tensor) *spots {
	if len(j.Shape) != 4 {
		return nil
	}
	s := &spots{n: j.Shape[0], h: j.Shape[2], w: j.Shape[3]}
	plane, image := int(s.h*s.w), int(j.Shape[1]*s.h*s.w)
	s.bad = make([]bool, s.n*s.h*s.w)
	for i := range j.want {
		if j.outside(i, got) {
			s.bad[i/image*plane+i%plane] = true
		}
	}
	return s
}

// canReach says whether an outlier lies where element at of a map can reach through a convolution or two: in the same image,
// no more than two places away.
func (s *spots) canReach(at, shape []int64) bool {
	if s == nil || len(shape) != 4 || at[0] >= s.n || shape[2] == 0 || shape[3] == 0 {
		return false
	}
	y, x := at[2]*s.h/shape[2], at[3]*s.w/shape[3]
	for j := max(y-2, 0); j <= min(y+2, s.h-1); j++ {
		for i := max(x-2, 0); i <= min(x+2, s.w-1); i++ {
			if s.bad[(at[0]*s.h+j)*s.w+i] {
				return true
			}
		}
	}
	return false
}

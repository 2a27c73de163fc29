package onnxbuild

import (
	"fmt"
	"math"
	"slices"
)

// Operators that cut and join.
var (
	opSlice  = register(Op{Name: "Slice", infer: inferSlice, eval: evalSlice})
	opSplit  = register(Op{Name: "Split", infer: inferSplit, form: formSplit})
	opConcat = register(Op{Name: "Concat", infer: inferConcat, eval: evalConcat})
)

// Cut is what is taken along one axis: the elements From, From+Step, … before To, or with a negative step those behind To.
// A negative place counts from the end, and one outside is moved to the edge, as in Python. Step 0 stands for 1.
type Cut struct{ Axis, From, To, Step int64 }

// ToEnd is a To behind the last element, and as the From of a negative step the last one.
const ToEnd = math.MaxInt64

// ToStart is the To of a negative step that takes the first element, too.
const ToStart = math.MinInt64

// Slice takes the elements from … to-1 along one axis; all of them must exist.
func (b Builder) Slice(x *Value, along, from, to int64) *Value {
	if a, err := axis(along, len(x.Shape)); err == nil && (from < 0 || from >= to || !x.Shape[a].atLeast(to)) {
		b.Err("Slice: elements %d to %d of axis %d are outside %s", from, to, a, x.Shape)
		return &Value{DType: x.DType, bad: true}
	}
	return b.Slices(x, Cut{Axis: along, From: from, To: to})
}

// Slices cuts along several axes at once.
func (b Builder) Slices(x *Value, cuts ...Cut) *Value {
	var lists [4][]int64
	stepped := false
	for _, c := range cuts {
		if c.Step == 0 {
			c.Step = 1
		}
		stepped = stepped || c.Step != 1
		for i, n := range []int64{c.From, c.To, c.Axis, c.Step} {
			lists[i] = append(lists[i], n)
		}
	}
	inputs := []*Value{x, b.Ints("starts", lists[0]...), b.Ints("ends", lists[1]...), b.Ints("axes", lists[2]...)}
	if stepped {
		inputs = append(inputs, b.Ints("steps", lists[3]...))
	}
	return b.add1(opSlice, nil, inputs...)
}

// Split cuts x along one axis into parts of the given sizes.
func (b Builder) Split(x *Value, axis int64, sizes ...int64) []*Value {
	return slices.Clone(b.add(opSplit, len(sizes), []Attr{{"axis", axis}}, x, b.Ints("split", sizes...)))
}

// Concat joins values along one axis; their other dimensions must be equal.
func (b Builder) Concat(axis int64, parts ...*Value) *Value {
	return b.add1(opConcat, []Attr{{"axis", axis}}, parts...)
}

// cuts reads what a Slice takes: by axis of its input, with the axes' indices.
func (n *Node) cuts() ([]Cut, error) {
	axes, err := n.axisList(3, len(n.Inputs[0].Shape))
	if err != nil {
		return nil, err
	}
	var lists [3][]int64
	for i, from := range []int{1, 2, 4} {
		if from == 4 && n.input(4) == nil {
			lists[i] = slices.Repeat([]int64{1}, len(axes))
		} else if lists[i], err = n.constInts(from); err != nil {
			return nil, err
		}
		if len(lists[i]) != len(axes) || len(axes) == 0 {
			return nil, fmt.Errorf("input %d holds %d numbers for %d axes", from, len(lists[i]), len(axes))
		}
	}
	cuts := make([]Cut, len(axes))
	for i, a := range axes {
		if cuts[i] = (Cut{int64(a), lists[0][i], lists[1][i], lists[2][i]}); cuts[i].Step == 0 {
			return nil, fmt.Errorf("the step along axis %d is 0", a)
		}
	}
	return cuts, nil
}

// clampIndex is the index that a number of a Cut means on an axis of the given size, clamped to low below it and to size+over
// above it. ok is false where that depends on what the size is when the model runs.
func clampIndex(at int64, size Dim, low, over int64) (p Dim, ok bool) {
	n, static := size.Static()
	switch {
	case static:
		if at < 0 {
			at += n
		}
		return D(min(max(at, low), n+over)), true
	case at == ToEnd:
		return size.Plus(D(over)), true
	case at == ToStart:
		return D(low), true
	case at < 0:
		return size.Plus(D(at)), size.atLeast(-at)
	}
	return D(at), size.atLeast(at - over)
}

// taken is the number of elements that a cut takes along an axis.
func (c Cut) taken(size Dim) (Dim, bool) {
	low, over, step := int64(0), int64(0), c.Step
	if step < 0 {
		low, over = -1, -1
	}
	from, ok1 := clampIndex(c.From, size, 0, over)
	to, ok2 := clampIndex(c.To, size, low, over)
	if !ok1 || !ok2 {
		return Dim{}, false
	}
	length := to.Plus(from.Times(D(-1)))
	if step < 0 {
		length, step = length.Times(D(-1)), -step
	}
	count, ok := length.Plus(D(step - 1)).FloorDiv(step)
	if n, static := count.Static(); static {
		return D(max(n, 0)), ok
	}
	return count, ok && length.atLeast(0)
}

func inferSlice(n *Node) ([]Type, error) {
	x := n.Inputs[0]
	cuts, err := n.cuts()
	if err != nil {
		return nil, err
	}
	shape := slices.Clone(x.Shape)
	for _, c := range cuts {
		size, ok := c.taken(x.Shape[c.Axis])
		if !ok {
			return nil, fmt.Errorf("what a cut from %d to %d in steps of %d takes of axis %d of %s is not known before the model runs", c.From, c.To, c.Step, c.Axis, x.Shape)
		}
		if size.Is(0) {
			return nil, fmt.Errorf("from %d to %d in steps of %d there is nothing on axis %d of %s", c.From, c.To, c.Step, c.Axis, x.Shape)
		}
		shape[c.Axis] = size
	}
	t := Type{DType: x.DType, Shape: shape}
	if c := cuts[0]; x.content != nil && len(x.Shape) == 1 {
		from, _ := clampIndex(c.From, x.Shape[0], 0, 0)
		at, _ := from.Static()
		if count, _ := shape[0].Static(); c.Step == 1 {
			t.content = x.content[at : at+count]
		}
	}
	return []Type{t}, nil
}

func evalSlice(n *Node, in []*Array, out Type) (*Array, error) {
	cuts, err := n.cuts()
	if err != nil {
		return nil, err
	}
	shape, _ := out.Shape.Static()
	steps, first := in[0].strides(), int64(0)
	for _, c := range cuts {
		from, _ := clampIndex(c.From, D(in[0].Shape[c.Axis]), 0, min(0, max(-1, c.Step)))
		at, _ := from.Static()
		first += at * steps[c.Axis]
		steps[c.Axis] *= c.Step
	}
	return &Array{out.DType, shape, in[0].gather(shape, steps, first)}, nil
}

func inferSplit(n *Node) ([]Type, error) {
	x := n.Inputs[0]
	sizes, err := n.constInts(1)
	if err != nil {
		return nil, err
	}
	a, err := axis(n.Int("axis", 0), len(x.Shape))
	if err != nil {
		return nil, err
	}
	sum, types := int64(0), make([]Type, len(sizes))
	for i, size := range sizes {
		if size < 0 || size > maxElements {
			return nil, fmt.Errorf("a part of %d cannot be cut", size)
		}
		shape := slices.Clone(x.Shape)
		shape[a] = D(size)
		types[i] = Type{DType: x.DType, Shape: shape}
		sum += size
	}
	if !x.Shape[a].Is(sum) {
		return nil, fmt.Errorf("parts of %v do not add up to axis %d of %s", sizes, a, x.Shape)
	}
	return types, nil
}

// formSplit: before opset 13 the sizes were an attribute.
func formSplit(n *Node, opset int) ([]WireNode, error) {
	w := wire(n)
	if opset < 13 {
		sizes, err := n.constInts(1)
		if err != nil {
			return nil, err
		}
		w.Inputs = w.Inputs[:1]
		w.Attrs = append(slices.Clone(w.Attrs), Attr{"split", sizes})
	}
	return []WireNode{w}, nil
}

func inferConcat(n *Node) ([]Type, error) {
	if len(n.Inputs) == 0 {
		return nil, fmt.Errorf("there is nothing to join")
	}
	first := n.Inputs[0]
	a, err := axis(n.Int("axis", 0), len(first.Shape))
	if err != nil {
		return nil, err
	}
	shape, sum, content := slices.Clone(first.Shape), Dim{}, []Dim(nil)
	for i, v := range n.Inputs {
		same := len(v.Shape) == len(shape) && v.DType == first.DType
		for j := 0; same && j < len(shape); j++ {
			same = j == a || v.Shape[j].Equal(shape[j])
		}
		if !same {
			return nil, fmt.Errorf("input %d is %s %s, input 0 is %s %s: they may differ in axis %d only",
				i, v.DType, v.Shape, first.DType, first.Shape, a)
		}
		sum = sum.Plus(v.Shape[a])
		if v.DType == Int64 {
			content = append(content, v.content...)
		}
	}
	shape[a] = sum
	t := Type{DType: first.DType, Shape: shape}
	if sum.Is(int64(len(content))) && len(content) > 0 {
		t.content = content
	}
	return []Type{t}, nil
}

func evalConcat(n *Node, in []*Array, out Type) (*Array, error) {
	shape, _ := out.Shape.Static()
	a, err := axis(n.Int("axis", 0), len(shape))
	if err != nil {
		return nil, err
	}
	outer := int64(1)
	for _, d := range shape[:a] {
		outer *= d
	}
	r := &Array{DType: out.DType, Shape: shape, Data: make([]float64, 0, (&Tensor{Shape: shape}).Len())}
	for o := range outer {
		for _, part := range in {
			run := int64(len(part.Data)) / outer
			r.Data = append(r.Data, part.Data[o*run:(o+1)*run]...)
		}
	}
	return r, nil
}

package onnxbuild

import (
	"fmt"
	"slices"
)

// Operators that move, cut and join without computing.
var (
	opReshape   = register(Op{Name: "Reshape", infer: inferReshape, eval: evalReshape})
	opTranspose = register(Op{Name: "Transpose", infer: inferTranspose})
	opShape     = register(Op{Name: "Shape", infer: inferShape})
	opSlice     = register(Op{Name: "Slice", infer: inferSlice, eval: evalSlice})
	opSplit     = register(Op{Name: "Split", infer: inferSplit, form: formSplit})
	opConcat    = register(Op{Name: "Concat", infer: inferConcat, eval: evalConcat})
	opExpand    = register(Op{Name: "Expand", infer: inferExpand, eval: evalExpand})
	opRange     = register(Op{Name: "Range", infer: inferRange, eval: evalRange})
	opResize    = register(Op{Name: "Resize", infer: inferResize, form: formResize})
)

// Reshape gives x the shape that an integer list holds; 0 copies the dimension of x at that place, one -1 is what is
// left over.
func (b Builder) Reshape(x, shape *Value) *Value { return b.add1(opReshape, nil, x, shape) }

// Transpose permutes the dimensions: output axis i is input axis perm[i].
func (b Builder) Transpose(x *Value, perm ...int64) *Value {
	return b.add1(opTranspose, []Attr{{"perm", perm}}, x)
}

// Sizes is the list of the sizes of axes from … to-1 of x: a constant where they are static, computed otherwise.
func (b Builder) Sizes(x *Value, from, to int) *Value {
	if x.bad {
		return x
	}
	if sizes, ok := x.Shape[from:to].Static(); ok {
		return b.Ints("sizes", sizes...)
	}
	all := b.add1(opShape, nil, x)
	if from == 0 && to == len(x.Shape) {
		return all
	}
	return b.Slice(all, 0, int64(from), int64(to))
}

// Slice takes the elements from … to-1 along one axis.
func (b Builder) Slice(x *Value, axis, from, to int64) *Value {
	return b.add1(opSlice, nil, x, b.Ints("starts", from), b.Ints("ends", to), b.Ints("axes", axis))
}

// Split cuts x along one axis into parts of the given sizes.
func (b Builder) Split(x *Value, axis int64, sizes ...int64) []*Value {
	return b.add(opSplit, len(sizes), []Attr{{"axis", axis}}, x, b.Ints("split", sizes...))
}

// Concat joins values along one axis; their other dimensions have to be equal.
func (b Builder) Concat(axis int64, parts ...*Value) *Value {
	return b.add1(opConcat, []Attr{{"axis", axis}}, parts...)
}

// Expand broadcasts x to the shape that an integer list holds.
func (b Builder) Expand(x, shape *Value) *Value { return b.add1(opExpand, nil, x, shape) }

// Range is start, start+step, … up to and without limit. All are scalars.
func (b Builder) Range(start, limit, step *Value) *Value {
	return b.add1(opRange, nil, start, limit, step)
}

// Upsample enlarges the last two dimensions of x [N, C, H, W] by whole factors, repeating the nearest pixel.
func (b Builder) Upsample(x *Value, scaleH, scaleW int64) *Value {
	scales := b.Constant("scales", FloatTensor([]int64{4}, []float32{1, 1, float32(scaleH), float32(scaleW)}))
	return b.add1(opResize, []Attr{
		{"coordinate_transformation_mode", "asymmetric"}, {"mode", "nearest"}, {"nearest_mode", "floor"},
	}, x, nil, scales)
}

func inferReshape(n *Node) ([]Type, error) {
	if err := n.needInputs(0, Int64); err != nil {
		return nil, err
	}
	x, want := n.Inputs[0], n.Inputs[1].content
	if want == nil {
		return nil, fmt.Errorf("the new shape is not known")
	}
	shape, rest, hole := make(Shape, len(want)), x.Shape.Elements(), -1
	for i, d := range want {
		switch {
		case d.Is(-1) && hole < 0:
			hole = i
			continue
		case d.Is(-1):
			return nil, fmt.Errorf("the new shape %s leaves two sizes open", Shape(want))
		case d.Is(0) && i < len(x.Shape):
			d = x.Shape[i]
		}
		shape[i] = d
	}
	for i, d := range shape {
		if i == hole {
			continue
		}
		var ok bool
		if rest, ok = rest.DivExact(d); !ok {
			return nil, fmt.Errorf("%s does not fit into the new shape %s", x.Shape, Shape(want))
		}
	}
	if hole >= 0 {
		shape[hole] = rest
	} else if !rest.Is(1) {
		return nil, fmt.Errorf("%s has not as many elements as %s", x.Shape, shape)
	}
	t := Type{DType: x.DType, Shape: shape}
	if len(shape) < 2 {
		t.content = x.content
	}
	return []Type{t}, nil
}

func inferTranspose(n *Node) ([]Type, error) {
	x, perm := n.Inputs[0], n.Ints("perm")
	sorted := slices.Sorted(slices.Values(perm))
	shape := make(Shape, len(perm))
	if len(perm) != len(x.Shape) {
		return nil, fmt.Errorf("%v does not permute the axes of %s", perm, x.Shape)
	}
	for i, p := range perm {
		if sorted[i] != int64(i) {
			return nil, fmt.Errorf("%v does not permute the axes of %s", perm, x.Shape)
		}
		shape[i] = x.Shape[p]
	}
	return one(x.DType, shape)
}

func inferShape(n *Node) ([]Type, error) {
	s := n.Inputs[0].Shape
	return []Type{{Int64, ShapeOf(int64(len(s))), s}}, nil
}

func inferSlice(n *Node) ([]Type, error) {
	x := n.Inputs[0]
	var at [3]int64
	for i := range at {
		list, err := n.constInts(i + 1)
		if err != nil {
			return nil, err
		}
		if len(list) != 1 {
			return nil, fmt.Errorf("input %d holds %d numbers, expected one: a single axis is cut", i+1, len(list))
		}
		at[i] = list[0]
	}
	a, err := axis(at[2], len(x.Shape))
	if err != nil {
		return nil, err
	}
	from, to := at[0], at[1]
	if size, ok := x.Shape[a].Static(); from < 0 || from >= to || ok && to > size {
		return nil, fmt.Errorf("elements %d to %d of axis %d are outside %s", from, to, a, x.Shape)
	}
	shape := slices.Clone(x.Shape)
	shape[a] = D(to - from)
	t := Type{DType: x.DType, Shape: shape}
	if x.content != nil && len(x.Shape) == 1 {
		t.content = x.content[from:to]
	}
	return []Type{t}, nil
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

func inferExpand(n *Node) ([]Type, error) {
	if err := n.needInputs(0, Int64); err != nil {
		return nil, err
	}
	if n.Inputs[1].content == nil {
		return nil, fmt.Errorf("the new shape is not known")
	}
	s, err := broadcast(n.Inputs[0].Shape, Shape(n.Inputs[1].content))
	if err != nil {
		return nil, err
	}
	return one(n.Inputs[0].DType, s)
}

func inferRange(n *Node) ([]Type, error) {
	if err := n.needInputs(Int64, Int64, Int64); err != nil {
		return nil, err
	}
	start, limit, step := n.Inputs[0].content, n.Inputs[1].content, n.Inputs[2].content
	if len(start) != 1 || len(limit) != 1 || len(step) != 1 || !start[0].Is(0) || !step[0].Is(1) {
		return nil, fmt.Errorf("expected to count from 0 in steps of 1 to a known limit")
	}
	return one(Int64, Shape{limit[0]})
}

// maxFactor bounds how much a map can grow.
const maxFactor = 1 << 20

func inferResize(n *Node) ([]Type, error) {
	x, scales := n.Inputs[0], n.Inputs[2]
	if scales == nil || scales.Const == nil {
		return nil, fmt.Errorf("the scales have to be constant")
	}
	factors, err := scales.Const.ReadAll()
	if err != nil {
		return nil, err
	}
	if len(factors) != len(x.Shape) {
		return nil, fmt.Errorf("%d scales were given for %s", len(factors), x.Shape)
	}
	shape := make(Shape, len(x.Shape))
	for i, f := range factors {
		if f < 1 || f > maxFactor || f != float32(int64(f)) {
			return nil, fmt.Errorf("a scale of %g is not a whole factor from 1 to %d", f, maxFactor)
		}
		shape[i] = x.Shape[i].Times(D(int64(f)))
	}
	return one(x.DType, shape)
}

// formResize: at opsets 11 and 12 the region of interest could not be left out; an empty one is ignored there.
func formResize(n *Node, opset int) ([]WireNode, error) {
	w := wire(n)
	if opset < 13 {
		roi := n.Name + "/roi"
		w.Inputs = slices.Clone(w.Inputs)
		w.Inputs[1] = roi
		w.Extra = []*Value{{Name: roi, DType: Float32, Shape: ShapeOf(0), Const: FloatTensor([]int64{0}, nil)}}
	}
	return []WireNode{w}, nil
}

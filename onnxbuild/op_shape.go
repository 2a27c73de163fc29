package onnxbuild

import (
	"fmt"
	"slices"
)

// Operators that give elements another shape or order, or repeat them.
var (
	opReshape   = register(Op{Name: "Reshape", infer: inferReshape, eval: evalReshape})
	opFlatten   = register(Op{Name: "Flatten", infer: inferFlatten, eval: evalReshape})
	opSqueeze   = register(Op{Name: "Squeeze", infer: inferSqueeze, form: formAxes, eval: evalReshape})
	opUnsqueeze = register(Op{Name: "Unsqueeze", infer: inferUnsqueeze, form: formAxes, eval: evalReshape})
	opTranspose = register(Op{Name: "Transpose", infer: inferTranspose, eval: evalTranspose})
	opShape     = register(Op{Name: "Shape", infer: inferShape})
	opExpand    = register(Op{Name: "Expand", infer: inferExpand, eval: evalExpand})
	opTile      = register(Op{Name: "Tile", infer: inferTile, eval: evalTile})
	opRange     = register(Op{Name: "Range", infer: inferRange, eval: evalRange})
)

// formAxes: before opset 13 the axes were an attribute.
var formAxes = axesSince(13, func(w *WireNode, axes Attr) { w.Attrs = append(slices.Clone(w.Attrs), axes) })

// Reshape gives x the shape that an integer list holds; 0 copies the dimension of x at that place, one -1 is what is
// left over.
func (b Builder) Reshape(x, shape *Value) *Value { return b.add1(opReshape, nil, x, shape) }

// Flatten makes a matrix of x: the axes before the given one become its rows, the others its columns.
func (b Builder) Flatten(x *Value, axis int64) *Value {
	return b.add1(opFlatten, []Attr{{"axis", axis}}, x)
}

// Squeeze removes axes, whose size must be 1.
func (b Builder) Squeeze(x *Value, axes ...int64) *Value {
	return b.add1(opSqueeze, nil, x, b.Ints("Squeeze/axes", axes...))
}

// Unsqueeze adds axes of size 1 at the given places of the result.
func (b Builder) Unsqueeze(x *Value, axes ...int64) *Value {
	return b.add1(opUnsqueeze, nil, x, b.Ints("Unsqueeze/axes", axes...))
}

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

// Expand broadcasts x to the shape that an integer list holds.
func (b Builder) Expand(x, shape *Value) *Value { return b.add1(opExpand, nil, x, shape) }

// Tile repeats x along each axis the given number of times.
func (b Builder) Tile(x *Value, repeats ...int64) *Value {
	return b.add1(opTile, nil, x, b.Ints("repeats", repeats...))
}

// Range is start, start+step, … up to and without limit. All are scalars.
func (b Builder) Range(start, limit, step *Value) *Value {
	return b.add1(opRange, nil, start, limit, step)
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
		return nil, fmt.Errorf("%s does not have as many elements as %s", x.Shape, shape)
	}
	t := Type{DType: x.DType, Shape: shape}
	if len(shape) < 2 {
		t.content = x.content
	}
	return []Type{t}, nil
}

func inferFlatten(n *Node) ([]Type, error) {
	x := n.Inputs[0]
	a := int(n.Int("axis", 1))
	if a < 0 || a > len(x.Shape) {
		return nil, fmt.Errorf("axis %d is outside a tensor of rank %d", a, len(x.Shape))
	}
	return single(x.DType, Shape{x.Shape[:a].Elements(), x.Shape[a:].Elements()})
}

func inferSqueeze(n *Node) ([]Type, error) {
	x := n.Inputs[0]
	axes, err := n.axisList(1, len(x.Shape))
	if err != nil {
		return nil, err
	}
	var shape Shape
	for i, d := range x.Shape {
		switch {
		case !slices.Contains(axes, i):
			shape = append(shape, d)
		case !d.Is(1):
			return nil, fmt.Errorf("axis %d of %s cannot be removed: its size is not 1", i, x.Shape)
		}
	}
	return n.carry(shape)
}

func inferUnsqueeze(n *Node) ([]Type, error) {
	x := n.Inputs[0]
	added := n.Inputs[1].Shape.Elements()
	more, _ := added.Static()
	axes, err := n.axisList(1, len(x.Shape)+int(more))
	if err != nil {
		return nil, err
	}
	shape, rest := make(Shape, len(x.Shape)+len(axes)), x.Shape
	for i := range shape {
		if shape[i] = D(1); !slices.Contains(axes, i) {
			shape[i], rest = rest[0], rest[1:]
		}
	}
	return n.carry(shape)
}

// carry is the type of input 0 in another shape, with its content where that shape may have one.
func (n *Node) carry(shape Shape) ([]Type, error) {
	t := Type{DType: n.Inputs[0].DType, Shape: shape}
	if len(shape) < 2 {
		t.content = n.Inputs[0].content
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
	return single(x.DType, shape)
}

func inferShape(n *Node) ([]Type, error) {
	s := n.Inputs[0].Shape
	return []Type{{Int64, ShapeOf(int64(len(s))), s}}, nil
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
	return single(n.Inputs[0].DType, s)
}

func inferTile(n *Node) ([]Type, error) {
	x := n.Inputs[0]
	repeats, err := n.constInts(1)
	if err != nil {
		return nil, err
	}
	if len(repeats) != len(x.Shape) {
		return nil, fmt.Errorf("%d numbers say how often %s is repeated", len(repeats), x.Shape)
	}
	shape := make(Shape, len(x.Shape))
	for i, k := range repeats {
		if k < 1 || k > maxFactor {
			return nil, fmt.Errorf("axis %d cannot be repeated %d times", i, k)
		}
		shape[i] = x.Shape[i].Times(D(k))
	}
	return single(x.DType, shape)
}

func inferRange(n *Node) ([]Type, error) {
	if err := n.needInputs(Int64, Int64, Int64); err != nil {
		return nil, err
	}
	start, limit, step := n.Inputs[0].content, n.Inputs[1].content, n.Inputs[2].content
	if len(start) != 1 || len(limit) != 1 || len(step) != 1 || !start[0].Is(0) || !step[0].Is(1) {
		return nil, fmt.Errorf("expected to count from 0 in steps of 1 to a known limit")
	}
	return single(Int64, Shape{limit[0]})
}

func evalReshape(_ *Node, in []*Array, out Type) (*Array, error) {
	shape, _ := out.Shape.Static()
	return &Array{out.DType, shape, in[0].Data}, nil
}

func evalTranspose(n *Node, in []*Array, out Type) (*Array, error) {
	shape, _ := out.Shape.Static()
	strides, perm := in[0].strides(), n.Ints("perm")
	steps := make([]int64, len(perm))
	for i, p := range perm {
		steps[i] = strides[p]
	}
	return &Array{out.DType, shape, in[0].gather(shape, steps, 0)}, nil
}

func evalExpand(_ *Node, in []*Array, out Type) (*Array, error) {
	shape, _ := out.Shape.Static()
	return &Array{out.DType, shape, in[0].expand(shape)}, nil
}

// evalTile walks over a shape with an axis of repeats before each of the input's.
func evalTile(_ *Node, in []*Array, out Type) (*Array, error) {
	shape, _ := out.Shape.Static()
	var parts, steps []int64
	for i, step := range in[0].strides() {
		parts = append(parts, int64(in[1].Data[i]), in[0].Shape[i])
		steps = append(steps, 0, step)
	}
	return &Array{out.DType, shape, in[0].gather(parts, steps, 0)}, nil
}

func evalRange(_ *Node, _ []*Array, out Type) (*Array, error) {
	shape, _ := out.Shape.Static()
	r := &Array{out.DType, shape, make([]float64, shape[0])}
	for i := range r.Data {
		r.Data[i] = float64(i)
	}
	return r, nil
}

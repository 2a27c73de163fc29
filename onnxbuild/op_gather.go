package onnxbuild

import (
	"fmt"
	"slices"
)

// Operators that take elements by computed indices. A negative index counts from the end.
var (
	opGather         = register(Op{Name: "Gather", infer: inferGather, eval: evalGather})
	opGatherElements = register(Op{Name: "GatherElements", infer: inferGatherElements})
	opGatherND       = register(Op{Name: "GatherND", infer: inferGatherND, form: formGatherND})
)

// Gather takes slices of x along one axis: an index i gives x[…, i, …]. In the result, the axes of indices, which are
// int64 or int32, stand in place of the axis.
func (b Builder) Gather(x, indices *Value, axis int64) *Value {
	return b.add1(opGather, []Attr{{"axis", axis}}, x, indices)
}

// GatherElements takes one element for each index: in two dimensions along axis 1, y[i][j] = x[i][indices[i][j]]. indices
// have the rank of x, and its sizes but along the axis; the result has theirs.
func (b Builder) GatherElements(x, indices *Value, axis int64) *Value {
	return b.add1(opGatherElements, []Attr{{"axis", axis}}, x, indices)
}

// GatherND takes what lists of indices point at: the last axis of indices [b…, i…, k] holds indices into the k axes of x
// [b…, d…] that follow the first batchDims ones, which both have. It gives [b…, i…, what is left of d].
func (b Builder) GatherND(x, indices *Value, batchDims int64) *Value {
	var attrs []Attr
	if batchDims != 0 {
		attrs = []Attr{{"batch_dims", batchDims}}
	}
	return b.add1(opGatherND, attrs, x, indices)
}

func (n *Node) needIndices(types ...DType) error {
	if v := n.input(1); v == nil || !slices.Contains(types, v.DType) {
		return fmt.Errorf("input 1 must be indices, of %v", types)
	}
	return nil
}

func inferGather(n *Node) ([]Type, error) {
	if err := n.needIndices(Int64, Int32); err != nil {
		return nil, err
	}
	x, indices := n.Inputs[0], n.Inputs[1]
	a, err := axis(n.Int("axis", 0), len(x.Shape))
	if err != nil {
		return nil, err
	}
	t := Type{DType: x.DType, Shape: slices.Concat(x.Shape[:a], indices.Shape, x.Shape[a+1:])}
	if c := indices.Const; c != nil && c.Len() <= maxFolded {
		for _, i := range c.Ints {
			if i < -maxElements || i > maxElements || !x.Shape[a].atLeast(max(i+1, -i)) {
				return nil, fmt.Errorf("index %d is outside axis %d of %s", i, a, x.Shape)
			}
			if x.content != nil && len(t.Shape) < 2 {
				t.content = append(t.content, x.content[(int(i)+len(x.content))%len(x.content)])
			}
		}
	}
	return []Type{t}, nil
}

func inferGatherElements(n *Node) ([]Type, error) {
	if err := n.needIndices(Int64, Int32); err != nil {
		return nil, err
	}
	x, indices := n.Inputs[0], n.Inputs[1]
	a, err := axis(n.Int("axis", 0), len(x.Shape))
	if err != nil {
		return nil, err
	}
	same := len(x.Shape) == len(indices.Shape)
	for i := 0; same && i < len(x.Shape); i++ {
		same = i == a || x.Shape[i].Equal(indices.Shape[i])
	}
	if !same {
		return nil, fmt.Errorf("indices of %s do not point along axis %d of %s", indices.Shape, a, x.Shape)
	}
	return single(x.DType, indices.Shape)
}

func inferGatherND(n *Node) ([]Type, error) {
	if err := n.needIndices(Int64); err != nil {
		return nil, err
	}
	x, indices, batch := n.Inputs[0], n.Inputs[1], int(n.Int("batch_dims", 0))
	if len(indices.Shape) == 0 || len(x.Shape) == 0 {
		return nil, fmt.Errorf("indices of %s do not point into %s", indices.Shape, x.Shape)
	}
	k, ok := indices.Dim(-1).Static()
	if !ok || k < 1 || batch < 0 || batch >= len(indices.Shape) || int64(batch)+k > int64(len(x.Shape)) || !x.Shape[:batch].Equal(indices.Shape[:batch]) {
		return nil, fmt.Errorf("indices of %s do not point into %s behind %d axes", indices.Shape, x.Shape, batch)
	}
	return single(x.DType, slices.Concat(indices.Shape[:len(indices.Shape)-1], x.Shape[batch+int(k):]))
}

// formGatherND: axes in common came with opset 12.
func formGatherND(n *Node, opset int) ([]WireNode, error) {
	if batch := n.Int("batch_dims", 0); batch != 0 && opset < 12 {
		return nil, needs(n, 12, "a gathering with %d axes in common", batch)
	}
	return []WireNode{wire(n)}, nil
}

func evalGather(n *Node, in []*Array, out Type) (*Array, error) {
	x, shape := in[0], append([]int64(nil), in[0].Shape...)
	a, err := axis(n.Int("axis", 0), len(shape))
	if err != nil {
		return nil, err
	}
	result, _ := out.Shape.Static()
	r := &Array{DType: out.DType, Shape: result, Data: make([]float64, 0, (&Tensor{Shape: result}).Len())}
	outer, inner := int64(1), int64(1)
	for _, d := range shape[:a] {
		outer *= d
	}
	for _, d := range shape[a+1:] {
		inner *= d
	}
	for o := range outer {
		for _, index := range in[1].Data {
			i := int64(index)
			if i < 0 {
				i += shape[a]
			}
			r.Data = append(r.Data, x.Data[(o*shape[a]+i)*inner:][:inner]...)
		}
	}
	return r, nil
}

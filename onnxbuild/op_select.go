package onnxbuild

import (
	"fmt"
	"math"
	"slices"
)

// Operators that look for elements.
var (
	opArgMax  = register(Op{Name: "ArgMax", infer: inferArgMax})
	opTopK    = register(Op{Name: "TopK", infer: inferTopK})
	opNonZero = register(Op{Name: "NonZero", infer: inferNonZero})
	opNMS     = register(Op{Name: "NonMaxSuppression", infer: inferNMS})
)

// ArgMax is the index of the largest element along an axis, as Int64; of equal ones, that of the first. The axis stays,
// with size 1, where keep says so.
func (b Builder) ArgMax(x *Value, axis int64, keep bool) *Value {
	keepdims := int64(0)
	if keep {
		keepdims = 1
	}
	return b.add1(opArgMax, []Attr{{"axis", axis}, {"keepdims", keepdims}}, x)
}

// TopK is the k largest elements along an axis, the largest first, and their indices as Int64. Of equal ones the lower
// index comes first.
func (b Builder) TopK(x *Value, k, axis int64) (values, indices *Value) {
	out := b.add(opTopK, 2, []Attr{{"axis", axis}, {"largest", int64(1)}, {"sorted", int64(1)}}, x, b.Ints("k", k))
	return out[0], out[1]
}

// NonZero lists where x is not 0: one column of indices for each such element, in C order, [rank, n] of Int64. How many
// there are, n, depends on x; it appears in the file under the given name.
func (b Builder) NonZero(x *Value, count string) *Value {
	return b.addFound(opNonZero, count, nil, x)
}

// NMS are the bounds of [Builder.NonMaxSuppression].
type NMS struct {
	MaxPerClass int64   // of each image
	IoU         float32 // from 0 to 1: of two boxes that have more in common, the one with the lower score goes
	Score       float32 // boxes have to score more
	Centre      bool    // boxes are centre x, centre y, width, height; else any two opposite corners, y before x
}

// NonMaxSuppression selects boxes [N, n, 4] by scores [N, classes, n]: it gives [k, 3] of Int64, image, class and box of
// each, by image, class and falling score. How many there are, k, depends on the values; it appears in the file under
// the given name.
func (b Builder) NonMaxSuppression(boxes, scores *Value, bounds NMS, count string) *Value {
	var attrs []Attr
	if bounds.Centre {
		attrs = []Attr{{"center_point_box", int64(1)}}
	}
	if bounds.MaxPerClass < 1 || !(bounds.IoU >= 0 && bounds.IoU <= 1) || math.IsNaN(float64(bounds.Score)) {
		b.Err("NonMaxSuppression: %d boxes that have %g in common and score %g cannot be asked for", bounds.MaxPerClass, bounds.IoU, bounds.Score)
		return &Value{DType: Int64, bad: true}
	}
	one := []int64{1}
	return b.addFound(opNMS, count, attrs, boxes, scores, b.Ints("max_output_boxes_per_class", bounds.MaxPerClass),
		b.Constant("iou_threshold", FloatTensor(one, []float32{bounds.IoU})), b.Constant("score_threshold", FloatTensor(one, []float32{bounds.Score})))
}

// addFound adds an operator that finds as many elements as there are.
func (b Builder) addFound(op *Op, count string, attrs []Attr, inputs ...*Value) *Value {
	return b.addNode(&Node{Op: op, Inputs: inputs, Attrs: attrs, found: b.Graph.newDataSize(count)}, 1)[0]
}

func inferArgMax(n *Node) ([]Type, error) {
	x := n.Inputs[0]
	if !x.DType.IsFloat() {
		return nil, fmt.Errorf("the input is %s, expected a float type", x.DType)
	}
	a, err := axis(n.Int("axis", 0), len(x.Shape))
	if err != nil {
		return nil, err
	}
	shape := slices.Clone(x.Shape)
	if shape[a] = D(1); n.Int("keepdims", 1) == 0 {
		shape = slices.Delete(shape, a, a+1)
	}
	return single(Int64, shape)
}

func inferTopK(n *Node) ([]Type, error) {
	if err := n.needFloats(0); err != nil {
		return nil, err
	}
	x := n.Inputs[0]
	k, err := n.constInts(1)
	if err != nil {
		return nil, err
	}
	a, err := axis(n.Int("axis", -1), len(x.Shape))
	if err != nil {
		return nil, err
	}
	if len(k) != 1 || k[0] < 1 || !x.Shape[a].atLeast(k[0]) {
		return nil, fmt.Errorf("axis %d of %s may not have the %d elements that are asked for", a, x.Shape, k)
	}
	shape := slices.Clone(x.Shape)
	shape[a] = D(k[0])
	return []Type{{DType: x.DType, Shape: shape}, {DType: Int64, Shape: shape}}, nil
}

func inferNonZero(n *Node) ([]Type, error) {
	x := n.Inputs[0]
	if len(x.Shape) == 0 {
		return nil, fmt.Errorf("the input is a scalar, expected one with axes")
	}
	return single(Int64, Shape{D(int64(len(x.Shape))), n.found})
}

func inferNMS(n *Node) ([]Type, error) {
	if err := n.needInputs(Float32, Float32, Int64, Float32, Float32); err != nil {
		return nil, err
	}
	boxes, scores := n.Inputs[0], n.Inputs[1]
	if len(boxes.Shape) != 3 || len(scores.Shape) != 3 || !boxes.Dim(2).Is(4) || !boxes.Dim(0).Equal(scores.Dim(0)) || !boxes.Dim(1).Equal(scores.Dim(2)) {
		return nil, fmt.Errorf("expected boxes [N, n, 4] and scores [N, classes, n], got %s and %s", boxes.Shape, scores.Shape)
	}
	return single(Int64, Shape{n.found, D(3)})
}

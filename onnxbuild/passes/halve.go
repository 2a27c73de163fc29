package passes

import (
	"slices"

	"ysc2onnx/onnxbuild"
)

// moving are operators that give elements on as they are; pointwise ones compute each element from a few. Both go on in
// the precision that their inputs come in. Pooling and Resize weigh neighbours, and Concat brings maps together: with the
// kernels, these go back to float16.
var (
	moving    = []string{"DepthToSpace", "Expand", "Flatten", "Gather", "Pad", "Reshape", "Slice", "SpaceToDepth", "Split", "Squeeze", "Tile", "Transpose", "Unsqueeze"}
	pointwise = []string{"Add", "Clip", "HardSigmoid", "HardSwish", "LeakyRelu", "Max", "Min", "Mul", "PRelu", "Relu", "Sigmoid", "Sub", "Tanh"}
	pooling   = []string{"AveragePool", "Concat", "MaxPool", "Resize"}
	untyped   = []string{"Cast", "Shape"} // take any type as it is
)

// Halve makes a graph compute in float16: its inputs, its kernels with their weights, what weighs neighbours, and what is
// pointwise between them. These stay float32:
//
//   - what follows the last kernel: the decoding of boxes, whose coordinates float16 holds to half a pixel from 512 on and
//     to two from 2048, the scores, a suppression; and with it the outputs. A kernel that gives an output itself computes in
//     float32, too, from weights that are stored as float16;
//   - every operator that is not known to bear it: sums and means over a map, roots and quotients of these, softmax,
//     comparisons; and what is pointwise on their results, until the next kernel, pooling or Concat;
//   - an operator one of whose constants would become 0 or infinite.
//
// Values change by their rounding to 11 bits after each operator.
func Halve(g *onnxbuild.Graph) error {
	h, leading := newHalving(), leadingToKernels(g)
	for _, v := range g.Inputs {
		if v.DType == onnxbuild.Float32 {
			v.DType = onnxbuild.Float16
		}
	}
	err := g.Rewrite(func(_ *onnxbuild.Rewriter, b onnxbuild.Builder, n *onnxbuild.Node) (bool, error) {
		if leading[n] && !slices.ContainsFunc(n.Outputs, g.IsOutput) && bearsHalf(n) {
			h.narrowNode(b, n)
			return true, nil
		}
		h.storeWeights(b, n)
		for i, v := range n.Inputs {
			if v != nil && v.DType == onnxbuild.Float16 && !slices.Contains(untyped, n.Op.Name) {
				n.Inputs[i] = h.wide(b, v)
			}
		}
		return true, nil
	})
	h.nameApart(g)
	return err
}

// leadingToKernels are the kernels, and the nodes whose results reach one.
func leadingToKernels(g *onnxbuild.Graph) map[*onnxbuild.Node]bool {
	leading, read := map[*onnxbuild.Node]bool{}, map[*onnxbuild.Value]bool{}
	for _, n := range slices.Backward(g.Nodes) {
		if !isKernel(n) && !slices.ContainsFunc(n.Outputs, func(v *onnxbuild.Value) bool { return read[v] }) {
			continue
		}
		leading[n] = true
		for _, v := range n.Inputs {
			read[v] = true
		}
	}
	return leading
}

// bearsHalf reports whether a node computes in float16 where its inputs come as they are.
func bearsHalf(n *onnxbuild.Node) bool {
	op := n.Op.Name
	if isKernel(n) || slices.Contains(pooling, op) {
		return true
	}
	if !slices.Contains(moving, op) && !slices.Contains(pointwise, op) {
		return false
	}
	for _, v := range n.Inputs {
		if v != nil && v.DType == onnxbuild.Float32 && (v.Const == nil || !survives(v.Const)) {
			return false
		}
	}
	return true
}

// survives reports whether no element of a constant becomes 0 or infinite as float16.
func survives(t *onnxbuild.Tensor) bool {
	elements, err := t.ReadAll()
	loss := Loss{}
	loss.count(elements)
	return err == nil && loss.Overflow+loss.Zero == 0
}

// narrowNode makes a node compute in float16.
func (h *halving) narrowNode(b onnxbuild.Builder, n *onnxbuild.Node) {
	for i, v := range n.Inputs {
		switch {
		case v == nil || v.DType != onnxbuild.Float32 || n.Op.Name == "Resize" && i > 0: // its scales are float32
		case v.Const != nil:
			n.Inputs[i] = h.constant(v)
		default:
			n.Inputs[i] = h.narrow(b, v)
		}
	}
	for _, v := range n.Outputs {
		if v.DType == onnxbuild.Float32 {
			v.DType = onnxbuild.Float16
		}
	}
}

package onnxbuild

import "fmt"

var (
	opBatchNorm    = register(Op{Name: "BatchNormalization", infer: inferBatchNorm})
	opInstanceNorm = register(Op{Name: "InstanceNormalization", infer: inferInstanceNorm})
	opSoftmax      = register(Op{Name: "Softmax", infer: inferSoftmax, form: formSoftmax, eval: evalSoftmax})
)

// BatchNormalization is (x - mean) / √(variance + eps) · scale + bias, per channel of x [N, C, …].
func (b Builder) BatchNormalization(x, scale, bias, mean, variance *Value, eps float32) *Value {
	return b.add1(opBatchNorm, []Attr{{"epsilon", eps}}, x, scale, bias, mean, variance)
}

// InstanceNormalization normalises each channel of each sample of x [N, C, …] by its own mean and biased variance:
// (x - mean) / √(variance + eps) · scale + bias.
func (b Builder) InstanceNormalization(x, scale, bias *Value, eps float32) *Value {
	return b.add1(opInstanceNorm, []Attr{{"epsilon", eps}}, x, scale, bias)
}

// Softmax is exp(x) / Σ exp(x) along one axis.
func (b Builder) Softmax(x *Value, axis int64) *Value {
	return b.add1(opSoftmax, []Attr{{"axis", axis}}, x)
}

func inferBatchNorm(n *Node) ([]Type, error) {
	return inferPerChannel(n, "scale", "bias", "mean", "variance")
}

func inferInstanceNorm(n *Node) ([]Type, error) { return inferPerChannel(n, "scale", "bias") }

// inferPerChannel checks inputs 1, 2, … that hold one number for each channel of input 0.
func inferPerChannel(n *Node, names ...string) ([]Type, error) {
	x := n.Inputs[0]
	if len(x.Shape) < 2 || !x.DType.IsFloat() {
		return nil, fmt.Errorf("expected a float input with channels, got %s %s", x.DType, x.Shape)
	}
	for i, name := range names {
		if v := n.Inputs[i+1]; v.DType != x.DType || !v.Shape.Equal(Shape{x.Dim(1)}) {
			return nil, fmt.Errorf("%s is %s %s, expected %s for each of %s channels", name, v.DType, v.Shape, x.DType, x.Dim(1))
		}
	}
	return one(x.DType, x.Shape)
}

func inferSoftmax(n *Node) ([]Type, error) {
	if _, err := axis(n.Int("axis", -1), len(n.Inputs[0].Shape)); err != nil {
		return nil, err
	}
	return inferFloatUnary(n)
}

// formSoftmax: before opset 13 the operator flattened all dimensions from the axis on, which is the same where those
// after the axis are 1.
func formSoftmax(n *Node, opset int) ([]WireNode, error) {
	if opset < 13 {
		shape := n.Inputs[0].Shape
		a, err := axis(n.Int("axis", -1), len(shape))
		if err != nil {
			return nil, err
		}
		if !shape[a+1:].Elements().Is(1) {
			return nil, needs(n, 13, "a softmax over axis %d of %s", a, shape)
		}
	}
	return []WireNode{wire(n)}, nil
}

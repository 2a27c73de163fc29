package passes

import (
	"math"

	"ysc2onnx/onnxbuild"
)

// ShortenDeviation finds the normalisation by mean and unbiased standard deviation over L elements of each group
//
//	v = Reshape(x, …)                      [N, G, L]
//	d = v - mean(v)
//	y = Reshape(d / (√(Σd² / (L-1)) + e), …)
//
// and writes it with the Euclidean norm of d, as Reshape(d / (‖d‖ + e·√(L-1))) · √(L-1): the same for every e and every
// x, as both sides of the fraction are multiplied by √(L-1). The factor merges with the constants that follow. Where
// each group is a channel of x, both Reshapes disappear.
//
// An InstanceNormalization would be shorter still, but protects the deviation inside the root: maps whose deviation is
// not large beside e come out different (docs/rationale.md). L must be static.
//
// Values change by their rounding only.
func ShortenDeviation(g *onnxbuild.Graph) error {
	return walk(g, func(s *sweep, b onnxbuild.Builder, n *onnxbuild.Node) bool {
		d, e := normalized(n)
		if d == nil {
			return true
		}
		size, _ := d.Dim(2).Static()
		root := math.Sqrt(float64(size - 1))
		axes := []int64{2}
		v := producer(d, "Sub").Inputs[0]
		r := producer(v, "Reshape")
		channels := r != nil && perChannel(r, n.Outputs[0])
		if channels {
			x := r.Inputs[0]
			axes = []int64{2, 3}
			d = b.Sub(x, b.ReduceMean(x, axes...))
		}
		norm := b.Add(b.ReduceL2(d, axes...), b.Scalar("eps", float32(float64(e*root))))
		y := b.Div(d, norm)
		if !channels {
			y = b.Reshape(y, n.Inputs[1])
		}
		return !s.replace(n.Outputs[0], b.Mul(y, b.Scalar("unbiased", float32(root))))
	})
}

// perChannel reports whether r parts each channel of a map from the others, and out has the shape of its input again.
func perChannel(r *onnxbuild.Node, out *onnxbuild.Value) bool {
	x, v := r.Inputs[0], r.Outputs[0]
	return len(x.Shape) == 4 && x.Shape[:2].Equal(v.Shape[:2]) && x.Shape.Equal(out.Shape)
}

// normalized gives the d and e of [ShortenDeviation] where n is the Reshape at the end of the pattern, else nil.
func normalized(n *onnxbuild.Node) (d *onnxbuild.Value, e float64) {
	if n.Op.Name != "Reshape" {
		return nil, 0
	}
	y := producer(n.Inputs[0], "Div")
	if y == nil {
		return nil, 0
	}
	centred := producer(y.Inputs[0], "Sub")
	protected := producer(y.Inputs[1], "Add")
	if centred == nil || protected == nil {
		return nil, 0
	}
	std, constant := besides(protected)
	e, ok := scalar(constant)
	if !ok {
		return nil, 0
	}
	v, d := centred.Inputs[0], centred.Outputs[0]
	if len(v.Shape) != 3 || !isMean(centred.Inputs[1], v) || !isDeviation(std, d) {
		return nil, 0
	}
	return d, e
}

// isMean reports whether m is the mean of v over axis 2.
func isMean(m, v *onnxbuild.Value) bool {
	mean := producer(m, "ReduceMean")
	return mean != nil && mean.Inputs[0] == v && overAxis2(mean)
}

// isDeviation reports whether std is √(Σd² / (L-1)) over axis 2 of d, [N, G, L].
func isDeviation(std, d *onnxbuild.Value) bool {
	root := producer(std, "Sqrt")
	if root == nil {
		return false
	}
	variance := producer(root.Inputs[0], "Div")
	if variance == nil {
		return false
	}
	degrees, ok := scalar(variance.Inputs[1])
	size, static := d.Dim(2).Static()
	sum := producer(variance.Inputs[0], "ReduceSum")
	if !ok || !static || size < 2 || degrees != float64(float32(size-1)) || sum == nil || !overAxis2(sum) {
		return false
	}
	square := producer(sum.Inputs[0], "Mul")
	return square != nil && square.Inputs[0] == d && square.Inputs[1] == d
}

// overAxis2 reports whether a node reduces the last axis of three and keeps it.
func overAxis2(n *onnxbuild.Node) bool {
	axes := n.Inputs[1].Const
	return axes != nil && len(axes.Ints) == 1 && (axes.Ints[0] == 2 || axes.Ints[0] == -1) && n.Int("keepdims", 1) == 1
}

// scalar is the only element of a constant.
func scalar(v *onnxbuild.Value) (x float64, ok bool) {
	if v == nil || v.Const == nil || v.Const.Len() != 1 {
		return 0, false
	}
	floats, err := v.Const.ReadAll()
	if err != nil {
		return 0, false
	}
	return float64(floats[0]), true
}

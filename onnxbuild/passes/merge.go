package passes

import "ysc2onnx/onnxbuild"

// MergeConstants turns operators with constants that follow each other into fewer, where nothing else reads what is
// between them:
//
//	(x · a) · b         becomes  x · (a·b)
//	(x + a) + b         becomes  x + (a+b)
//	(x · a + b) · c     becomes  x · (a·c) + b·c
//
// unless the merged constant would be larger than those it is made from. Values change by their rounding only.
func MergeConstants(g *onnxbuild.Graph) error {
	return walk(g, func(s *sweep, b onnxbuild.Builder, n *onnxbuild.Node) bool {
		op := n.Op.Name
		if op != "Mul" && op != "Add" {
			return true
		}
		y, c := besides(n)
		if y == nil || !s.single(y) {
			return true
		}
		var merged *onnxbuild.Value
		switch x, a := operands(y, op); {
		case x != nil && op == "Add" && noLarger(a, c):
			merged = b.Add(x, b.Add(a, c))
		case x != nil && op == "Mul" && noLarger(a, c):
			merged = b.Mul(x, b.Mul(a, c))
		case x == nil && op == "Mul":
			sum, shift := operands(y, "Add")
			if sum == nil || !s.single(sum) {
				return true
			}
			x, a := operands(sum, "Mul")
			if x == nil || !noLarger(a, c) || !noLarger(shift, c) {
				return true
			}
			merged = b.Add(b.Mul(x, b.Mul(a, c)), b.Mul(shift, c))
		default:
			return true
		}
		return !s.replace(n.Outputs[0], merged)
	})
}

// operands are what the operator op makes y from: a value and a constant; nil for any other y.
func operands(y *onnxbuild.Value, op string) (x, constant *onnxbuild.Value) {
	n := producer(y, op)
	if n == nil {
		return nil, nil
	}
	return besides(n)
}

// noLarger reports whether a constant made of a and c is no larger than the larger one of them.
func noLarger(a, c *onnxbuild.Value) bool {
	large, small := a, c
	if large.Const.Len() < small.Const.Len() {
		large, small = small, large
	}
	if len(small.Shape) > len(large.Shape) {
		return false
	}
	shift := len(large.Shape) - len(small.Shape)
	for i, d := range small.Shape {
		if !d.Is(1) && !d.Equal(large.Shape[shift+i]) {
			return false
		}
	}
	return true
}

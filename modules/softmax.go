package modules

import "ysc2onnx/onnxbuild"

var softmaxClass = Class{Path: "torch.nn.modules.activation.Softmax"}

// Softmax is torch.nn.Softmax along an axis.
type Softmax struct{ Axis int }

// Class is torch.nn.Softmax.
func (Softmax) Class() *Class { return &softmaxClass }

// Forward adds the function.
func (m Softmax) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	s.RequireNumber("dim", float64(m.Axis))
	if n, ok := x.Dim(m.Axis).Static(); ok && !x.Refused() { // thop counts n powers, n - 1 sums and n divisions for each line
		s.CountMACs(x.Shape.Elements(), 3)
		if all, ok := x.Shape.Elements().Static(); ok {
			s.CountMACs(onnxbuild.D(all/n), -1)
		}
	}
	return s.Softmax(x, int64(m.Axis))
}

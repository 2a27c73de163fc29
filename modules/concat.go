package modules

import "ysc2onnx/onnxbuild"

// Concat joins maps along one axis, the channels as a rule.
type Concat struct{ Axis int }

// Forward joins the inputs.
func (c *Concat) Forward(s *Scope, inputs []*onnxbuild.Value) *onnxbuild.Value {
	return s.Concat(int64(c.Axis), inputs...)
}

package modules

import (
	"strings"

	"ysc2onnx/onnxbuild"
)

// Concat joins maps along one axis, the channels as a rule.
type Concat struct{ Axis int }

// Forward joins the inputs.
func (c *Concat) Forward(s *Scope, inputs []*onnxbuild.Value) *onnxbuild.Value {
	for i, side := range []string{"heights", "widths"} {
		first := inputs[0]
		for _, x := range inputs[1:] {
			if !x.Dim(2 + i).Equal(first.Dim(2 + i)) {
				s.Err("%s differ: %s gives %s, %s gives %s", side, origin(first), first.Shape, origin(x), x.Shape)
				return first
			}
		}
	}
	if d := s.numbers("Concat", "d", float64(c.Axis)); d[0] != float64(c.Axis) {
		s.Err("the checkpoint joins along axis %g, expected %d", d[0], c.Axis)
	}
	return s.Concat(int64(c.Axis), inputs...)
}

// origin says which row gives a value.
func origin(v *onnxbuild.Value) string {
	if i, ok := strings.CutPrefix(v.Name, "model."); ok {
		return "layer " + i
	}
	return "the image"
}

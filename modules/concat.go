package modules

import "ysc2onnx/onnxbuild"

var concatClass = Class{Path: "models.common.Concat"}

var concatSpec = Spec{
	Name: "Concat", Class: &concatClass, Wiring: Sums,
	Doc:  "joins maps: dimension=1",
	Join: newConcat,
}

func newConcat(a *Args) Joiner { return concatArgs(a) }

// concatArgs takes the arguments of a Concat.
func concatArgs(a *Args) *Concat {
	axis := a.Int("dimension", 1)
	if axis != 1 {
		a.Errorf("joins along axis %d, expected 1: YOLOv5 counts on the sum of the channels", axis)
	}
	return &Concat{Axis: 1}
}

// Concat joins maps along one axis, the channels as a rule.
type Concat struct{ Axis int }

// Class is YOLOv5's Concat.
func (c *Concat) Class() *Class { return &concatClass }

// Forward joins the inputs.
func (c *Concat) Forward(s *Scope, inputs []*onnxbuild.Value) *onnxbuild.Value {
	for i, side := range []string{"heights", "widths"} {
		first := inputs[0]
		for _, x := range inputs[1:] {
			if !x.Dim(2 + i).Equal(first.Dim(2 + i)) {
				s.Err("%s differ: %s gives %s, %s gives %s", side, s.Origin(first), first.Shape, s.Origin(x), x.Shape)
				return first
			}
		}
	}
	if d := s.Numbers("d", float64(c.Axis)); d[0] != float64(c.Axis) {
		s.Err("the checkpoint joins along axis %g, expected %d", d[0], c.Axis)
	}
	return s.Concat(int64(c.Axis), inputs...)
}

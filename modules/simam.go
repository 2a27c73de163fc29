package modules

import (
	"ysc2onnx/onnxbuild"
	"ysc2onnx/yamlcfg/python"
)

var simAMClass = Class{Path: "models.common.SimAM", Aliases: []string{"Simam", "simam", "Simam_module"}, Inert: []string{"channels"}}

var simAMSpec = Spec{
	Name: "SimAM", Aliases: []string{"Simam"}, Class: &simAMClass, Wiring: attendsOrKeeps, Source: "Yang et al., ICML 2021",
	Doc: "attention without parameters: c2 (may be left out), e_lambda=1e-4",
	New: func(a *Args) Module {
		lambda := a.Float("e_lambda", 1e-4)
		if lambda <= 0 {
			a.Errorf("e_lambda is %g, expected a positive number, which a flat map is divided by", lambda)
		}
		return &SimAM{lambda}
	},
}

// attendsOrKeeps is [Attends], unless the first argument is a number under 1: then it is not channels, and the row's
// arguments are the constructor's.
func attendsOrKeeps(a *Args) []int {
	if len(a.row.Args) > 0 && a.row.Args[0].Kind == python.Float && a.row.Args[0].Float < 1 {
		a.C2 = a.C1
		return Keeps(a)
	}
	return Attends(a)
}

// SimAM weighs each pixel by how far it is from the mean of its channel (Yang et al., ICML 2021). It has no parameters.
// [N, c, H, W], same out.
type SimAM struct{ lambda float64 }

// Class is SimAM.
func (m *SimAM) Class() *Class { return &simAMClass }

// Forward is x · σ(d / (4·(Σd/n + λ)) + 0.5) with d = (x - mean)² and n = H·W - 1.
func (m *SimAM) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	lambda := s.Number("e_lambda", m.lambda)
	pixels := s.Reshape(x, s.Ints("pixels", 0, 0, -1))
	if n, ok := pixels.Dim(2).Static(); ok && n < 2 && !pixels.Refused() {
		s.Err("its map is a single pixel, whose variance is not defined: PyTorch gives NaN; use a larger image")
		return x
	}
	d := s.Sub(x, s.ReduceMean(x, 2, 3))
	d = s.Mul(d, d)
	variance := s.Div(s.ReduceSum(d, 2, 3), s.degrees(pixels))
	energy := s.Mul(s.Add(variance, s.Scalar("lambda", float32(lambda))), s.Scalar("four", 4))
	y := s.Add(s.Div(d, energy), s.Scalar("half", 0.5))
	return s.Mul(x, s.Call(s.AnyOf("activaton", "activation", "act", "sigmoid"), Sigmoid(), y))
}

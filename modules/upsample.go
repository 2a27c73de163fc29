package modules

import (
	"ysc2onnx/onnxbuild"
	"ysc2onnx/yamlcfg/python"
)

var upsampleClass = Class{Path: "torch.nn.modules.upsampling.Upsample", Inert: []string{"name", "recompute_scale_factor"}}

var upsampleSpec = Spec{
	Name: "nn.Upsample", Class: &upsampleClass, Wiring: Keeps,
	Doc: "nearest upsampling by a whole factor: size (None), scale_factor, mode='nearest'",
	New: newUpsample,
}

func newUpsample(a *Args) Module {
	size, _ := a.Literal("size")
	factor, _ := a.Literal("scale_factor")
	mode, given := a.Literal("mode")
	if size.Kind != python.None {
		a.Wrong("size", size, "None: a fixed size would break other image sizes; give a scale_factor")
	}
	u := &Upsample{}
	factors := []python.Literal{factor, factor}
	if factor.Kind == python.Tuple || factor.Kind == python.List {
		factors = factor.Items
	}
	if len(factors) != 2 {
		a.Wrong("scale_factor", factor, "one factor, or two for height and width")
		return u
	}
	for i, f := range factors {
		x, number := f.Number()
		if !number || x < 1 || x > 64 || x != float64(int(x)) {
			a.Wrong("scale_factor", f, "a whole number from 1 to 64")
			break
		}
		*[]*int{&u.FactorH, &u.FactorW}[i] = int(x)
	}
	if given && (mode.Kind != python.String || mode.Str != "nearest") {
		a.Wrong("mode", mode, "'nearest'")
	}
	return u
}

// Upsample is torch.nn.Upsample in mode nearest with whole factors. [N, c, H, W] -> [N, c, H·fh, W·fw].
type Upsample struct{ FactorH, FactorW int }

// Class is torch.nn.Upsample.
func (u *Upsample) Class() *Class { return &upsampleClass }

// Forward repeats the pixels.
func (u *Upsample) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	s.Missing("size")
	s.Missing("align_corners")
	s.OnlyText("mode", "nearest")
	factor := s.Pair("scale_factor", [2]int{u.FactorH, u.FactorW}, 1)
	y := s.Upsample(x, int64(factor[0]), int64(factor[1]))
	s.CountMACs(y.Shape.Elements(), 1)
	return y
}

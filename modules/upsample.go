package modules

import (
	"ysc2onnx/onnxbuild"
	"ysc2onnx/yamlcfg/python"
)

var upsampleClass = Class{Path: "torch.nn.modules.upsampling.Upsample", Inert: []string{"name", "recompute_scale_factor"}}

var upsampleSpec = Spec{
	Name: "nn.Upsample", Class: &upsampleClass, Wiring: Keeps,
	Doc: "upsampling by a whole factor: size (None), scale_factor, mode='nearest' or 'bilinear', align_corners=None, recompute_scale_factor (not used)",
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
	if given && (mode.Kind != python.String || mode.Str != nearest && mode.Str != bilinear) {
		a.Wrong("mode", mode, "'nearest' or 'bilinear'")
		return u
	}
	u.bilinear = mode.Str == bilinear
	if align, given := a.Literal("align_corners"); given && align.Kind != python.None {
		if align.Kind != python.Bool || !u.bilinear {
			a.Wrong("align_corners", align, "None, or for 'bilinear' True or False")
		}
		u.aligned = align.Bool
	}
	a.Literal("recompute_scale_factor") // which whole factors are the same with
	return u
}

const (
	nearest  = "nearest"
	bilinear = "bilinear"
)

// Upsample is torch.nn.Upsample in mode nearest or bilinear, with whole factors. [N, c, H, W] -> [N, c, H·fh, W·fw].
type Upsample struct {
	FactorH, FactorW  int
	bilinear, aligned bool // aligned: the corners of both maps lie upon each other
}

// Class is torch.nn.Upsample.
func (u *Upsample) Class() *Class { return &upsampleClass }

// Forward repeats the pixels, or makes means of them.
func (u *Upsample) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	s.RequireNone("size")
	linear := s.Choice("mode", map[bool]string{false: nearest, true: bilinear}[u.bilinear], nearest, bilinear) == bilinear
	aligned := s.Flag("align_corners", u.aligned)
	factor := s.Pair("scale_factor", [2]int{u.FactorH, u.FactorW}, 1)
	h, w := int64(factor[0]), int64(factor[1])
	if !linear {
		y := s.Upsample(x, h, w)
		s.CountMACs(y.Shape.Elements(), 1)
		return y
	}
	place := onnxbuild.Resizing{Mode: "linear", Place: "half_pixel"}
	if aligned {
		place.Place = "align_corners"
	}
	y := s.Resize(x, place, 1, 1, float32(h), float32(w))
	s.CountMACs(y.Shape.Elements(), 11)
	return y
}

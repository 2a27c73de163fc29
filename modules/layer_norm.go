package modules

import "ysc2onnx/onnxbuild"

var (
	layerNormClass     = Class{Path: "torch.nn.modules.normalization.LayerNorm", Inert: []string{"normalized_shape"}}
	forkLayerNormClass = Class{Path: "models.common.LayerNorm_s", Aliases: []string{"HorLayerNorm", "LayerNorm"}, Inert: []string{"normalized_shape"}}
	dropPathClass      = Class{Path: "models.common.DropPath", Inert: []string{"drop_prob", "scale_by_keep"}}
)

// LayerNorm is torch.nn.LayerNorm of the channels of each pixel (Ba et al., 2016), which are the last axis: [N, H, W, c], same
// out.
type LayerNorm struct{ C int }

// Class is torch.nn.LayerNorm.
func (m *LayerNorm) Class() *Class { return &layerNormClass }

// Forward normalises x.
func (m *LayerNorm) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	s.RequireNumber("elementwise_affine", 1)
	s.CountMACs(x.Shape.Elements(), 4)
	return s.layerNorm(x, m.C, 1e-5)
}

func (s *Scope) layerNorm(x *onnxbuild.Value, c int, eps float64) *onnxbuild.Value {
	scale, bias := s.Param("weight", Constant(1), int64(c)), s.Param("bias", Constant(0), int64(c))
	return s.LayerNormalization(x, scale, bias, float32(s.Epsilon(eps)))
}

// forkLayerNorm is the LayerNorm that forks took over from ConvNeXt's code (Liu et al., CVPR 2022): of the last axis, or
// of axis 1 where first is set.
type forkLayerNorm struct {
	c     int
	first bool
}

// Class is LayerNorm_s, or HorLayerNorm.
func (m *forkLayerNorm) Class() *Class { return &forkLayerNormClass }

// Forward is (x - mean) / √(variance + eps) · weight + bias, with the biased variance over the channels of each pixel.
func (m *forkLayerNorm) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	const eps = 1e-6
	if !m.first {
		s.RequireText("data_format", "channels_last")
		return s.layerNorm(x, m.c, eps)
	}
	s.RequireText("data_format", "channels_first")
	d := s.Sub(x, s.ReduceMean(x, 1))
	variance := s.ReduceMean(s.Mul(d, d), 1)
	y := s.Div(d, s.Sqrt(s.Add(variance, s.Scalar("eps", float32(s.Epsilon(eps))))))
	column := s.Ints("column", int64(m.c), 1, 1)
	y = s.Mul(s.Reshape(s.Param("weight", Constant(1), int64(m.c)), column), y)
	return s.Add(y, s.Reshape(s.Param("bias", Constant(0), int64(m.c)), column))
}

// dropPath is stochastic depth (Huang et al., ECCV 2016), which does nothing after training.
type dropPath struct{}

// Class is DropPath.
func (dropPath) Class() *Class { return &dropPathClass }

// Forward is x.
func (dropPath) Forward(_ *Scope, x *onnxbuild.Value) *onnxbuild.Value { return x }

// callDropPath applies the child drop_path: a DropPath, or an Identity where nothing was to be dropped.
func (s *Scope) callDropPath(x *onnxbuild.Value) *onnxbuild.Value {
	if identityClass.fits(s.ChildClass("drop_path")) {
		return s.Call("drop_path", Identity(), x)
	}
	return s.Call("drop_path", dropPath{}, x)
}

// residualRow is what a parser hands to a block that only takes its channels: (c1, c2, n). c2 ends up as the block's rate of
// dropping, and n as the first value of a scale; neither counts after training.
func residualRow(a *Args) {
	if a.C1 != a.C2 {
		a.Errorf("gets %d channels and is given %d: it keeps its channels, while YOLOv5 counts on those given; write the channels of its input (before width_multiple)", a.C1, a.C2)
	}
}

// perPixel applies the two linear maps of a ConvNeXt block to each pixel: norm, pwconv1 to four times the channels, GELU,
// pwconv2, and a trained factor for each channel. [N, c, H, W], same out.
func (s *Scope) perPixel(x *onnxbuild.Value, norm string, c int, factor string) *onnxbuild.Value {
	y := s.Call(norm, &forkLayerNorm{c: c}, s.Transpose(x, 0, 2, 3, 1))
	y = s.CallActivation("act", GELU(), s.Call("pwconv1", &Linear{c, 4 * c, true}, y))
	y = s.Call("pwconv2", &Linear{4 * c, c, true}, y)
	if s.scaled(factor) {
		y = s.Mul(y, s.Param(factor, Constant(1), int64(c)))
	}
	return s.Transpose(y, 0, 3, 1, 2)
}

// scaled reports whether a block has a trained factor for each channel: always, unless it is missing in a checkpoint.
func (s *Scope) scaled(factor string) bool { return s.trained() == nil || s.Has(factor) }

package modules

import "ysc2onnx/onnxbuild"

var gamClass = Class{Path: "models.common.GAM", Aliases: []string{"GAM_Attention", "GAMAttention"}, Flavours: []Flavour{
	{Name: "linear", Doc: "a perceptron over channels, two 7x7 convolutions", Keys: map[string]int{
		"channel_attention.0.weight": 2, "channel_attention.2.weight": 2, "spatial_attention.0.weight": 4, "spatial_attention.3.weight": 4}},
}}

var gamSpec = Spec{
	Name: "GAM", Aliases: []string{"GAM_Attention", "GAMAttention"}, Class: &gamClass, Wiring: Attends, Source: "Liu et al., 2021; YOLOv5's forks",
	Doc: "global attention: c2, rate=4",
	New: func(a *Args) Module { return NewGAM(a.C2, a.Positive("rate", 4)) },
}

// GAM weighs the channels of each pixel by a perceptron of them, then all by two 7x7 convolutions (Liu et al., 2021,
// arXiv 2112.05561). As in most code, and unlike in the paper, no sigmoid follows the perceptron.
// [N, c, H, W], same out.
type GAM struct{ c, hidden int }

// NewGAM makes a GAM of c/rate hidden channels.
func NewGAM(c, rate int) *GAM { return &GAM{c, c / rate} }

// Class is GAM.
func (m *GAM) Class() *Class { return &gamClass }

// Forward is y · σ(spatial_attention(y)) with y = x · channel_attention(x).
func (m *GAM) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	s.Flavour()
	if shape, ok := s.TensorShape("spatial_attention.0.weight"); ok && len(shape) == 4 && shape[1] != int64(m.c) {
		s.Err("the checkpoint's convolutions read %d channels, expected %d: those in groups come with a shuffle that is not converted", shape[1], m.c)
		return x
	}
	hidden, inner := s.Rows("channel_attention.0.weight", m.hidden), s.Rows("spatial_attention.0.weight", m.hidden)
	channels := Sequential{&Linear{m.c, hidden, true}, ReLU(), &Linear{hidden, m.c, true}}
	weights := s.Call("channel_attention", channels, s.Transpose(x, 0, 2, 3, 1))
	x = s.Mul(x, s.Transpose(weights, 0, 3, 1, 2))
	places := Sequential{wide(m.c, inner), &BatchNorm2d{inner}, ReLU(), wide(inner, m.c), &BatchNorm2d{m.c}}
	return s.Mul(x, s.Sigmoid(s.Call("spatial_attention", places, x)))
}

// wide is a 7x7 convolution with a bias that keeps the size of the map.
func wide(c1, c2 int) *Conv2d {
	return &Conv2d{C1: c1, C2: c2, Kernel: square(7), Stride: square(1), Pad: square(3), Dilation: square(1), Groups: 1, Bias: true}
}

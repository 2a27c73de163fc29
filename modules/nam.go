package modules

import "ysc2onnx/onnxbuild"

var (
	namClass = Class{Path: "models.common.NAM", Aliases: []string{"NAMAttention", "NAM_Attention"}, Flavours: []Flavour{
		{Name: "channel", Doc: "attention to channels alone", Keys: map[string]int{"Channel_Att.bn2.weight": 1}},
	}}
	channelAttClass = Class{Path: "models.common.Channel_Att", Aliases: []string{"ChannelAtt"}, Inert: []string{"channels"}}
)

var namSpec = Spec{
	Name: "NAM", Aliases: []string{"NAMAttention", "NAM_Attention"}, Class: &namClass, Wiring: Attends, Source: "Liu et al., 2021, arXiv:2111.12419",
	Doc: "normalisation-based attention to channels: c2",
	New: func(a *Args) Module { return &NAM{a.C2} },
}

// NAM weighs channels by the scales of a batch norm (Liu et al., 2021, arXiv 2111.12419). [N, c, H, W], same out.
type NAM struct{ c int }

// Class is NAM.
func (m *NAM) Class() *Class { return &namClass }

// Forward is Channel_Att(x).
func (m *NAM) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	s.Flavour()
	return s.Call("Channel_Att", &channelAtt{m.c}, x)
}

// channelAtt is x · σ(|γ|/Σ|γ| · bn2(x)), where γ are the scales of bn2.
type channelAtt struct{ c int }

// Class is Channel_Att.
func (m *channelAtt) Class() *Class { return &channelAttClass }

// Forward weighs the channels.
func (m *channelAtt) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	c := int64(m.c)
	normal := s.Call("bn2", &BatchNorm2d{m.c}, x)
	scale := s.Abs(s.Child("bn2").Param("weight", Constant(1), c))
	share := s.Reshape(s.Div(scale, s.ReduceSum(scale, 0)), s.Ints("column", c, 1, 1))
	return s.Mul(x, s.Sigmoid(s.Mul(share, normal)))
}

package modules

import "ysc2onnx/onnxbuild"

var (
	tripletClass = Class{Path: "models.common.TripletAttention", Flavours: []Flavour{
		{Name: "gates", Doc: "gates cw, hc and perhaps hw", Keys: map[string]int{"cw.conv.conv.weight": 4, "hc.conv.conv.weight": 4}},
	}}
	attentionGateClass = Class{Path: "models.common.AttentionGate", Aliases: []string{"SpatialGate"}}
	zPoolClass         = Class{Path: "models.common.ZPool", Aliases: []string{"ChannelPool"}}
)

var tripletSpec = Spec{
	Name: "TripletAttention", Class: &tripletClass, Wiring: Keeps, Source: "Misra et al., WACV 2021; github.com/landskape-ai/triplet-attention, z1069614715/objectdetection_script",
	Doc: "attention across each two of channels, rows and columns: no_spatial=False",
	New: func(a *Args) Module {
		l, given := a.Literal("no_spatial")
		if n, number := l.Number(); given && number && n > 1 && a.trained == nil {
			a.Wrong("no_spatial", l, "no channels: forks differ in what they make of them")
		}
		n, _ := l.Number()
		return &TripletAttention{spatial: !l.Bool && n == 0}
	},
}

// TripletAttention is triplet attention (Misra et al., WACV 2021; github.com/landskape-ai/triplet-attention). [N, c, H, W],
// same out.
type TripletAttention struct{ spatial bool }

// Class is TripletAttention.
func (m *TripletAttention) Class() *Class { return &tripletClass }

// Forward is the mean of hw(x), cw of x with channels and rows changed, and hc of x with channels and columns changed, each
// changed back; without hw where no_spatial says so.
func (m *TripletAttention) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	s.Flavour()
	spatial := m.spatial
	if s.trained() != nil {
		spatial = s.Has("hw.conv.conv.weight")
	}
	s.known("no_spatial") // which the tensors tell
	y := s.Transpose(s.Call("cw", attentionGate{}, s.Transpose(x, 0, 2, 1, 3)), 0, 2, 1, 3)
	z := s.Transpose(s.Call("hc", attentionGate{}, s.Transpose(x, 0, 3, 2, 1)), 0, 3, 2, 1)
	if !spatial {
		return s.Mul(s.Add(y, z), s.Scalar("half", 0.5))
	}
	return s.Mul(s.Add(s.Add(s.Call("hw", attentionGate{}, x), y), z), s.Scalar("third", 1.0/3))
}

// attentionGate weighs each place by a 7x7 convolution of the maximum and the mean of the second axis.
type attentionGate struct{}

// Class is AttentionGate.
func (attentionGate) Class() *Class { return &attentionGateClass }

// Forward is x · σ(conv(compress(x))).
func (attentionGate) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	return s.Mul(x, s.Sigmoid(s.Call("conv", newBasicConv(2, 1, 7, 1, 1, false), s.Call("compress", zPool{}, x))))
}

// zPool is the maximum and the mean of the second axis, side by side.
type zPool struct{}

// Class is ZPool.
func (zPool) Class() *Class { return &zPoolClass }

// Forward is cat(max, mean).
func (zPool) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	return s.Concat(1, s.Reduce(onnxbuild.Max, x, true, 1), s.ReduceMean(x, 1))
}

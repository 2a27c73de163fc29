package modules

import "ysc2onnx/onnxbuild"

var shuffleAttentionClass = Class{Path: "models.common.ShuffleAttention", Aliases: []string{"ShuffleAttn"}, Inert: []string{"channel"}, Flavours: []Flavour{
	{Name: "cweight", Doc: "scales and shifts of channels and of places", Keys: map[string]int{"cweight": 4, "cbias": 4, "sweight": 4, "sbias": 4, "gn.weight": 1}},
}}

var shuffleAttentionSpec = Spec{
	Name: "ShuffleAttention", Class: &shuffleAttentionClass, Wiring: Attends, Source: "Zhang and Yang, ICASSP 2021; YOLOv5's forks",
	Doc: "shuffle attention: c2, reduction (not used), G=8",
	New: func(a *Args) Module {
		a.Positive("reduction", 16)
		return &ShuffleAttention{a.C2, a.Positive("G", 8)}
	},
}

// ShuffleAttention parts the channels into groups, weighs half of each group by channel and half by place, and mixes what
// comes out (Zhang and Yang, ICASSP 2021). [N, c, H, W], same out.
type ShuffleAttention struct{ c, groups int }

// Class is ShuffleAttention.
func (m *ShuffleAttention) Class() *Class { return &shuffleAttentionClass }

// Forward is shuffle(cat(a · σ(cweight · mean(a) + cbias), b · σ(sweight · gn(b) + sbias))) with a, b the halves of a group.
func (m *ShuffleAttention) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	s.Flavour()
	groups := m.groups
	if shape, ok := s.TensorShape("cweight"); ok && len(shape) == 4 && shape[1] >= 1 && shape[1] <= int64(m.c) {
		groups = m.c / (2 * int(shape[1]))
	}
	if groups < 1 || m.c%(2*groups) != 0 {
		s.Err("%d channels do not form %d groups of two halves: G must divide half of the channels", m.c, groups)
		return x
	}
	s.RequireNumber("G", float64(groups))
	half := int64(m.c / (2 * groups))
	weigh := func(y *onnxbuild.Value, scale, shift string) *onnxbuild.Value {
		y = s.Mul(s.Param(scale, Constant(0), 1, half, 1, 1), y)
		return s.Call("sigmoid", Sigmoid(), s.Add(y, s.Param(shift, Constant(1), 1, half, 1, 1)))
	}
	parts := s.Split(s.Reshape(x, s.WithMap(x, -1, 2*half)), 1, half, half)
	a, b := parts[0], parts[1]
	a = s.Mul(a, weigh(s.Call("avg_pool", AdaptiveAvgPool2d{}, a), "cweight", "cbias"))
	b = s.Mul(b, weigh(s.Call("gn", &GroupNorm{int(half), int(half)}, b), "sweight", "sbias"))
	y := s.Reshape(s.Concat(1, a, b), s.WithMap(x, -1, 2, int64(m.c/2)))
	return s.Reshape(s.Transpose(y, 0, 2, 1, 3, 4), s.WithMap(x, -1, int64(m.c)))
}

package modules

import "ysc2onnx/onnxbuild"

var (
	cot3Class          = Class{Path: "models.common.CoT3", Aliases: []string{"C3_CoT"}}
	cotBottleneckClass = Class{Path: "models.common.CoTBottleneck"}
	cotClass           = Class{Path: "models.common.CoT", Aliases: []string{"CoTAttention"}}
)

var cot3Spec = Spec{
	Name: "CoT3", Class: &cot3Class, Wiring: Repeats, Source: "Li et al., 2021, arXiv:2107.12292; github.com/iscyy/yoloair",
	Doc: "C3 with contextual attention in its bottlenecks: c2, shortcut=True, g (not used), e=0.5",
	New: func(a *Args) Module {
		shortcut := a.Bool("shortcut", true)
		a.Positive("g", 1)
		e := a.Float("e", 0.5)
		if hidden := int(float64(a.C2) * e); hidden%cotGroups != 0 {
			a.Errorf("its %d hidden channels do not form the %d groups of its attention", hidden, cotGroups)
		}
		return NewCSP(&cot3Class, a.C1, a.C2, e, a.Act, a.N, func(hidden int) Module {
			return &innerBottleneck{&cotBottleneckClass, NewConv1x1(hidden, hidden, a.Act), &CoT{hidden}, shortcut}
		})
	},
}

// innerBottleneck is a 1x1 Conv and another module, added to the input where asked. [N, c, H, W], same out.
type innerBottleneck struct {
	class *Class
	cv1   *Conv
	cv2   Module
	add   bool
}

// Class is the one of its kin that it was made for.
func (m *innerBottleneck) Class() *Class { return m.class }

// Forward is x + cv2(cv1(x)), or without the sum.
func (m *innerBottleneck) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	y := s.Call("cv2", m.cv2, s.Call("cv1", m.cv1, x))
	if s.Flag("add", m.add) {
		return s.Add(x, y)
	}
	return y
}

// The numbers of the published code: groups of the keys' convolution, its kernel, by how much the attention narrows.
const (
	cotGroups = 4
	cotKernel = 3
	cotFactor = 4
)

// CoT is the contextual transformer's block (Li et al., 2021, arXiv:2107.12292) in the form that most forks took, as in
// github.com/iscyy/yoloair: one softmax over all places, not over a window. [N, c, H, W], same out.
type CoT struct{ c int }

// Class is CoT.
func (m *CoT) Class() *Class { return &cotClass }

// Forward is k + softmax(mean of each channel's window in attention_embed(cat(k, x))) · value_embed(x), with k = key_embed(x).
func (m *CoT) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	s.RequireNumber("dim", float64(m.c))
	s.RequireNumber("kernel_size", cotKernel)
	c, hidden, window := int64(m.c), 2*m.c/cotFactor, cotKernel*cotKernel
	keys := append(convBN(m.c, m.c, cotKernel, 1, cotGroups), ReLU())
	last := pointwise(hidden, window*m.c)
	last.Bias = true
	attention := append(convBNAct(2*m.c, hidden, 1, 1, ReLU()), last)

	k := s.Call("key_embed", keys, x)
	v := s.Reshape(s.Call("value_embed", convBN(m.c, m.c, 1, 1, 1), x), s.Ints("places", 0, c, -1))
	w := s.Call("attention_embed", attention, s.Concat(1, k, x))
	w = s.Reduce(onnxbuild.Mean, s.Reshape(w, s.Ints("windows", 0, c, int64(window), -1)), false, 2)
	return s.Add(k, s.Reshape(s.Mul(s.Softmax(w, 2), v), s.WithMap(x, 0, c)))
}

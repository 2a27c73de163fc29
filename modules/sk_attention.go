package modules

import "ysc2onnx/onnxbuild"

var skClass = Class{Path: "models.common.SKAttention", Flavours: []Flavour{
	{Name: "convs", Doc: "whole convolutions of several kernels", Keys: map[string]int{"convs.0.conv.weight": 4, "fc.weight": 2, "fcs.0.weight": 2}},
}}

var skSpec = Spec{
	Name: "SKAttention", Class: &skClass, Wiring: Attends, Source: "Li et al., CVPR 2019; github.com/iscyy/yoloair, z1069614715/objectdetection_script",
	Doc: "convolutions of several kernels, weighed against each other by channel: c2, kernels=[1, 3, 5, 7], reduction=16, group=1, L=32",
	New: func(a *Args) Module {
		m := &SKAttention{c: a.C2, kernels: a.Odds("kernels", 1, 3, 5, 7)}
		reduction := a.Positive("reduction", 16)
		m.groups = a.Positive("group", 1)
		m.hidden = max(a.Positive("L", 32), a.C2/reduction)
		return m
	},
}

// SKAttention is the selective kernel unit (Li et al., CVPR 2019), as in github.com/iscyy/yoloair and
// github.com/z1069614715/objectdetection_script. [N, c, H, W], same out.
type SKAttention struct {
	c, groups, hidden int
	kernels           []int
}

// Class is SKAttention.
func (m *SKAttention) Class() *Class { return &skClass }

// Forward is Σ convsᵢ(x) · wᵢ, where the w of a channel are the softmax over i of fcsᵢ(fc(mean of Σ convsᵢ(x))).
func (m *SKAttention) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	s.Flavour()
	s.RequireNumber("d", float64(s.Rows("fc.weight", m.hidden)))
	convs, maps := s.Items("convs"), []*onnxbuild.Value{}
	var sum *onnxbuild.Value
	for i, k := range m.kernels {
		conv := &Conv2d{C1: m.c, C2: m.c, Kernel: square(k), Stride: square(1), Pad: square(k / 2), Dilation: square(1), Groups: m.groups, Bias: true}
		y := convs.CallItem(i, &namedSequence{[]string{"conv", "bn", "relu"}, []Module{conv, &BatchNorm2d{m.c}, ReLU()}}, x)
		if maps = append(maps, y); sum == nil {
			sum = y
		} else {
			sum = s.Add(sum, y)
		}
	}
	hidden := s.Rows("fc.weight", m.hidden)
	mean := s.Reshape(s.GlobalAveragePool(sum), s.Ints("row", 0, int64(m.c)))
	z := s.Call("fc", &Linear{m.c, hidden, true}, mean)
	fcs, logits := s.Items("fcs"), []*onnxbuild.Value{}
	for i := range m.kernels {
		logits = append(logits, s.Unsqueeze(fcs.CallItem(i, &Linear{hidden, m.c, true}, z), 0))
	}
	weights := s.Call("softmax", Softmax{0}, s.Concat(0, logits...)) // [kernels, N, c]
	var total *onnxbuild.Value
	for i, y := range maps {
		w := s.Reshape(s.Slice(weights, 0, int64(i), int64(i+1)), s.Ints("column", -1, int64(m.c), 1, 1))
		if y = s.Mul(y, w); total == nil {
			total = y
		} else {
			total = s.Add(total, y)
		}
	}
	return total
}

package modules

import (
	"slices"

	"ysc2onnx/onnxbuild"
)

var (
	bifpnAdd2Class    = Class{Path: "models.common.BiFPN_Add2"}
	bifpnAdd3Class    = Class{Path: "models.common.BiFPN_Add3"}
	bifpnConcat2Class = Class{Path: "models.common.BiFPN_Concat2"}
	bifpnConcat3Class = Class{Path: "models.common.BiFPN_Concat3"}
	concatBiFPNClass  = Class{Path: "models.common.Concat_bifpn"}
)

var (
	bifpnAdd2Spec    = bifpnAdd("BiFPN_Add2", &bifpnAdd2Class, 2)
	bifpnAdd3Spec    = bifpnAdd("BiFPN_Add3", &bifpnAdd3Class, 3)
	bifpnConcat2Spec = bifpnConcat("BiFPN_Concat2", &bifpnConcat2Class, 2)
	bifpnConcat3Spec = bifpnConcat("BiFPN_Concat3", &bifpnConcat3Class, 3)
	concatBiFPNSpec  = Spec{
		Name: "Concat_bifpn", Class: &concatBiFPNClass, Wiring: largestInput, Source: "Tan et al., CVPR 2020; YOLOv5's forks",
		Doc: "two or three maps added by trained weights, ReLU and a 1x1 Conv: c1, c2, as they are",
		Join: func(a *Args) Joiner {
			c1, c2 := a.Positive("c1", 1), a.Positive("c2", 1)
			if n := len(a.In); n != 2 && n != 3 {
				a.Errorf("adds 2 or 3 maps, but reads %d", n)
			}
			return &ConcatBiFPN{conv: NewConv1x1(c1, c2, a.Act), c1: c1}
		},
	}
)

// largestInput is (*args) of a module with several inputs, for which forks book the largest number of channels.
func largestInput(a *Args) []int { return []int{slices.Max(a.In)} }

func bifpnAdd(name string, class *Class, n int) Spec {
	return Spec{
		Name: name, Class: class, Wiring: largestInput, Source: "Tan et al., CVPR 2020; YOLOv5's forks",
		Doc: "maps added by trained weights, SiLU and a 1x1 convolution: c1, c2, as they are",
		Join: func(a *Args) Joiner {
			c1, c2 := a.Positive("c1", 1), a.Positive("c2", 1)
			a.expectInputs(n)
			conv := pointwise(c1, c2)
			conv.Bias = true
			return &BiFPNAdd{class: class, n: n, conv: conv}
		},
	}
}

func bifpnConcat(name string, class *Class, n int) Spec {
	return Spec{
		Name: name, Class: class, Wiring: Sums, Source: "Tan et al., CVPR 2020; YOLOv5's forks",
		Doc: "joins maps by trained weights: dimension=1",
		Join: func(a *Args) Joiner {
			concat := concatArgs(a)
			a.expectInputs(n)
			return &BiFPNConcat{class: class, n: n, concat: concat}
		},
	}
}

func (a *Args) expectInputs(n int) {
	if len(a.In) != n {
		a.Errorf("takes %d maps, but reads %d", n, len(a.In))
	}
}

// fuse is fast normalised fusion (Tan et al., CVPR 2020): each of the maps times its part of the sum of the weights, which
// no ReLU keeps positive in this code.
func fuse(s *Scope, w *onnxbuild.Value, maps []*onnxbuild.Value) []*onnxbuild.Value {
	var parts, out []*onnxbuild.Value
	for i := range maps {
		parts = append(parts, s.Slice(w, 0, int64(i), int64(i+1)))
	}
	sum := parts[0]
	for _, part := range parts[1:] {
		sum = s.Add(sum, part)
	}
	sum = s.Add(sum, s.Scalar("epsilon", float32(s.Number("epsilon", 1e-4))))
	for i, x := range maps {
		out = append(out, s.Mul(x, s.Div(parts[i], sum)))
	}
	return out
}

// fusedSum is the sum of the maps by their weights; all must have c channels.
func fusedSum(s *Scope, w *onnxbuild.Value, maps []*onnxbuild.Value, c int) *onnxbuild.Value {
	for _, x := range maps {
		s.ExpectChannels(x, c)
	}
	parts := fuse(s, w, maps)
	y := parts[0]
	for _, x := range parts[1:] {
		y = s.Add(y, x)
	}
	return y
}

// BiFPNAdd adds n maps by trained weights. n times [N, c1, H, W] -> [N, c2, H, W].
type BiFPNAdd struct {
	class *Class
	n     int
	conv  *Conv2d
}

// Class is BiFPN_Add2 or BiFPN_Add3.
func (m *BiFPNAdd) Class() *Class { return m.class }

// Forward is conv(silu(Σ wᵢ·xᵢ / (Σ wᵢ + ε))).
func (m *BiFPNAdd) Forward(s *Scope, inputs []*onnxbuild.Value) *onnxbuild.Value {
	y := fusedSum(s, s.Param("w", Constant(1), int64(m.n)), inputs, m.conv.C1)
	return s.Call("conv", m.conv, s.CallActivation("silu", SiLU(), y))
}

// BiFPNConcat joins n maps, each times its part of the trained weights.
type BiFPNConcat struct {
	class  *Class
	n      int
	concat *Concat
}

// Class is BiFPN_Concat2 or BiFPN_Concat3.
func (m *BiFPNConcat) Class() *Class { return m.class }

// Forward is cat(wᵢ·xᵢ / (Σ wᵢ + ε)).
func (m *BiFPNConcat) Forward(s *Scope, inputs []*onnxbuild.Value) *onnxbuild.Value {
	return m.concat.Forward(s, fuse(s, s.Param("w", Constant(1), int64(m.n)), inputs))
}

// ConcatBiFPN adds two or three maps by trained weights of its own for either number. [N, c1, H, W] each -> [N, c2, H, W].
type ConcatBiFPN struct {
	c1   int
	conv *Conv
}

// Class is Concat_bifpn.
func (m *ConcatBiFPN) Class() *Class { return &concatBiFPNClass }

// Forward is conv(relu(Σ wᵢ·xᵢ / (Σ wᵢ + ε))), where w is w1 for two maps and w2 for three; some forks call them w1_weight
// and w2_weight. Both are parameters, whichever is used.
func (m *ConcatBiFPN) Forward(s *Scope, inputs []*onnxbuild.Value) *onnxbuild.Value {
	ending := ""
	if s.Has("w1_weight") {
		ending = "_weight"
	}
	w := []*onnxbuild.Value{s.Param("w1"+ending, Constant(1), 2), s.Param("w2"+ending, Constant(1), 3)}
	y := fusedSum(s, w[len(inputs)-2], inputs, m.c1)
	return s.Call("conv", m.conv, s.CallActivation("act", ReLU(), y))
}

package modules

import "ysc2onnx/onnxbuild"

// The formulas of the published code, as --scconv names them: its author changed it twice, and YOLOv5's tutorial has its own.
const (
	softmaxSRU  = "softmax"
	maskSRU     = "mask"
	normmaskSRU = "normmask"
	whereSRU    = "where"
)

var sruClass = Class{Path: "models.common.SRU", Flavours: []Flavour{
	{Name: softmaxSRU, Doc: "softmax(gamma)", Keys: map[string]int{"gn.gamma": 3}},
	{Name: maskSRU, Doc: "gamma / sum(gamma)", Keys: map[string]int{"gn.gamma": 3}, Rare: map[string]int{"gn.weight": 3}},
	{Name: normmaskSRU, Doc: "weight / sum(weight), gating what is normalised", Keys: map[string]int{"gn.weight": 3}},
	{Name: whereSRU, Doc: "weight / sum(weight), the gates 1 or 0 or open", Keys: map[string]int{"gn.weight": 1}, Rare: map[string]int{"gn.weight": 3}},
}}

// SRU is the spatial reconstruction unit: two gates made from the scale of the normalisation part x into an informative and
// a redundant map, whose halves are added crosswise. It keeps the shape.
type SRU struct {
	c      int
	groups int // 0: the flavour's default
	gate   float64
}

// Class is SRU.
func (m *SRU) Class() *Class { return &sruClass }

// Forward is cat(x1[:h] + x2[h:], x1[h:] + x2[:h]), where x1 and x2 are what the gates leave of x: with g = gn(x),
// r = σ(g·w) and the threshold t
//
//	softmax   w = softmax(gamma)           (w > t)·r·x, (w ≤ t)·r·x
//	mask      w = gamma / sum(gamma)       (r ≥ t)·x, (r < t)·x
//	normmask  w = weight / sum(weight)     (r ≥ t)·g, (r < t)·g
//	where     w = weight / sum(weight)     (1 if r > t, else r)·x, (0 if r > t, else r)·x
func (m *SRU) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	if m.c%2 != 0 {
		s.Err("%d channels cannot be halved", m.c)
		return x
	}
	flavour := s.Flavour()
	gn := m.norm(s, flavour)
	g := s.Call("gn", gn, x)
	w := gn.scale(s.Child("gn"))
	if flavour == softmaxSRU {
		w = s.Softmax(w, 0)
	} else {
		w = s.Div(w, s.ReduceSum(w, 0))
	}
	r := s.Call("sigomid", Sigmoid(), s.Mul(g, w))
	t := s.Scalar("gate_treshold", float32(s.Number("gate_treshold", m.gate)))
	number := func(gate *onnxbuild.Value) *onnxbuild.Value { return s.Cast(gate, onnxbuild.Float32) }
	var x1, x2 *onnxbuild.Value
	switch flavour {
	case softmaxSRU:
		x1 = s.Mul(s.Mul(number(s.Greater(w, t)), r), x)
		x2 = s.Mul(s.Mul(number(s.LessOrEqual(w, t)), r), x)
	case maskSRU:
		x1, x2 = s.Mul(number(s.GreaterOrEqual(r, t)), x), s.Mul(number(s.Less(r, t)), x)
	case normmaskSRU:
		x1, x2 = s.Mul(number(s.GreaterOrEqual(r, t)), g), s.Mul(number(s.Less(r, t)), g)
	case whereSRU:
		rich := s.Greater(r, t)
		x1 = s.Mul(s.Where(rich, s.Scalar("one", 1), r), x)
		x2 = s.Mul(s.Where(rich, s.Scalar("zero", 0), r), x)
	}
	h := int64(m.c / 2)
	a, b := s.Split(x1, 1, h, h), s.Split(x2, 1, h, h)
	return s.Concat(1, s.Add(a[0], b[1]), s.Add(a[1], b[0]))
}

// norm is a flavour's gn: a GroupBatchnorm2d, of which the author's first code has 16 groups and the later ones 4, or
// torch.nn's own in its place. A checkpoint's tensors tell which.
func (m *SRU) norm(s *Scope, flavour string) interface {
	Module
	scale(s *Scope) *onnxbuild.Value
} {
	weight, renamed := s.TensorShape("gn.weight")
	groups := m.groups
	if groups == 0 {
		groups = 16
		if flavour == normmaskSRU || flavour == whereSRU {
			groups = 4
		}
	}
	gn := &GroupBatchnorm2d{C: m.c, Groups: groups, Eps: 1e-10, Scale: "gamma", Shift: "beta"}
	switch {
	case renamed && len(weight) == 3, !renamed && flavour == normmaskSRU:
		gn.Scale, gn.Shift = "weight", "bias"
	case flavour == whereSRU:
		return &GroupNorm{C: m.c, Groups: groups}
	}
	return gn
}

package modules

import "ysc2onnx/onnxbuild"

var (
	emaClass = Class{Path: "models.common.EMA", Aliases: []string{"EMA_attention"}, Flavours: []Flavour{
		{Name: "grouped", Doc: "a 1x1 and a 3x3 convolution of each group", Keys: map[string]int{"conv1x1.weight": 4, "conv3x3.weight": 4, "gn.weight": 1}},
	}}
)

var emaSpec = Spec{
	Name: "EMA", Class: &emaClass, Wiring: Attends, Source: "Ouyang et al., ICASSP 2023; github.com/YOLOonMe/EMA-attention-module",
	Doc: "efficient multi-scale attention: c2, factor=8",
	New: func(a *Args) Module { return &EMA{a.C2, a.Positive("factor", 8)} },
}

// EMA weighs the places of each group of channels by two branches, of rows and columns and of a 3x3 convolution, each of
// them weighed by the means of the other (Ouyang et al., ICASSP 2023, and github.com/YOLOonMe/EMA-attention-module).
// [N, c, H, W], same out.
type EMA struct{ c, groups int }

// Class is EMA.
func (m *EMA) Class() *Class { return &emaClass }

// Forward is g · σ(softmax(mean(p)) · q + softmax(mean(q)) · p) of each group g, with q = conv3x3(g) and
// p = gn(g · σ(h) · σ(w)), where h and w are the parts of conv1x1(cat(mean of each row, mean of each column)).
func (m *EMA) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	s.Flavour()
	groups := m.groups
	if c := s.Rows("conv1x1.weight", 0); c > 0 {
		groups = m.c / c
	}
	if groups < 1 || m.c%groups != 0 {
		s.Err("%d channels do not form %d groups: factor must divide the channels", m.c, groups)
		return x
	}
	s.RequireNumber("groups", float64(groups))
	c := m.c / groups
	g := s.Reshape(x, s.WithMap(x, -1, int64(c)))
	one, three := pointwise(c, c), &Conv2d{C1: c, C2: c, Kernel: square(3), Stride: square(1), Pad: square(1), Dilation: square(1), Groups: 1, Bias: true}
	one.Bias = true
	rows, columns := s.splitLines(g, s.Call("conv1x1", one, s.rowsAndColumns(g)))
	p := s.Call("gn", &GroupNorm{c, c}, s.Mul(s.Mul(g, s.Sigmoid(rows)), s.Sigmoid(columns)))
	q := s.Call("conv3x3", three, g)
	y := s.Add(m.weighed(s, p, q), m.weighed(s, q, p))
	y = s.Reshape(y, s.WithMap(g, -1, 1))
	return s.Reshape(s.Mul(g, s.Sigmoid(y)), s.WithMap(x, -1, int64(m.c)))
}

// weighed is the sum of the channels of y, weighed by the softmax of the means of those of x: [N, c, H, W] twice ->
// [N, 1, H·W].
func (m *EMA) weighed(s *Scope, x, y *onnxbuild.Value) *onnxbuild.Value {
	mean := s.Reshape(s.Call("agp", AdaptiveAvgPool2d{}, x), s.Ints("line", 0, 1, -1))
	weights := s.Call("softmax", Softmax{-1}, mean) // [N, 1, c]
	return s.MatMul(weights, s.Reshape(y, s.Ints("pixels", 0, 0, -1)))
}

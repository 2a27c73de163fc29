package modules

import "ysc2onnx/onnxbuild"

var (
	horBlockClass = Class{Path: "models.common.HorBlock"}
	gnConvClass   = Class{Path: "models.common.gnconv", Aliases: []string{"gnConv", "GNConv"}}
	c3HBClass     = Class{Path: "models.common.C3HB"}
)

var (
	horBlockSpec = Spec{
		Name: "HorBlock", Class: &horBlockClass, Wiring: Repeats, Source: "Rao et al., NeurIPS 2022; github.com/iscyy/yoloair",
		Doc: "HorNet's block, which keeps its channels and is one whatever its number: c2",
		New: func(a *Args) Module {
			residualRow(a)
			halvable(a, a.C1)
			return &HorBlock{a.C1}
		},
	}
	c3HBSpec = Spec{
		Name: "C3HB", Class: &c3HBClass, Wiring: Repeats, Source: "Rao et al., NeurIPS 2022; github.com/iscyy/yoloair",
		Doc: "C3 with HorNet's blocks inside: c2, shortcut and g (not used), e=0.5",
		New: func(a *Args) Module {
			a.Bool("shortcut", true)
			a.Positive("g", 1)
			e := a.Float("e", 0.5)
			halvable(a, int(float64(a.C2)*e))
			return NewCSP(&c3HBClass, a.C1, a.C2, e, a.Act, a.N, func(hidden int) Module { return &HorBlock{hidden} })
		},
	}
)

// gnConvOrder is the order of gnconv that HorBlock takes.
const gnConvOrder = 5

// halvable refuses channels that cannot be halved as often as gnconv does.
func halvable(a *Args, c int) {
	if least := 1 << (gnConvOrder - 1); c%least != 0 {
		a.Errorf("%d channels cannot be halved %d times: a multiple of %d is needed", c, gnConvOrder-1, least)
	}
}

// HorBlock is the block of HorNet (Rao et al., NeurIPS 2022), as in github.com/iscyy/yoloair: recursive gated convolutions
// and a perceptron, each added to what it gets. [N, c, H, W], same out.
type HorBlock struct{ c int }

// Class is HorBlock.
func (m *HorBlock) Class() *Class { return &horBlockClass }

// Forward is y + gamma2 · mlp(norm2(y)) with y = x + gamma1 · gnconv(norm1(x)).
func (m *HorBlock) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	y := s.Call("gnconv", &gnConv{m.c}, s.Call("norm1", &forkLayerNorm{m.c, true}, x))
	if s.scaled("gamma1") {
		gamma := s.Param("gamma1", Constant(1), int64(m.c))
		y = s.Mul(s.Reshape(gamma, s.Ints("column", int64(m.c), 1, 1)), y)
	}
	x = s.Add(x, s.callDropPath(y))
	return s.Add(x, s.callDropPath(s.perPixel(x, "norm2", m.c, "gamma2")))
}

// gnConv is the recursive gated convolution: a map of few channels, widened step by step, and at each step multiplied
// with what one depthwise convolution gives. [N, c, H, W], same out.
type gnConv struct{ c int }

// Class is gnconv.
func (m *gnConv) Class() *Class { return &gnConvClass }

// Forward is proj_out(yₙ) with y₁ = p·d₁ and yᵢ₊₁ = pwsᵢ(yᵢ)·dᵢ₊₁, where p and what dwconv makes of to d₁ … dₙ are the parts
// of proj_in(x), of c/2ⁿ⁻¹, … c/2, c channels.
func (m *gnConv) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	s.RequireNumber("order", gnConvOrder)
	dims, sum := make([]int64, gnConvOrder), int64(0)
	want := make([]float64, gnConvOrder)
	for i := range dims {
		dims[i] = int64(m.c >> (gnConvOrder - 1 - i))
		want[i], sum = float64(dims[i]), sum+dims[i]
	}
	for i, d := range s.Numbers("dims", want...) {
		if d != want[i] {
			s.Err("the checkpoint's dims are %s; only %s are converted", numbersText(s.Numbers("dims", want...)...), numbersText(want...))
			return x
		}
	}
	biased := func(c1, c2, kernel, groups int) *Conv2d {
		return &Conv2d{C1: c1, C2: c2, Kernel: square(kernel), Stride: square(1), Pad: square(kernel / 2), Dilation: square(1), Groups: groups, Bias: true}
	}
	parts := s.Split(s.Call("proj_in", biased(m.c, 2*m.c, 1, 1), x), 1, dims[0], sum)
	wide := s.Call("dwconv", biased(int(sum), int(sum), 7, int(sum)), parts[1])
	if scale := s.Number("scale", 1); scale != 1 {
		wide = s.Mul(wide, s.Scalar("scale", float32(scale)))
	}
	gates := s.Split(wide, 1, dims...)
	y := s.Mul(parts[0], gates[0])
	items := s.Items("pws")
	for i, gate := range gates[1:] {
		y = s.Mul(items.CallItem(i, biased(int(dims[i]), int(dims[i+1]), 1, 1), y), gate)
	}
	return s.Call("proj_out", biased(m.c, m.c, 1, 1), y)
}

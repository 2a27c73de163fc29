package modules

import (
	"ysc2onnx/onnxbuild"
)

// The two forms in which CARAFE occurs.
const (
	carafeComp = "comp" // keeps the channels; its convolutions are YOLOv5's Conv
	carafeDown = "down" // a 1x1 convolution behind; plain convolutions
)

var (
	carafeClass = Class{Path: "models.common.CARAFE", Flavours: []Flavour{
		{Name: carafeComp, Doc: "YOLOv5's Convs comp and enc", Keys: map[string]int{"comp.conv.weight": 4, "enc.conv.weight": 4}},
		{Name: carafeDown, Doc: "convolutions down, encoder and out", Keys: map[string]int{"down.weight": 4, "encoder.weight": 4, "out.weight": 4}},
	}}
	pixelShuffleClass = Class{Path: "torch.nn.modules.pixelshuffle.PixelShuffle"}
	unfoldClass       = Class{Path: "torch.nn.modules.fold.Unfold"}
)

var carafeSpec = Spec{
	Name: "CARAFE", Class: &carafeClass, Source: "Wang et al., ICCV 2019; YOLOv5's forks",
	Doc: "upsampling by weights that the map gives itself: k_enc=3, k_up=5, c_mid=64, scale=2, or c2, kernel_size=3, up_factor=2",
	Wiring: func(a *Args) []int {
		if a.carafeForm() == carafeDown {
			return Scaled(a)
		}
		a.prependShown(a.C1)
		return []int{a.C1}
	},
	New: func(a *Args) Module {
		if a.carafeForm() == carafeDown {
			k, scale := a.window("kernel_size", 3), a.Positive("up_factor", 2)
			return &CARAFE{form: carafeDown, c1: a.C1, c2: a.C2, encoder: k, window: k, middle: a.C1 / 4, scale: scale}
		}
		encoder, window := a.Odd("k_enc", 3), a.window("k_up", 5)
		return &CARAFE{form: carafeComp, c1: a.C1, c2: a.C1, encoder: encoder, window: window, middle: a.Positive("c_mid", 64), scale: a.Positive("scale", 2), act: a.Act}
	},
}

// window takes the width of CARAFE's window, as each of its pixels becomes several nodes.
func (a *Args) window(name string, def int) int {
	const most = 31
	k := a.Odd(name, def)
	if k > most {
		a.Errorf("argument %s is %d, expected at most %d", name, k, most)
		return def
	}
	return k
}

// carafeForm is the form that a checkpoint's tensors show, or else the one whose first argument a row has: a small odd number
// is a kernel, any other one channels.
func (a *Args) carafeForm() string {
	if f, _, ok := carafeClass.choose(a.trained, a.path(), ""); ok && a.trained != nil {
		return f.Name
	}
	if args := a.row.Args; len(args) > 0 {
		if n, number := args[0].Number(); !number || n > 7 || int(n)%2 == 0 {
			return carafeDown
		}
	}
	return carafeComp
}

// CARAFE is content-aware reassembly of features (Wang et al., ICCV 2019). [N, c1, H, W] -> [N, c2, H·scale, W·scale].
type CARAFE struct {
	form            string
	c1, c2          int
	encoder, window int // kernels: of the encoder, and of what a pixel is made of
	middle, scale   int
	act             *Activation
}

// Class is CARAFE.
func (m *CARAFE) Class() *Class { return &carafeClass }

// Forward gives each pixel of the larger map as a sum over the window around its place in the smaller one, by weights whose
// softmax is taken over the window.
func (m *CARAFE) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	weights := m.scale * m.scale * m.window * m.window
	if m.form == carafeDown {
		s.RequireNumber("kernel_size", float64(m.window))
		s.RequireNumber("up_factor", float64(m.scale))
		down := pointwise(m.c1, m.middle)
		encoder := &Conv2d{C1: m.middle, C2: weights, Kernel: square(m.encoder), Stride: square(1), Pad: square(m.encoder / 2), Dilation: square(1), Groups: 1, Bias: true}
		out := pointwise(m.c1, m.c2)
		down.Bias, out.Bias = true, true
		w := s.DepthToSpace(s.Call("encoder", encoder, s.Call("down", down, x)), int64(m.scale), true)
		return s.Call("out", out, m.reassemble(s, s.Upsample(x, int64(m.scale), int64(m.scale)), s.Softmax(w, 1)))
	}
	s.RequireNumber("scale", float64(m.scale))
	w := s.Call("comp", NewConv1x1(m.c1, m.middle, m.act), x)
	w = s.Call("enc", NewConv(m.middle, weights, ConvArgs{Kernel: square(m.encoder), Stride: square(1), Pad: square(-1), Groups: 1, Dilation: 1}, nil), w)
	w = s.Softmax(s.Call("pix_shf", pixelShuffle(m.scale), w), 1)
	return s.Call("unfold", &reassembly{m, w}, s.Call("upsmp", &Upsample{FactorH: m.scale, FactorW: m.scale}, x))
}

// reassemble is Σₖ w[:, k] · shiftedₖ(x): x is as large as the weights, and the window's pixels are scale apart in it.
func (m *CARAFE) reassemble(s *Scope, x, w *onnxbuild.Value) *onnxbuild.Value {
	if x.Refused() || w.Refused() {
		return x
	}
	margin := int64(m.window / 2 * m.scale)
	x = s.Pad(x, "constant", 0, 0, 0, margin, margin, 0, 0, margin, margin)
	cut := func(axis int64, i int) onnxbuild.Cut {
		c := onnxbuild.Cut{Axis: axis, From: int64(i * m.scale), To: -int64((m.window - 1 - i) * m.scale)}
		if c.To == 0 {
			c.To = onnxbuild.ToEnd
		}
		return c
	}
	var y *onnxbuild.Value
	for i := range m.window * m.window {
		part := s.Mul(s.Slices(x, cut(2, i/m.window), cut(3, i%m.window)), s.Slice(w, 1, int64(i), int64(i+1)))
		if y == nil {
			y = part
		} else {
			y = s.Add(y, part)
		}
	}
	return y
}

// pixelShuffle is torch.nn.PixelShuffle.
type pixelShuffle int

// Class is torch.nn.PixelShuffle.
func (pixelShuffle) Class() *Class { return &pixelShuffleClass }

// Forward moves channels into squares of pixels.
func (m pixelShuffle) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	s.RequireNumber("upscale_factor", float64(m))
	return s.DepthToSpace(x, int64(m), true)
}

// reassembly is CARAFE's sum in the place of its torch.nn.Unfold, which would keep the whole window of each pixel.
type reassembly struct {
	carafe  *CARAFE
	weights *onnxbuild.Value
}

// Class is torch.nn.Unfold.
func (*reassembly) Class() *Class { return &unfoldClass }

// Forward adds the sum.
func (m *reassembly) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	c := m.carafe
	s.RequireNumber("kernel_size", float64(c.window))
	s.RequireNumber("dilation", float64(c.scale))
	s.RequireNumber("padding", float64(c.window/2*c.scale))
	s.RequireNumber("stride", 1)
	return c.reassemble(s, x, m.weights)
}

package modules

import (
	"ysc2onnx/diag"
	"ysc2onnx/onnxbuild"
)

// What the name SCConv means: in its paper a self-calibrated convolution, and in some forks ScConv.
const calibratedConv = "self-calibrated"

var (
	// scConvNameClass tells what a row of this name is.
	scConvNameClass = Class{Path: "models.common.SCConv", Aliases: []string{"SCCONV"}, Flavours: []Flavour{
		{Name: calibratedConv, Doc: "convolutions and batch norms in a Sequential", Keys: map[string]int{"k2.1.weight": 4, "k3.0.weight": 4, "k4.0.weight": 4}},
		{Name: calibratedConv, Doc: "YOLOv5's Conv", Keys: map[string]int{"k2.1.conv.weight": 4, "k3.conv.weight": 4, "k4.conv.weight": 4}},
		{Name: plainScConv, Doc: "spatial and channel reconstruction", Keys: map[string]int{"CRU.squeeze1.weight": 4}},
	}}
	selfCalibratedClass = Class{Path: "models.common.SCConv", Aliases: []string{"SCCONV"}}
)

var scConvNameSpec = Spec{
	Name: "SCConv", Aliases: []string{"SCCONV"}, Class: &scConvNameClass, Wiring: ScaledOrKeeps, Source: "Liu et al., CVPR 2020; YOLOv5's forks",
	Doc: "self-calibrated convolution, or ScConv where a checkpoint's tensors are its own: c2, s=1, d=1, g=1, pooling_r=4",
	New: func(a *Args) Module {
		if a.Flavour(&scConvNameClass) == plainScConv {
			return newScConv(a)
		}
		if a.trained == nil {
			a.Warnf(diag.ModuleSpelling, "is taken as the self-calibrated convolution (Liu et al., CVPR 2020); spatial and channel reconstruction is spelled ScConv")
		}
		return NewSCConv(a.C1, a.C2, a.Positive("s", 1), a.Positive("d", 1), a.Positive("g", 1), a.Positive("pooling_r", 4))
	},
}

// SCConv is the self-calibrated convolution (Liu et al., CVPR 2020): what the input gives at a lower resolution, added to the
// input, gates a convolution of it. [N, c1, H, W] -> [N, c2, H/s, W/s].
type SCConv struct {
	c1, c2, stride, dilation, groups int
	pool                             int // how much smaller the map of k2 is
}

// NewSCConv makes an SCConv of 3x3 convolutions; the stride is that of the last one.
func NewSCConv(c1, c2, stride, dilation, groups, pool int) *SCConv {
	return &SCConv{c1: c1, c2: c2, stride: stride, dilation: dilation, groups: groups, pool: pool}
}

// Class is SCConv.
func (m *SCConv) Class() *Class { return &selfCalibratedClass }

// Forward is k4(k3(x) · σ(x + up(k2(x)))), where k2 halves the map pool by pool and up brings it to the size of x, by the
// nearest pixel.
func (m *SCConv) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	if m.c1 != m.c2 {
		s.Err("its convolutions give %d channels, which are added to the %d of its input", m.c2, m.c1)
		return x
	}
	low := s.Call("k2", append(Sequential{&AvgPool2d{Kernel: m.pool}}, m.convolution(s, "k2.1", 1)...), x)
	gate := s.Sigmoid(s.Add(x, m.up(s, low, x)))
	k3 := unwrapped(m.convolution(s, "k3", 1))
	k4 := unwrapped(m.convolution(s, "k4", m.stride))
	return s.Call("k4", k4, s.Mul(s.Call("k3", k3, x), gate))
}

// convolution is a 3x3 convolution with a batch norm and no activation: YOLOv5's Conv where a checkpoint has one at that
// place, or the two by themselves.
func (m *SCConv) convolution(s *Scope, place string, stride int) Sequential {
	args := ConvArgs{Kernel: square(3), Stride: square(stride), Pad: square(-1), Groups: m.groups, Dilation: m.dilation}
	conv := NewConv(m.c1, m.c2, args, nil)
	if s.Has(place + ".conv.weight") {
		return Sequential{conv}
	}
	return Sequential{conv.conv, conv.bn}
}

// unwrapped is the only module of a Sequential, or the Sequential.
func unwrapped(q Sequential) Module {
	if len(q) == 1 {
		return q[0]
	}
	return q
}

// up repeats the pixels of a map so that it is as large as another one, as torch.nn.functional.interpolate does in mode
// nearest.
func (m *SCConv) up(s *Scope, low, x *onnxbuild.Value) *onnxbuild.Value {
	if low.Refused() || x.Refused() {
		return x
	}
	for axis := range int64(2) {
		low = s.Gather(low, s.nearest(low, x, 2+axis), 2+axis)
	}
	return low
}

// nearest are the pixels along an axis of a map that one as large as another is made of: pixel i of n is ⌊i·(m/n)⌋ of m, in
// float32. ONNX's Resize computes i/(n/m), which now and then rounds to the pixel beside it: at 114 pixels of 28. Sizes for
// which it would do get the same nodes as any other, because the check of numbers runs a small image.
func (s *Scope) nearest(from, to *onnxbuild.Value, axis int64) *onnxbuild.Value {
	size := func(x *onnxbuild.Value) *onnxbuild.Value {
		return s.Squeeze(s.Sizes(x, int(axis), int(axis)+1), 0)
	}
	m, n := s.Cast(size(from), onnxbuild.Float32), size(to)
	i := s.Cast(s.Range(s.Int("zero", 0), n, s.Int("one", 1)), onnxbuild.Float32)
	i = s.Floor(s.Mul(i, s.Div(m, s.Cast(n, onnxbuild.Float32))))
	return s.Cast(s.Min(i, s.Sub(m, s.Scalar("last", 1))), onnxbuild.Int64)
}

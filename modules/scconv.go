package modules

import (
	"slices"
	"strconv"

	"ysc2onnx/onnxbuild"
)

var (
	scConvClass         = Class{Path: "models.common.ScConv"}
	sruClass            = Class{Path: "models.common.SRU"}
	cruClass            = Class{Path: "models.common.CRU"}
	groupBatchnormClass = Class{Path: "models.common.GroupBatchnorm2d"}
)

var scConvSpec = Spec{
	Name: "ScConv", Class: &scConvClass, Wiring: Scaled,
	Doc: "spatial and channel reconstruction: c2 (becomes group_num), gate_treshold=0.5, alpha=0.5, squeeze_radio=2, group_size=2, group_kernel_size=3",
	New: newScConv,
}

// newScConv is wired as in the tutorial's parser, which hands c2 to the parameter group_num.
func newScConv(a *Args) Module {
	args := ScConvArgs{Groups: a.C2}
	written := len(a.rest)
	args.Gate = a.Float("gate_treshold", defaultScConv.Gate)
	args.Alpha = a.Float("alpha", defaultScConv.Alpha)
	args.Squeeze = a.Positive("squeeze_radio", defaultScConv.Squeeze)
	args.GroupSize = a.Positive("group_size", defaultScConv.GroupSize)
	args.GroupKernel = a.Odd("group_kernel_size", defaultScConv.GroupKernel)
	switch {
	case a.C1 != a.C2:
		a.Errorf("gets %d channels and is given %d: it keeps its channels, while YOLOv5 counts on those given; write the channels of its input (before width_multiple)", a.C1, a.C2)
	case written > 0 && (args.Gate < 0 || args.Gate >= 1):
		a.Warnf("the second argument %g is the gate's threshold, to which a softmax between 0 and 1 is compared: it does not set the groups, which are as many as channels (%d)", args.Gate, a.C2)
	}
	if n := a.row.Number; n > 1 && a.model.ScaleDepth(n) == 1 {
		a.WarnAt(a.row.NumberSpan, "the number %d does nothing: depth_multiple %g makes it 1", n, a.model.DepthMultiple)
	}
	return NewScConv(a.C1, args)
}

// ScConv is spatial and channel reconstruction convolution (Li et al., CVPR 2023): CRU(SRU(x)). It keeps the shape.
type ScConv struct {
	sru *SRU
	cru *CRU
}

// ScConvArgs are the arguments of ScConv that have defaults.
type ScConvArgs struct {
	Groups      int     // group_num, of the group normalisation
	Gate        float64 // gate_treshold, as the published code spells it
	Alpha       float64 // the share of channels in the upper part
	Squeeze     int     // squeeze_radio: what the channels of both parts are divided by
	GroupSize   int     // groups of the group-wise convolution
	GroupKernel int     // its kernel
}

// defaultScConv are the defaults of the published code.
var defaultScConv = ScConvArgs{Groups: 16, Gate: 0.5, Alpha: 0.5, Squeeze: 2, GroupSize: 2, GroupKernel: 3}

// NewScConv makes an ScConv for c channels.
func NewScConv(c int, a ScConvArgs) *ScConv {
	return &ScConv{
		sru: &SRU{c: c, gate: a.Gate, gn: &GroupBatchnorm2d{C: c, Groups: a.Groups, Eps: 1e-10}},
		cru: newCRU(c, a),
	}
}

// Class is ScConv.
func (m *ScConv) Class() *Class { return &scConvClass }

// Forward is CRU(SRU(x)).
func (m *ScConv) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	return s.Call("CRU", m.cru, s.Call("SRU", m.sru, x))
}

// GroupBatchnorm2d normalises groups of channels by their mean and their unbiased standard deviation, eps added to the
// latter: (x - mean) / (std + eps) · gamma + beta. [N, c, H, W], same out.
type GroupBatchnorm2d struct {
	C, Groups int
	Eps       float64
}

func (m *GroupBatchnorm2d) gamma(s *Scope) *onnxbuild.Value {
	return s.Param("gamma", Normal(), int64(m.C), 1, 1)
}

// Class is GroupBatchnorm2d.
func (m *GroupBatchnorm2d) Class() *Class { return &groupBatchnormClass }

// Forward normalises x.
func (m *GroupBatchnorm2d) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	s.Expect(x, m.C)
	count := int(s.Number("group_num", float64(m.Groups)))
	if count < 1 || m.C%count != 0 {
		s.Err("%d channels do not form %d groups: group_num has to divide the channels", m.C, count)
		return x
	}
	groups := s.Reshape(x, s.Ints("groups", 0, int64(count), -1))
	if n, ok := groups.Dim(2).Static(); ok && n < 2 && !groups.Refused() {
		s.Err("each of the %d groups holds one number, whose standard deviation is not defined: PyTorch gives NaN; use fewer groups or a larger image", count)
		return x
	}
	d := s.Sub(groups, s.ReduceMean(groups, 2))
	variance := s.Div(s.ReduceSum(s.Mul(d, d), 2), m.degrees(s, groups))
	y := s.Div(d, s.Add(s.Sqrt(variance), s.Scalar("eps", float32(s.Epsilon(m.Eps)))))
	y = s.Reshape(y, s.WithMap(x, 0, int64(m.C)))
	return s.Add(s.Mul(y, m.gamma(s)), s.Param("beta", Constant(0), int64(m.C), 1, 1))
}

// degrees is the number of elements of a group less one, by which the unbiased variance divides.
func (m *GroupBatchnorm2d) degrees(s *Scope, groups *onnxbuild.Value) *onnxbuild.Value {
	if n, ok := groups.Dim(2).Static(); ok {
		return s.Scalar("degrees", float32(n-1))
	}
	n := s.Cast(s.Sizes(groups, 2, 3), onnxbuild.Float32)
	return s.Sub(n, s.Scalar("one", 1))
}

// SRU is the spatial reconstruction unit, flavour softmax: two gates made from the scale of the normalisation part x
// into an informative and a redundant map, whose halves are added crosswise. It keeps the shape.
type SRU struct {
	c    int
	gate float64
	gn   *GroupBatchnorm2d
}

// Class is SRU.
func (m *SRU) Class() *Class { return &sruClass }

// Forward is cat(x1[:h] + x2[h:], x1[h:] + x2[:h]) with x1 = (w > t)·r·x, x2 = (w ≤ t)·r·x, r = σ(gn(x)·w) and
// w = softmax(gamma) over the channels.
func (m *SRU) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	if m.c%2 != 0 {
		s.Err("%d channels cannot be halved", m.c)
		return x
	}
	g := s.Call("gn", m.gn, x)
	w := s.Softmax(m.gn.gamma(s.Child("gn")), 0)
	r := s.Call("sigomid", Sigmoid(), s.Mul(g, w))
	t := s.Scalar("gate_treshold", float32(s.Number("gate_treshold", m.gate)))
	x1 := s.Mul(s.Mul(s.Cast(s.Greater(w, t), onnxbuild.Float32), r), x)
	x2 := s.Mul(s.Mul(s.Cast(s.LessOrEqual(w, t), onnxbuild.Float32), r), x)
	h := int64(m.c / 2)
	a, b := s.Split(x1, 1, h, h), s.Split(x2, 1, h, h)
	return s.Concat(1, s.Add(a[0], b[1]), s.Add(a[1], b[0]))
}

// CRU is the channel reconstruction unit: the channels are parted, squeezed, transformed by a group-wise and two
// point-wise convolutions, and weighed by the softmax of their averages. It keeps the shape.
type CRU struct {
	c, up, low                          int // channels: all, and those of the two parts
	upSqueezed, lowSqueezed             int
	groups, kernel                      int // of gwc
	squeeze1, squeeze2, gwc, pwc1, pwc2 *Conv2d
}

func newCRU(c int, a ScConvArgs) *CRU {
	up := int(a.Alpha * float64(c))
	squeeze := max(a.Squeeze, 1)
	m := &CRU{c: c, up: up, low: c - up, upSqueezed: up / squeeze, lowSqueezed: (c - up) / squeeze, groups: a.GroupSize, kernel: a.GroupKernel}
	return m.layers()
}

// layers makes the convolutions.
func (m *CRU) layers() *CRU {
	m.squeeze1, m.squeeze2 = pointwise(m.up, m.upSqueezed), pointwise(m.low, m.lowSqueezed)
	m.gwc = &Conv2d{C1: m.upSqueezed, C2: m.c, Kernel: square(m.kernel), Stride: square(1), Pad: square(m.kernel / 2), Dilation: square(1),
		Groups: m.groups, Bias: true}
	m.pwc1, m.pwc2 = pointwise(m.upSqueezed, m.c), pointwise(m.lowSqueezed, m.c-m.lowSqueezed)
	return m
}

// trained is the unit as a checkpoint's tensors show it: their shapes tell alpha, squeeze_radio, group_size and
// group_kernel_size. Shapes that are no such unit's stay for the account of the tensors to report.
func (m *CRU) trained(s *Scope) *CRU {
	var shapes [3][]int64
	for i, name := range []string{"squeeze1.weight", "squeeze2.weight", "GWC.weight"} {
		shape, _ := s.TensorShape(name)
		if len(shape) != 4 || slices.Min(shape) < 1 || slices.Max(shape) > limit {
			return m
		}
		shapes[i] = shape
	}
	up, low, gwc := shapes[0], shapes[1], shapes[2]
	if up[1]+low[1] != int64(m.c) || up[0]%gwc[1] != 0 {
		return m
	}
	t := &CRU{c: m.c, up: int(up[1]), low: int(low[1]), upSqueezed: int(up[0]), lowSqueezed: int(low[0]),
		groups: int(up[0] / gwc[1]), kernel: int(gwc[2])}
	for _, part := range []struct {
		attribute      string
		value, instead int
	}{
		{"up_channel", t.up, m.up}, {"squeeze1.out_channels", t.upSqueezed, m.upSqueezed},
		{"squeeze2.out_channels", t.lowSqueezed, m.lowSqueezed}, {"GWC.groups", t.groups, m.groups}, {"GWC.kernel_size", t.kernel, m.kernel},
	} {
		if part.value != part.instead {
			s.Setting(part.attribute, strconv.Itoa(part.value), strconv.Itoa(part.instead))
		}
	}
	s.Only("up_channel", float64(t.up))
	s.Only("low_channel", float64(t.low))
	return t.layers()
}

// Class is CRU.
func (m *CRU) Class() *Class { return &cruClass }

// Forward is o[:c] + o[c:] with o = cat(GWC(u) + PWC1(u), PWC2(l), l) weighed by softmax(mean(o)), where u and l are the
// squeezed parts of x.
func (m *CRU) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	m = m.trained(s)
	if m.up < 1 || m.low < 1 || m.upSqueezed < 1 || m.lowSqueezed < 1 {
		s.Err("%d channels cannot be parted into %d and %d and squeezed to %d and %d", m.c, m.up, m.low, m.upSqueezed, m.lowSqueezed)
		return x
	}
	parts := s.Split(x, 1, int64(m.up), int64(m.low))
	u := s.Call("squeeze1", m.squeeze1, parts[0])
	l := s.Call("squeeze2", m.squeeze2, parts[1])
	y1 := s.Add(s.Call("GWC", m.gwc, u), s.Call("PWC1", m.pwc1, u))
	o := s.Concat(1, y1, s.Call("PWC2", m.pwc2, l), l)
	o = s.Mul(s.Softmax(s.Call("advavg", AdaptiveAvgPool2d{}, o), 1), o)
	halves := s.Split(o, 1, int64(m.c), int64(m.c))
	return s.Add(halves[0], halves[1])
}

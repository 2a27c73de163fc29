package modules

import (
	"slices"
	"strconv"

	"ysc2onnx/onnxbuild"
)

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

// Forward is CRU(SRU(x)).
func (m *ScConv) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	return m.cru.Forward(s.In("CRU"), m.sru.Forward(s.In("SRU"), x))
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

// Forward normalises x.
func (m *GroupBatchnorm2d) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	s.chans(x, m.C)
	count := int(s.number("GroupBatchnorm2d", "group_num", float64(m.Groups)))
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
	y := s.Div(d, s.Add(s.Sqrt(variance), s.Scalar("eps", float32(s.epsilon("GroupBatchnorm2d", m.Eps)))))
	y = s.Reshape(y, s.withMap(x, 0, int64(m.C)))
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

// Forward is cat(x1[:h] + x2[h:], x1[h:] + x2[:h]) with x1 = (w > t)·r·x, x2 = (w ≤ t)·r·x, r = σ(gn(x)·w) and
// w = softmax(gamma) over the channels.
func (m *SRU) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	if m.c%2 != 0 {
		s.Err("%d channels cannot be halved", m.c)
		return x
	}
	gn := s.In("gn")
	g := m.gn.Forward(gn, x)
	w := s.Softmax(m.gn.gamma(gn), 0)
	r := s.In("sigomid").Sigmoid(s.Mul(g, w))
	t := s.Scalar("gate_treshold", float32(s.number("SRU", "gate_treshold", m.gate)))
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
	pointwise := func(c1, c2 int) *Conv2d {
		return &Conv2d{C1: c1, C2: c2, Kernel: square(1), Stride: square(1), Dilation: square(1), Groups: 1}
	}
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
		shape, _ := s.shape(name)
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
			s.model.settings.add(s.path, Setting{Module: "CRU", Attribute: part.attribute, Value: strconv.Itoa(part.value), Instead: strconv.Itoa(part.instead)})
		}
	}
	return t.layers()
}

// Forward is o[:c] + o[c:] with o = cat(GWC(u) + PWC1(u), PWC2(l), l) weighed by softmax(mean(o)), where u and l are the
// squeezed parts of x.
func (m *CRU) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	m = m.trained(s)
	if m.up < 1 || m.low < 1 || m.upSqueezed < 1 || m.lowSqueezed < 1 {
		s.Err("%d channels cannot be parted into %d and %d and squeezed to %d and %d", m.c, m.up, m.low, m.upSqueezed, m.lowSqueezed)
		return x
	}
	parts := s.Split(x, 1, int64(m.up), int64(m.low))
	u := m.squeeze1.Forward(s.In("squeeze1"), parts[0])
	l := m.squeeze2.Forward(s.In("squeeze2"), parts[1])
	y1 := s.Add(m.gwc.Forward(s.In("GWC"), u), m.pwc1.Forward(s.In("PWC1"), u))
	o := s.Concat(1, y1, m.pwc2.Forward(s.In("PWC2"), l), l)
	o = s.Mul(s.Softmax(AdaptiveAvgPool2d{}.Forward(s.In("advavg"), o), 1), o)
	halves := s.Split(o, 1, int64(m.c), int64(m.c))
	return s.Add(halves[0], halves[1])
}

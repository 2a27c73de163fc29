package modules

import (
	"slices"
	"strconv"

	"ysc2onnx/onnxbuild"
)

var cruClass = Class{Path: "models.common.CRU"}

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
// group_kernel_size. Shapes that no such unit has are reported later, when all tensors are compared.
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
			s.NoteSetting(part.attribute, strconv.Itoa(part.value), strconv.Itoa(part.instead))
		}
	}
	s.RequireNumber("up_channel", float64(t.up))
	s.RequireNumber("low_channel", float64(t.low))
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

package modules

import "ysc2onnx/onnxbuild"

var (
	asffDetectClass = Class{Path: "models.yolo.ASFF_Detect", Inert: detectClass.Inert}
	asffClass       = Class{Path: "models.common.ASFFV5", Inert: []string{"dim", "inter_dim"}, Flavours: []Flavour{
		{Name: "conv", Doc: "the weights of the levels by a Conv", Keys: map[string]int{"weight_levels.conv.weight": 4}},
		{Name: "plain", Doc: "the weights of the levels by a convolution with bias", Keys: map[string]int{"weight_levels.weight": 4}},
	}}
)

var asffDetectSpec = Spec{
	Name: "ASFF_Detect", Class: &asffDetectClass, Wiring: Ends, Source: "Liu et al., 2019; github.com/iscyy/yoloair, github.com/lucasjinreal/yolov7_d2",
	Doc: "Detect over maps that are fused across three levels: nc, anchors, multiplier (as the channels tell), rfb=False, ch=(those of its inputs)",
	Head: func(a *Args) Head {
		m := &ASFFDetect{Detect: Detect{Classes: a.Positive("nc", 80), Channels: a.In}, act: a.Act, compressed: 16}
		anchors := a.Replaced("anchors")
		if len(a.rest) > 0 {
			if multiplier, number := a.rest[0].Number(); number {
				span := a.rest[0].Span
				a.Float("multiplier", 1)
				if len(a.In) == 3 && a.In[2] > 0 && int(1024*multiplier) != a.In[2] {
					a.ErrorAt(span, "argument multiplier is %g, which asks for %d channels of the third input; it has %d", multiplier, int(1024*multiplier), a.In[2])
				}
				if a.Bool("rfb", false) {
					m.compressed = 8
				}
			}
		}
		givenChannels(a)
		m.anchors(a, anchors)
		m.moreColumns(a, false)
		if in := a.In; len(in) != 3 || in[0] > 0 && in[1] > 0 && in[2] > 0 && (in[1] != 2*in[0] || in[2] != 4*in[0]) {
			a.ErrorAt(a.row.FromSpan, "fuses three inputs, each with twice the channels of the one before, got %s", intList(in))
		}
		return m
	},
}

// ASFFDetect is Detect over maps that are each a sum of all three, weighed pixel by pixel (Liu et al., Adaptively Spatial
// Feature Fusion, 2019; as in repositories iscyy/yoloair and lucasjinreal/yolov7_d2).
type ASFFDetect struct {
	Detect
	act        *Activation
	compressed int // channels of each level that the weights are made from
}

// Class is ASFF_Detect.
func (m *ASFFDetect) Class() *Class { return &asffDetectClass }

// Forward fuses the maps, and applies Detect's convolutions.
func (m *ASFFDetect) Forward(s *Scope, inputs []*onnxbuild.Value) *Raw {
	if len(inputs) != 3 {
		s.Err("%d inputs, expected 3", len(inputs))
		return nil
	}
	for _, x := range inputs {
		if x.Refused() {
			return nil
		}
	}
	fused := make([]*onnxbuild.Value, 3)
	for i, name := range []string{"l2_fusion", "l1_fusion", "l0_fusion"} { // the code counts from the coarsest map
		fused[i] = s.CallJoin(name, &asff{level: 2 - i, channels: m.Channels, compressed: m.compressed, act: m.act}, inputs...)
	}
	list := s.Items("m")
	return m.raw(s, inputs, func(i, anchors int, stride int64) *onnxbuild.Value {
		return list.CallItem(i, m.conv(m.Channels[i], anchors, stride), fused[i])
	})
}

// asff fuses three maps in the size of one, 0 the coarsest: [N, 4c, H, W], [N, 2c, 2H, 2W] and [N, c, 4H, 4W], given from the
// finest -> the same shape as that one.
type asff struct {
	level      int
	channels   []int // from the finest map
	compressed int
	act        *Activation
}

// Class is ASFFV5.
func (m *asff) Class() *Class { return &asffClass }

// Forward is expand(Σ wᵢ·xᵢ), w = softmax(weight_levels(cat(weight_level_i(xᵢ)))), where each xᵢ has been brought to the size and
// channels of the level: by convolutions, 1x1 before an upsampling, 3x3 with stride 2 to make it coarser.
func (m *asff) Forward(s *Scope, inputs []*onnxbuild.Value) *onnxbuild.Value {
	s.RequireNumber("level", float64(m.level))
	s.RequireNumber("vis", 0)
	c := m.channels[2-m.level]
	var xs [3]*onnxbuild.Value // from the coarsest
	for k := range xs {
		x, own := inputs[2-k], m.channels[2-k]
		switch names := [...]string{"compress_level_0", "compress_level_1"}; {
		case k < m.level: // coarser
			factor := int64(1) << (m.level - k)
			x = s.Call(names[k], NewConv1x1(own, c, m.act), x)
			x = s.Upsample(x, factor, factor)
		case k > m.level: // finer
			if k-m.level == 2 {
				x = s.MaxPool(x, window(square(3), square(2), square(1), square(1)))
			}
			down := ConvArgs{Kernel: square(3), Stride: square(2), Pad: square(-1), Groups: 1, Dilation: 1}
			x = s.Call([...]string{"", "stride_level_1", "stride_level_2"}[k], NewConv(own, c, down, m.act), x)
		}
		xs[k] = x
	}
	small := s.Rows("weight_level_0.conv.weight", m.compressed)
	var weights [3]*onnxbuild.Value
	for k, name := range []string{"weight_level_0", "weight_level_1", "weight_level_2"} {
		weights[k] = s.Call(name, NewConv1x1(c, small, m.act), xs[k])
	}
	var levels Module = NewConv1x1(3*small, 3, m.act)
	if s.Flavour() == "plain" {
		levels = headConv(3*small, 3)
	}
	w := s.Softmax(s.Call("weight_levels", levels, s.Concat(1, weights[:]...)), 1)
	sum := s.Mul(xs[0], s.Slice(w, 1, 0, 1))
	for k := 1; k < 3; k++ {
		sum = s.Add(sum, s.Mul(xs[k], s.Slice(w, 1, int64(k), int64(k+1))))
	}
	return s.Call("expand", conv3x3(c, c, m.act), sum)
}

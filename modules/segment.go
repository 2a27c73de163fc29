package modules

import (
	"slices"
	"strconv"

	"ysc2onnx/onnxbuild"
)

var (
	segmentClass = Class{Path: "models.yolo.Segment", Inert: append(slices.Clone(detectClass.Inert), "nm", "npr", "detect")}
	protoClass   = Class{Path: "models.common.Proto"}
)

var segmentSpec = Spec{
	Name: "Segment", Class: &segmentClass, Wiring: Ends,
	Doc:  "detection head with masks: nc, anchors, nm, npr (scaled by the width), ch=(those of its inputs)",
	Head: newSegment,
}

func newSegment(a *Args) Head {
	if len(a.row.Args) < 4 {
		a.Errorf("needs the arguments nc, anchors, nm and npr (which YOLOv5's parser scales by the width), got %d", len(a.row.Args))
	}
	m := &Segment{Detect: Detect{Classes: a.Positive("nc", 80), Channels: a.In}}
	anchors := a.Replaced("anchors")
	m.Masks = a.Positive("nm", 32)
	protos := a.model.ScaleWidth(float64(a.Positive("npr", 256)))
	givenChannels(a)
	m.anchors(a, anchors)
	m.moreColumns(a, false)
	if a.failed {
		return m
	}
	if protos < 1 || protos > limit {
		a.Errorf("width_multiple makes argument npr %d, expected 1 to 1048576", protos)
	}
	a.shown[3] = strconv.Itoa(protos)
	m.proto = &Proto{
		cv1:      NewConv(a.In[0], protos, ConvArgs{Kernel: square(3), Stride: square(1), Pad: square(-1), Groups: 1, Dilation: 1}, a.Act),
		upsample: &Upsample{FactorH: 2, FactorW: 2},
		cv2:      NewConv(protos, protos, ConvArgs{Kernel: square(3), Stride: square(1), Pad: square(-1), Groups: 1, Dilation: 1}, a.Act),
		cv3:      NewConv1x1(protos, m.Masks, a.Act),
	}
	return m
}

// Segment is YOLOv5's head for instance segmentation: Detect, with nm coefficients of masks for each box; a Proto makes the
// masks' maps from the first input (Bolya et al., YOLACT, ICCV 2019). The coefficients get no sigmoid. [N, chᵢ, Hᵢ, Wᵢ] for
// each level -> [N, na·(5+nc+nm), Hᵢ, Wᵢ], and [N, nm, 2·H₀, 2·W₀].
type Segment struct {
	Detect
	proto *Proto
}

// Class is YOLOv5's Segment.
func (m *Segment) Class() *Class { return &segmentClass }

// Forward applies Detect's convolutions, and Proto to the first input.
func (m *Segment) Forward(s *Scope, inputs []*onnxbuild.Value) *Raw {
	raw := m.Detect.Forward(s, inputs)
	if raw != nil {
		raw.Prototypes = s.Call("proto", m.proto, inputs[0])
	}
	return raw
}

// Proto makes the maps that masks are weighted sums of. [N, c1, H, W] -> [N, nm, 2·H, 2·W].
type Proto struct {
	cv1      *Conv
	upsample *Upsample
	cv2, cv3 *Conv
}

// Class is YOLOv5's Proto.
func (m *Proto) Class() *Class { return &protoClass }

// Forward is cv3(cv2(upsample(cv1(x)))).
func (m *Proto) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	x = s.Call("upsample", m.upsample, s.Call("cv1", m.cv1, x))
	return s.Call("cv3", m.cv3, s.Call("cv2", m.cv2, x))
}

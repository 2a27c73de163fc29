package modules

import (
	"strconv"

	"ysc2onnx/onnxbuild"
)

var (
	iDetectClass    = Class{Path: "models.yolo.IDetect", Inert: detectClass.Inert}
	iAuxDetectClass = Class{Path: "models.yolo.IAuxDetect", Inert: detectClass.Inert}
	implicitAClass  = Class{Path: "models.common.ImplicitA", Inert: []string{"channel", "mean", "std"}}
	implicitMClass  = Class{Path: "models.common.ImplicitM", Inert: []string{"channel", "mean", "std"}}
)

var (
	iDetectSpec = Spec{
		Name: "IDetect", Class: &iDetectClass, Wiring: Ends, Source: "Wang et al., YOLOR, 2021; github.com/WongKinYiu/yolov7",
		Doc: "YOLOv7's Detect with implicit knowledge: nc, anchors, ch=(those of its inputs)",
		Head: func(a *Args) Head {
			m := &IDetect{Detect: anchored(a), class: &iDetectClass}
			m.moreColumns(a, false)
			return m
		},
	}
	iAuxDetectSpec = Spec{
		Name: "IAuxDetect", Class: &iAuxDetectClass, Wiring: Ends, Source: "Wang et al., YOLOR, 2021; github.com/WongKinYiu/yolov7",
		Doc: "IDetect, with as many inputs again for training alone: nc, anchors, ch=(those of its inputs)",
		Head: func(a *Args) Head {
			if n := len(a.In); n%2 != 0 || n < 2 {
				a.ErrorAt(a.row.FromSpan, "takes as many inputs again for training, got %d", n)
				return &IDetect{Detect: Detect{Classes: 1}, class: &iAuxDetectClass}
			}
			all := a.In
			given := Detect{Classes: a.Positive("nc", 80), Channels: all[:len(all)/2]}
			anchors := a.Replaced("anchors")
			givenChannels(a)
			a.In = given.Channels // of which there are anchors
			given.anchors(a, anchors)
			a.In = all
			m := &IDetect{Detect: given, class: &iAuxDetectClass, aux: all[len(all)/2:]}
			m.moreColumns(a, false)
			return m
		},
	}
)

// IDetect is Detect with a trained number added to each channel before its convolution, and one multiplied to each behind it
// (Wang et al., YOLOR, 2021; repository WongKinYiu/yolov7). Shapes are Detect's.
type IDetect struct {
	Detect
	class *Class
	aux   []int // channels of the inputs that only training reads
}

// Class is IDetect or IAuxDetect.
func (m *IDetect) Class() *Class { return m.class }

// Forward is im(m(ia(x))) for each level. The convolutions of IAuxDetect's other inputs, m2, are not called.
func (m *IDetect) Forward(s *Scope, inputs []*onnxbuild.Value) *Raw {
	if len(inputs) != len(m.Channels)+len(m.aux) {
		s.Err("%d inputs, expected %d", len(inputs), len(m.Channels)+len(m.aux))
		return nil
	}
	n := len(m.Channels)
	ia, list, im := s.Items("ia"), s.Items("m"), s.Items("im")
	return m.raw(s, inputs[:n], func(i, anchors int, stride int64) *onnxbuild.Value {
		c := m.Channels[i]
		y := list.CallItem(i, m.conv(c, anchors, stride), ia.CallItem(i, &implicit{class: &implicitAClass, c: c}, inputs[i]))
		y = im.CallItem(i, &implicit{class: &implicitMClass, c: anchors * m.columns()}, y)
		if m.aux != nil {
			s.Items("m2").Uncalled(strconv.Itoa(i), m.conv(m.aux[i], anchors, stride), inputs[n+i])
		}
		return y
	})
}

// implicit adds a trained number to each channel, or multiplies it. [N, c, H, W], same out.
type implicit struct {
	class *Class
	c     int
}

// Class is ImplicitA or ImplicitM.
func (m *implicit) Class() *Class { return m.class }

// Forward is x + implicit, or x · implicit. Before training PyTorch draws them around 0, or 1, with a deviation of 0.02.
func (m *implicit) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	if m.class == &implicitMClass {
		return s.Mul(s.Param("implicit", Constant(1), 1, int64(m.c), 1, 1), x)
	}
	return s.Add(s.Param("implicit", Constant(0), 1, int64(m.c), 1, 1), x)
}

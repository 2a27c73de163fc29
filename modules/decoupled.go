package modules

import (
	"slices"

	"ysc2onnx/onnxbuild"
)

var (
	decoupledDetectClass = Class{Path: "models.yolo.Decoupled_Detect", Inert: detectClass.Inert, Flavours: []Flavour{
		{Name: "merge", Doc: "a branch of two 3x3 convolutions for boxes and objectness, one for scores", Keys: map[string]int{"m.0.merge.conv.weight": 4}},
		{Name: "stem", Doc: "a branch of one 3x3 convolution each", Keys: map[string]int{"m_stem.0.conv.weight": 4}},
		{Name: "descent", Doc: "a branch for boxes and objectness whose channels become fewer", Keys: map[string]int{"m.0.a.conv.weight": 4}},
	}}
	branchInert        = []string{"nc", "na", "nl", "anchors", "width"}
	decoupledHeadClass = Class{Path: "models.yolo.DecoupledHead", Inert: branchInert}
	decoupleClass      = Class{Path: "models.yolo.Decouple", Inert: branchInert}
)

var decoupledDetectSpec = Spec{
	Name: "Decoupled_Detect", Class: &decoupledDetectClass, Wiring: Ends, Source: "Ge et al., YOLOX, 2021; github.com/iscyy/yoloair, github.com/z1069614715/objectdetection_script",
	Doc: "Detect with separate branches for boxes and scores: nc, anchors, ch=(those of its inputs)",
	Head: func(a *Args) Head {
		m := &DecoupledDetect{anchored(a), a.Act}
		m.moreColumns(a, false)
		if a.trained == nil {
			a.NoteOnce(a.row.ModuleSpan, "forks have three kinds of branches under this name, which a YAML does not tell apart: two 3x3 convolutions "+
				"of 256 channels are assumed, as most have")
		}
		return m
	},
}

// DecoupledDetect is Detect whose boxes and scores come from branches of their own (Ge et al., YOLOX, 2021). Its code occurs
// in three forms (repositories iscyy/yoloair; z1069614715/objectdetection_script; branches of ultralytics/yolov5 with
// Decouple). [N, chᵢ, Hᵢ, Wᵢ] for each level -> [N, na·(5+nc), Hᵢ, Wᵢ].
type DecoupledDetect struct {
	Detect
	act *Activation
}

// Class is Decoupled_Detect.
func (m *DecoupledDetect) Class() *Class { return &decoupledDetectClass }

// Forward applies the branches.
func (m *DecoupledDetect) Forward(s *Scope, inputs []*onnxbuild.Value) *Raw {
	if s.Flavour() == "stem" {
		return m.raw(s, inputs, func(i, anchors int, _ int64) *onnxbuild.Value { return m.stem(s, i, anchors, inputs[i]) })
	}
	list, descent := s.Items("m"), s.Flavour() == "descent"
	return m.raw(s, inputs, func(i, anchors int, _ int64) *onnxbuild.Value {
		branches := decoupledHead{c1: m.Channels[i], nc: m.Classes, na: anchors, act: m.act}
		if descent {
			return list.CallItem(i, &decouple{branches}, inputs[i])
		}
		return list.CallItem(i, &branches, inputs[i])
	})
}

// stem is the form whose convolutions are in lists of the head's own: of x a 1x1 convolution, y, then cls(y), reg(reg_conf(y))
// and conf(reg_conf(y)), side by side for each anchor.
func (m *DecoupledDetect) stem(s *Scope, i, na int, x *onnxbuild.Value) *onnxbuild.Value {
	c := m.Channels[i]
	y := s.Items("m_stem").CallItem(i, NewConv1x1(c, c, m.act), x)
	cls := s.Items("m_cls").CallItem(i, Sequential{conv3x3(c, c, m.act), headConv(c, na*m.Classes)}, y)
	both := s.Items("m_reg_conf").CallItem(i, conv3x3(c, c, m.act), y)
	reg, conf := s.Items("m_reg").CallItem(i, headConv(c, 4*na), both), s.Items("m_conf").CallItem(i, headConv(c, na), both)
	return byAnchor(s, na, reg, conf, cls)
}

// byAnchor puts the channels of maps, each of which has those of one anchor after another, side by side for each anchor.
func byAnchor(s *Scope, na int, maps ...*onnxbuild.Value) *onnxbuild.Value {
	parts := make([][]*onnxbuild.Value, len(maps))
	for k, x := range maps {
		if x.Refused() {
			return x
		}
		n, _ := x.Dim(1).Static()
		parts[k] = s.Split(x, 1, slices.Repeat([]int64{n / int64(na)}, na)...)
	}
	var all []*onnxbuild.Value
	for i := range na {
		for k := range parts {
			all = append(all, parts[k][i])
		}
	}
	return s.Concat(1, all...)
}

// decoupledHead are the branches of one level, of hidden channels: 256 without a checkpoint. [N, c1, H, W] -> [N, na·(5+nc), H, W].
type decoupledHead struct {
	c1, nc, na int
	act        *Activation
}

// Class is DecoupledHead.
func (m *decoupledHead) Class() *Class { return &decoupledHeadClass }

// Forward is cat(reg(r), obj(r), cls(cls₂(cls₁(y)))) with y = merge(x) and r = reg₂(reg₁(y)). The channels stay as they are: those
// of the boxes of all anchors, of their objectness, of their scores. Detect's decoding, and so the training, takes each 5+nc that
// follow each other for an anchor's.
func (m *decoupledHead) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	c := s.Rows("merge.conv.weight", 256)
	y := s.Call("merge", NewConv1x1(m.c1, c, m.act), x)
	cls := s.Call("cls_convs2", conv3x3(c, c, m.act), s.Call("cls_convs1", conv3x3(c, c, m.act), y))
	reg := s.Call("reg_convs2", conv3x3(c, c, m.act), s.Call("reg_convs1", conv3x3(c, c, m.act), y))
	scores := s.Call("cls_preds", headConv(c, m.nc*m.na), cls)
	return s.Concat(1, s.Call("reg_preds", headConv(c, 4*m.na), reg), s.Call("obj_preds", headConv(c, m.na), reg), scores)
}

// decouple is the form Decouple, whose branch for boxes has fewer channels from convolution to convolution.
type decouple struct{ decoupledHead }

// Class is Decouple.
func (m *decouple) Class() *Class { return &decoupleClass }

// Forward is b₃(b₂(b₁(y))) and c₃(c₂(c₁(y))) side by side for each anchor, with y = a(x).
func (m *decouple) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	c := s.Rows("a.conv.weight", min(m.c1, 256))
	// Of (c - 5·na)·(1, 2/3, 1/3, 0) + 5·na the inner two, in float32 as torch.linspace has them.
	last, third := float32(5*m.na), float32(1)/3
	between := func(t float32) int { return max(int(float32((float32(c)-last)*t)+last), 1) }
	c1, c2 := s.Rows("b1.conv.weight", between(1-third)), s.Rows("b2.conv.weight", between(third))
	y := s.Call("a", NewConv1x1(m.c1, c, m.act), x)
	boxes := s.Call("b3", headConv(c2, 5*m.na), s.Call("b2", conv3x3(c1, c2, m.act), s.Call("b1", conv3x3(c, c1, m.act), y)))
	scores := s.Call("c3", headConv(c, m.nc*m.na), s.Call("c2", NewConv1x1(c, c, m.act), s.Call("c1", NewConv1x1(c, c, m.act), y)))
	return byAnchor(s, m.na, boxes, scores)
}

// conv3x3 is a Conv of 3x3 that keeps the map's size.
func conv3x3(c1, c2 int, act *Activation) *Conv {
	return NewConv(c1, c2, ConvArgs{Kernel: square(3), Stride: square(1), Pad: square(-1), Groups: 1, Dilation: 1}, act)
}

// headConv is a 1x1 convolution with bias, as heads end in.
func headConv(c1, c2 int) *Conv2d {
	c := pointwise(c1, c2)
	c.Bias = true
	return c
}

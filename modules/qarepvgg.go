package modules

import "ysc2onnx/onnxbuild"

var qaRepVGGClass = Class{Path: "models.common.QARepVGGBlock", Aliases: []string{"QARepVGGB"}, Inert: repInert}

var qaRepVGGSpec = Spec{
	Name: "QARepVGGBlock", Aliases: []string{"QARepVGGB"}, Class: &qaRepVGGClass, Wiring: Scaled, Source: "Chu et al., 2022, arXiv:2212.01593; github.com/meituan/YOLOv6",
	Doc: "RepVGG's block for quantisation, or fused in one convolution: c2, kernel_size=3, stride=1, padding=1, dilation=1, groups=1",
	New: func(a *Args) Module { return &QARepVGG{newRepVGG(a, &qaRepVGGClass)} },
}

// QARepVGG is RepVGG's block with one batch norm for the sum and none in the branches of the 1x1 convolution and the input
// (Chu et al., 2022, arXiv:2212.01593), as in github.com/meituan/YOLOv6 and forks. [N, c1, H, W] -> [N, c2, H/s, W/s].
type QARepVGG struct{ *RepConv }

// Forward is act(bn(rbr_dense(x) + rbr_1x1(x) + x)), the last where it has the shape of the others, or act(rbr_reparam(x)) of a
// checkpoint that was fused.
func (m *QARepVGG) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	if s.Has("rbr_reparam.weight") {
		return m.RepConv.Forward(s, x)
	}
	y := s.Call("rbr_dense", m.branch(3), x)
	y = s.Add(y, s.Call("rbr_1x1", m.convolution(1), x))
	if m.c1 == m.c2 && m.stride == 1 {
		y = s.Add(y, s.Call("rbr_identity", Identity(), x))
	}
	y = s.Call("bn", &BatchNorm2d{m.c2}, s.Call("se", Identity(), y))
	return s.CallActivation(m.actName, m.act, y)
}

package modules

import "ysc2onnx/onnxbuild"

var bottleneckScConvClass = Class{Path: "models.common.Bottleneck_ScConv", Aliases: []string{
	"Bottleneck_S", "BottleneckScConv", "Bottleneck_SCConv", "Bottleneck_SCCONV", "Bottleneck_ScSCConv"}}

// ScConvBottleneck is the bottleneck that forks make of ScConv: a Conv, then an ScConv in the place of the second one, and
// in one fork a 1x1 Conv after it. [N, c, H, W], same out.
type ScConvBottleneck struct {
	class  *Class
	c      int
	kernel int // of cv1: 1 or 3, which a checkpoint's weight tells
	cv2    Module
	cv3    *Conv // nil for none
	add    bool
	act    *Activation
}

// Class is Bottleneck_ScConv.
func (m *ScConvBottleneck) Class() *Class { return m.class }

// Forward is x + cv2(cv1(x)), or without the sum; with a cv3 after cv2 where there is one.
func (m *ScConvBottleneck) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	kernel := square(m.kernel)
	if shape, ok := s.TensorShape("cv1.conv.weight"); ok && len(shape) == 4 && max(shape[2], shape[3]) <= limit {
		kernel = [2]int{int(shape[2]), int(shape[3])}
	}
	cv1 := NewConv(m.c, m.c, ConvArgs{Kernel: kernel, Stride: square(1), Pad: square(-1), Groups: 1, Dilation: 1}, m.act)
	y := s.Call("cv2", m.cv2, s.Call("cv1", cv1, x))
	if m.cv3 != nil {
		y = s.Call("cv3", m.cv3, y)
	}
	if s.Flag("add", m.add) {
		return s.Add(x, y)
	}
	return y
}

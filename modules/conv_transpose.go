package modules

import "ysc2onnx/onnxbuild"

var convTranspose2dClass = Class{Path: "torch.nn.modules.conv.ConvTranspose2d", Inert: conv2dClass.Inert[:4]} // up to transposed

// ConvTranspose2d is torch.nn.ConvTranspose2d. [N, c1, H, W] -> [N, c2, (H-1)·s - 2·p + d·(k-1) + op + 1, …].
type ConvTranspose2d struct {
	class                          *Class
	C1, C2                         int
	Kernel, Stride, Pad, OutputPad [2]int
	Dilation                       [2]int
	Groups                         int
	Bias                           bool
}

// Class is torch.nn.ConvTranspose2d, or YOLOv5's depthwise one.
func (c *ConvTranspose2d) Class() *Class { return c.class }

// Forward adds the transposed convolution.
func (c *ConvTranspose2d) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	s.RequireText("padding_mode", "zeros")
	stride, pad := s.Pair("stride", c.Stride, 1), s.Pair("padding", c.Pad, 0)
	dilation, more := s.Pair("dilation", c.Dilation, 1), s.Pair("output_padding", c.OutputPad, 0)
	groups := s.Pair("groups", square(c.Groups), 1)[0]
	c1, c2 := c.C1, c.C2
	if trained := s.pickledWeight(4); trained != nil {
		c1, c2 = int(trained[0]), int(trained[1])*groups
		s.noteWidths(c1 != c.C1 || c2 != c.C2)
	}
	if c1%groups != 0 || c2%groups != 0 {
		s.Err("%d input and %d output channels do not form %d groups", c1, c2, groups)
		return x
	}
	shape := []int64{int64(c1), int64(c2 / groups), int64(c.Kernel[0]), int64(c.Kernel[1])}
	weight := s.Param("weight", KaimingUniform(shape...), shape...)
	var bias *onnxbuild.Value
	if c.Bias {
		bias = s.Param("bias", KaimingUniform(shape...), int64(c2))
	}
	y := s.ConvTranspose(x, weight, bias, window(c.Kernel, stride, pad, dilation), []int64{int64(more[0]), int64(more[1])}, int64(groups))
	s.CountMACs(y.Shape.Elements(), int64(c1/groups*c.Kernel[0]*c.Kernel[1]))
	return y
}

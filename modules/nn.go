package modules

import "ysc2onnx/onnxbuild"

// The classes of torch.nn. What a tensor's shape tells again, and what only training uses, is inert.
var (
	conv2dClass = Class{Path: "torch.nn.modules.conv.Conv2d", Inert: []string{
		"in_channels", "out_channels", "kernel_size", "transposed", "output_padding", "_reversed_padding_repeated_twice"}}
	batchNorm2dClass       = Class{Path: "torch.nn.modules.batchnorm.BatchNorm2d", Inert: []string{"num_features", "momentum", "affine", "track_running_stats"}}
	maxPool2dClass         = Class{Path: "torch.nn.modules.pooling.MaxPool2d"}
	avgPool2dClass         = Class{Path: "torch.nn.modules.pooling.AvgPool2d", Inert: []string{"count_include_pad"}} // of no padding
	adaptiveAvgPool2dClass = Class{Path: "torch.nn.modules.pooling.AdaptiveAvgPool2d"}
)

// Conv2d is torch.nn.Conv2d. [N, c1, H, W] -> [N, c2, H', W'].
type Conv2d struct {
	C1, C2   int
	Kernel   [2]int
	Stride   [2]int
	Pad      [2]int
	Dilation [2]int
	Groups   int
	Bias     bool
	BiasInit Init // nil: as PyTorch does
}

// Class is torch.nn.Conv2d.
func (c *Conv2d) Class() *Class { return &conv2dClass }

// Forward adds the convolution.
func (c *Conv2d) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	c = c.trained(s)
	if c.Groups < 1 || c.C1%c.Groups != 0 || c.C2%c.Groups != 0 {
		s.Err("%d input and %d output channels do not form %d groups", c.C1, c.C2, c.Groups)
	}
	shape := []int64{int64(c.C2), int64(c.C1 / max(c.Groups, 1)), int64(c.Kernel[0]), int64(c.Kernel[1])}
	weight := s.Param("weight", KaimingUniform(shape...), shape...)
	var bias *onnxbuild.Value
	if c.Bias {
		init := c.BiasInit
		if init == nil {
			init = KaimingUniform(shape...)
		}
		bias = s.Param("bias", init, shape[0])
	}
	y := s.Conv(x, weight, bias, window(c.Kernel, c.Stride, c.Pad, c.Dilation), int64(c.Groups))
	s.CountMACs(y.Shape.Elements(), shape[1]*shape[2]*shape[3])
	return y
}

// trained is the convolution with what a checkpoint says of it.
func (c *Conv2d) trained(s *Scope) *Conv2d {
	t := *c
	s.RequireText("padding_mode", "zeros")
	t.Stride = s.Pair("stride", c.Stride, 1)
	t.Pad = s.Pair("padding", c.Pad, 0)
	t.Dilation = s.Pair("dilation", c.Dilation, 1)
	t.Groups = s.Pair("groups", square(c.Groups), 1)[0]
	if shape := s.pickledWeight(4); shape != nil {
		t.C1, t.C2 = int(shape[1])*t.Groups, int(shape[0])
		s.noteWidths(t.C1 != c.C1 || t.C2 != c.C2)
	}
	return &t
}

// pointwise is a 1x1 convolution without bias.
func pointwise(c1, c2 int) *Conv2d {
	return &Conv2d{C1: c1, C2: c2, Kernel: square(1), Stride: square(1), Dilation: square(1), Groups: 1}
}

// batchNormEps is the epsilon that YOLOv5 sets on every nn.BatchNorm2d (utils/torch_utils.py, initialize_weights).
const batchNormEps = 1e-3

// BatchNorm2d is torch.nn.BatchNorm2d when it is not training, with YOLOv5's epsilon. [N, c, H, W], same out.
type BatchNorm2d struct{ C int }

// Class is torch.nn.BatchNorm2d.
func (b *BatchNorm2d) Class() *Class { return &batchNorm2dClass }

// Forward adds the normalisation.
func (b *BatchNorm2d) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	c := int64(b.C)
	if shape := s.pickledWeight(1); shape != nil {
		c = shape[0]
	}
	scale, bias := s.Param("weight", Constant(1), c), s.Param("bias", Constant(0), c)
	mean, variance := s.Buffer("running_mean", Constant(0), c), s.Buffer("running_var", Constant(1), c)
	s.CountMACs(x.Shape.Elements(), 4)
	return s.BatchNormalization(x, scale, bias, mean, variance, float32(s.Epsilon(batchNormEps)))
}

// MaxPool2d is torch.nn.MaxPool2d with a square window.
type MaxPool2d struct{ Kernel, Stride, Pad int }

// Class is torch.nn.MaxPool2d.
func (p *MaxPool2d) Class() *Class { return &maxPool2dClass }

// Forward adds the pooling.
func (p *MaxPool2d) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	s.RequireNumber("dilation", 1)
	s.RequireNumber("ceil_mode", 0)
	s.RequireNumber("return_indices", 0)
	kernel := s.Pair("kernel_size", square(p.Kernel), 1)
	stride := s.Pair("stride", square(p.Stride), 1)
	return s.MaxPool(x, window(kernel, stride, s.Pair("padding", square(p.Pad), 0), square(1)))
}

// AvgPool2d is torch.nn.AvgPool2d with a square window, which is its stride, and no padding.
type AvgPool2d struct{ Kernel int }

// Class is torch.nn.AvgPool2d.
func (p *AvgPool2d) Class() *Class { return &avgPool2dClass }

// Forward adds the pooling.
func (p *AvgPool2d) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	s.RequireNumber("padding", 0)
	s.RequireNumber("ceil_mode", 0)
	s.RequireNone("divisor_override")
	kernel := s.Pair("kernel_size", square(p.Kernel), 1)
	y := s.AveragePool(x, window(kernel, s.Pair("stride", kernel, 1), square(0), square(1)), false)
	s.CountMACs(y.Shape.Elements(), 1)
	return y
}

// AdaptiveAvgPool2d is torch.nn.AdaptiveAvgPool2d(1): the mean of each channel. [N, c, H, W] -> [N, c, 1, 1].
type AdaptiveAvgPool2d struct{}

// Class is torch.nn.AdaptiveAvgPool2d.
func (AdaptiveAvgPool2d) Class() *Class { return &adaptiveAvgPool2dClass }

// Forward adds the mean.
func (AdaptiveAvgPool2d) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	s.RequireNumber("output_size", 1)
	s.CountMACs(x.Shape.Elements().Plus(x.Dim(0).Times(x.Dim(1))), 1)
	return s.GlobalAveragePool(x)
}

func square(n int) [2]int { return [2]int{n, n} }

func window(kernel, stride, pad, dilation [2]int) onnxbuild.Window {
	list := func(n ...int) (out []int64) {
		for _, x := range n {
			out = append(out, int64(x))
		}
		return out
	}
	return onnxbuild.Window{
		Kernel: list(kernel[:]...), Stride: list(stride[:]...), Dilation: list(dilation[:]...), Pads: list(pad[0], pad[1], pad[0], pad[1]),
	}
}

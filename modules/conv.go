package modules

import "ysc2onnx/onnxbuild"

var convClass = Class{Path: "models.common.Conv", Inert: []string{"forward"}} // a fused one's forward is forward_fuse

var convSpec = Spec{
	Name: "Conv", Class: &convClass, Wiring: Scaled,
	Doc: "convolution, batch norm, activation: c2, k=1, s=1, p=None, g=1, d=1, act=True",
	New: func(a *Args) Module {
		args := ConvArgs{
			Kernel: a.Pair("k", 1), Stride: a.Pair("s", 1), Pad: a.PadOrNone("p"), Groups: a.Positive("g", 1),
		}
		dilation, act := a.DilationAndActivation()
		args.Dilation = dilation
		return NewConv(a.C1, a.C2, args, act)
	},
}

// Conv is YOLOv5's standard convolution: Conv2d without bias, BatchNorm2d, activation. [N, c1, H, W] -> [N, c2, H', W'].
type Conv struct {
	class *Class
	conv  *Conv2d
	bn    *BatchNorm2d
	act   *Activation // shared between modules, unless nil: then an Identity of its own
}

// ConvArgs are the arguments of Conv that have defaults; pairs are height and width.
type ConvArgs struct {
	Kernel, Stride [2]int
	Pad            [2]int // -1: half of the kernel
	Groups         int
	Dilation       int
}

// NewConv makes a Conv; act is nil for none.
func NewConv(c1, c2 int, a ConvArgs, act *Activation) *Conv {
	for i, p := range a.Pad {
		if p < 0 {
			a.Pad[i] = autopad(a.Kernel[i], a.Dilation)
		}
	}
	return &Conv{
		class: &convClass,
		conv: &Conv2d{
			C1: c1, C2: c2, Kernel: a.Kernel, Stride: a.Stride,
			Pad: a.Pad, Dilation: square(a.Dilation), Groups: a.Groups,
		},
		bn:  &BatchNorm2d{c2},
		act: act,
	}
}

// NewConv1x1 is a Conv with kernel and stride 1.
func NewConv1x1(c1, c2 int, act *Activation) *Conv {
	return NewConv(c1, c2, ConvArgs{Kernel: square(1), Stride: square(1), Groups: 1, Dilation: 1}, act)
}

// autopad is the padding that keeps the size at stride 1: half of the kernel as dilation spreads it.
func autopad(kernel, dilation int) int { return (dilation*(kernel-1) + 1) / 2 }

// Class is YOLOv5's Conv, or the one of its kin that it was made for.
func (c *Conv) Class() *Class { return c.class }

// Forward is act(bn(conv(x))). A checkpoint that was fused has a bias in the place of bn, and one of an older release may
// have another activation than today's default.
func (c *Conv) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	conv, fused := *c.conv, s.Has("conv.bias") && !s.Has("bn.weight")
	conv.Bias = fused
	y := s.Call("conv", &conv, x)
	if !fused {
		y = s.Call("bn", c.bn, y)
	}
	return s.CallActivation("act", c.act, y)
}

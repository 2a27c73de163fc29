package modules

import "ysc2onnx/onnxbuild"

// Conv is YOLOv5's standard convolution: Conv2d without bias, BatchNorm2d, activation. [N, c1, H, W] -> [N, c2, H', W'].
type Conv struct {
	conv *Conv2d
	bn   *BatchNorm2d
	act  *Activation // shared between modules, unless nil: then an Identity of its own
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
		conv: &Conv2d{
			C1: c1, C2: c2, Kernel: a.Kernel, Stride: a.Stride,
			Pad: a.Pad, Dilation: square(a.Dilation), Groups: a.Groups,
		},
		bn:  &BatchNorm2d{c2},
		act: act,
	}
}

// conv1x1 is a Conv with kernel and stride 1.
func conv1x1(c1, c2 int, act *Activation) *Conv {
	return NewConv(c1, c2, ConvArgs{Kernel: square(1), Stride: square(1), Groups: 1, Dilation: 1}, act)
}

// autopad is the padding that keeps the size at stride 1: half of the kernel as dilation spreads it.
func autopad(kernel, dilation int) int { return (dilation*(kernel-1) + 1) / 2 }

// Forward is act(bn(conv(x))). A checkpoint that was fused has a bias in the place of bn, and one of an older release may
// have another activation than today's default.
func (c *Conv) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	conv, fused := *c.conv, s.has("conv.bias") && !s.has("bn.weight")
	conv.Bias = fused
	y := conv.Forward(s.In("conv"), x)
	if !fused {
		y = c.bn.Forward(s.In("bn"), y)
	}
	act := c.trained(s)
	if act == nil {
		s.In("act") // an nn.Identity
		return y
	}
	return act.Forward(s.Shared("act", act), y)
}

// trained is the activation that a checkpoint has, or else the one of the arguments.
func (c *Conv) trained(s *Scope) *Activation {
	t, ok := s.model.weights.(Trained)
	if !ok {
		return c.act
	}
	class := s.class("act")
	name := className(class)
	found := Setting{Module: "Conv", Attribute: "act", Value: c.act.text()}
	if class == "" {
		s.model.settings.add(s.path, found)
		return c.act
	}
	var act *Activation
	if name != "Identity" {
		construct := activations[name]
		if construct == nil {
			s.Err("the checkpoint's activation is %s, which is not known here", class)
			return nil
		}
		slope := leakyReLUSlope
		if given := t.Numbers(s.path+".act", "negative_slope"); len(given) == 1 {
			slope = given[0]
		}
		act = construct(float32(slope))
	}
	if act.text() == found.Value {
		return c.act
	}
	found.Instead, found.Value = found.Value, act.text()
	s.model.settings.add(s.path, found)
	return act
}

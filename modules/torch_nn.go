package modules

import "ysc2onnx/onnxbuild"

// Rows of a YAML that are torch.nn's own modules, whose arguments are those of PyTorch.

var conv2dSpec = Spec{
	Name: "nn.Conv2d", Class: &conv2dClass, Wiring: Keeps,
	Doc: "torch.nn.Conv2d, not scaled: in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1, groups=1, bias=True",
	New: func(a *Args) Module {
		return &Conv2d{
			C1: a.Positive("in_channels", 0), C2: a.Positive("out_channels", 0), Kernel: a.Pair("kernel_size", 1), Stride: a.Pair("stride", 1),
			Pad: a.Pad("padding", 0), Dilation: a.Pair("dilation", 1), Groups: a.Positive("groups", 1), Bias: a.Bool("bias", true),
		}
	},
}

var maxPool2dSpec = Spec{
	Name: "nn.MaxPool2d", Class: &maxPool2dClass, Wiring: Keeps,
	Doc: "torch.nn.MaxPool2d: kernel_size, stride (the kernel), padding=0",
	New: func(a *Args) Module {
		kernel := a.Positive("kernel_size", 1)
		return &MaxPool2d{Kernel: kernel, Stride: a.Positive("stride", kernel), Pad: a.Int("padding", 0)}
	},
}

var batchNorm2dSpec = Spec{
	Name: "nn.BatchNorm2d", Class: &batchNorm2dClass, Doc: "torch.nn.BatchNorm2d; the parser puts its input's channels in the place of its arguments",
	Wiring: func(a *Args) []int {
		a.takeC1()
		a.rest, a.shown = nil, nil
		a.prependShown(a.C1)
		return []int{a.C1}
	},
	New: func(a *Args) Module { return &BatchNorm2d{a.C1} },
}

var identitySpec = Spec{
	Name: "nn.Identity", Class: &identityClass, Wiring: Keeps, Doc: "its input; arguments are not used",
	New: func(a *Args) Module {
		a.rest = nil
		return Identity()
	},
}

var dropoutClass = Class{Path: "torch.nn.modules.dropout.Dropout", Inert: []string{"p"}}

// dropout is torch.nn.Dropout, which does nothing after training.
type dropout struct{}

// Class is torch.nn.Dropout.
func (dropout) Class() *Class { return &dropoutClass }

// Forward is x.
func (dropout) Forward(_ *Scope, x *onnxbuild.Value) *onnxbuild.Value { return x }

var zeroPad2dClass = Class{Path: "torch.nn.modules.padding.ZeroPad2d"}

var zeroPad2dSpec = Spec{
	Name: "nn.ZeroPad2d", Class: &zeroPad2dClass, Wiring: Keeps,
	Doc: "zeros around the map: padding, or [left, right, top, bottom]",
	New: func(a *Args) Module { return &ZeroPad2d{a.Sides("padding")} },
}

var convTranspose2dSpec = Spec{
	Name: "nn.ConvTranspose2d", Class: &convTranspose2dClass, Wiring: Scaled,
	Doc: "torch.nn.ConvTranspose2d: c2, kernel_size, stride=1, padding=0, output_padding=0, groups=1, bias=True, dilation=1",
	New: func(a *Args) Module {
		return &ConvTranspose2d{
			class: &convTranspose2dClass, C1: a.C1, C2: a.C2, Kernel: a.Pair("kernel_size", 1), Stride: a.Pair("stride", 1), Pad: a.Pad("padding", 0),
			OutputPad: a.Pad("output_padding", 0), Groups: a.Positive("groups", 1), Bias: a.Bool("bias", true), Dilation: a.Pair("dilation", 1),
		}
	},
}

var dwConvTranspose2dClass = Class{Path: "models.common.DWConvTranspose2d", Inert: convTranspose2dClass.Inert}

var dwConvTranspose2dSpec = Spec{
	Name: "DWConvTranspose2d", Class: &dwConvTranspose2dClass, Wiring: Scaled,
	Doc: "depthwise torch.nn.ConvTranspose2d: c2, k=1, s=1, p1=0, p2=0",
	New: func(a *Args) Module {
		return &ConvTranspose2d{
			class: &dwConvTranspose2dClass, C1: a.C1, C2: a.C2, Kernel: a.Pair("k", 1), Stride: a.Pair("s", 1), Pad: a.Pad("p1", 0),
			OutputPad: a.Pad("p2", 0), Groups: gcd(a.C1, a.C2), Bias: true, Dilation: square(1),
		}
	},
}

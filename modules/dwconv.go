package modules

var dwConvClass = Class{Path: "models.common.DWConv", Inert: convClass.Inert}

var dwConvSpec = Spec{
	Name: "DWConv", Class: &dwConvClass, Wiring: Scaled,
	Doc: "depthwise Conv: c2, k=1, s=1, d=1, act=True",
	New: func(a *Args) Module {
		kernel, stride := a.Pair("k", 1), a.Pair("s", 1)
		dilation, act := a.DilationAndActivation()
		return NewDWConv(a.C1, a.C2, kernel, stride, dilation, act)
	},
}

// NewDWConv makes a depthwise Conv: one of as many groups as divide both the channels in and those out.
// [N, c1, H, W] -> [N, c2, H', W'].
func NewDWConv(c1, c2 int, kernel, stride [2]int, dilation int, act *Activation) *Conv {
	c := NewConv(c1, c2, ConvArgs{Kernel: kernel, Stride: stride, Pad: square(-1), Groups: gcd(c1, c2), Dilation: dilation}, act)
	c.class = &dwConvClass
	return c
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

package modules

import (
	"ysc2onnx/onnxbuild"
)

var mixConv2dClass = Class{Path: "models.experimental.MixConv2d"}

var mixConv2dSpec = Spec{
	Name: "MixConv2d", Class: &mixConv2dClass, Wiring: Scaled,
	Doc: "convolutions of several kernels side by side: c2, k=(1, 3), s=1, equal_ch=True",
	New: func(a *Args) Module {
		sizes, stride := a.Odds("k", 1, 3), a.Positive("s", 1)
		if !a.Bool("equal_ch", true) {
			a.Errorf("equal_ch=False, which shares the parameters out evenly, is not converted: only equal channels are")
		}
		m := NewMixConv2d(a.C1, a.C2, sizes, stride)
		for _, c := range m.m {
			if c.C2 < 1 {
				a.Errorf("%d channels are too few for %d kernels", a.C2, len(sizes))
				break
			}
		}
		return m
	},
}

// MixConv2d is convolutions of several kernels, which share the channels out (Tan and Le, BMVC 2019), a batch norm and a
// SiLU. [N, c1, H, W] -> [N, c2, H/s, W/s].
type MixConv2d struct {
	m  []*Conv2d
	bn *BatchNorm2d
}

// NewMixConv2d makes a MixConv2d with a convolution for each of the sizes of kernels.
func NewMixConv2d(c1, c2 int, sizes []int, stride int) *MixConv2d {
	m := &MixConv2d{bn: &BatchNorm2d{c2}}
	for i, k := range sizes {
		c := mixedShare(c2, len(sizes), i)
		m.m = append(m.m, &Conv2d{
			C1: c1, C2: c, Kernel: square(k), Stride: square(stride), Pad: square(k / 2), Dilation: square(1), Groups: gcd(c1, c),
		})
	}
	return m
}

// mixedShare is how many of c2 channels the i-th of n convolutions gets: those k for which floor(linspace(0, n-1e-6, c2)[k])
// is i, in float32, as torch.linspace steps: from both ends to the middle.
func mixedShare(c2, n, i int) int {
	end := float32(float64(n) - 1e-6)
	step := end / float32(max(c2-1, 1))
	count := 0
	for k := range c2 {
		x := float32(step * float32(k))
		if k >= c2/2 {
			x = end - float32(step*float32(c2-k-1))
		}
		if c2 == 1 {
			x = 0
		}
		if int(x) == i {
			count++
		}
	}
	return count
}

// Class is YOLOv5's MixConv2d.
func (m *MixConv2d) Class() *Class { return &mixConv2dClass }

// Forward is act(bn(cat(m₀(x), m₁(x), …))).
func (m *MixConv2d) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	list := s.Items("m")
	var maps []*onnxbuild.Value
	for i, c := range m.m {
		maps = append(maps, list.CallItem(i, c, x))
	}
	return s.CallActivation("act", SiLU(), s.Call("bn", m.bn, s.Concat(1, maps...)))
}

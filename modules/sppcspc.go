package modules

import "ysc2onnx/onnxbuild"

var (
	sppcspcClass  = Class{Path: "models.common.SPPCSPC"}
	sppfcspcClass = Class{Path: "models.common.SPPFCSPC"}
)

var (
	sppcspcSpec = Spec{
		Name: "SPPCSPC", Class: &sppcspcClass, Wiring: Repeats, Source: "Wang et al., YOLOv7, CVPR 2023",
		Doc: "YOLOv7's SPP in a CSP frame, once however often: c2, shortcut and g (not used), e=0.5, k=(5, 9, 13)",
		New: func(a *Args) Module {
			e := a.sppcspcExpansion()
			return NewSPPCSPC(a.C1, a.C2, e, a.Odds("k", 5, 9, 13), a.Act)
		},
	}
	sppfcspcSpec = Spec{
		Name: "SPPFCSPC", Class: &sppfcspcClass, Wiring: Repeats, Source: "Wang et al., YOLOv7, CVPR 2023; YOLOv5's forks",
		Doc: "SPPCSPC with one pooling, three times: c2, shortcut and g (not used), e=0.5, k=5",
		New: func(a *Args) Module {
			e := a.sppcspcExpansion()
			return NewSPPFCSPC(a.C1, a.C2, e, a.Odd("k", 5), a.Act)
		},
	}
)

// sppcspcExpansion takes shortcut, g and e.
func (a *Args) sppcspcExpansion() float64 {
	a.Bool("shortcut", false)
	a.Positive("g", 1)
	return a.Float("e", 0.5)
}

// SPPCSPC is spatial pyramid pooling in one of two branches (Wang et al., CVPR 2023, YOLOv7). [N, c1, H, W] ->
// [N, c2, H, W].
type SPPCSPC struct {
	class                             *Class
	cv1, cv2, cv3, cv4, cv5, cv6, cv7 *Conv
	m                                 []*MaxPool2d
	fast                              *MaxPool2d // in the place of m, applied to what it gave
}

// NewSPPCSPC makes an SPPCSPC of int(2·c2·e) hidden channels, with a window for each of the sizes, in pixels.
func NewSPPCSPC(c1, c2 int, e float64, sizes []int, act *Activation) *SPPCSPC {
	m := newSPPCSPC(&sppcspcClass, c1, c2, e, len(sizes)+1, act)
	for _, k := range sizes {
		m.m = append(m.m, &MaxPool2d{Kernel: k, Stride: 1, Pad: k / 2})
	}
	return m
}

// NewSPPFCSPC makes an SPPFCSPC whose pooling window is k pixels wide.
func NewSPPFCSPC(c1, c2 int, e float64, k int, act *Activation) *SPPCSPC {
	m := newSPPCSPC(&sppfcspcClass, c1, c2, e, 4, act)
	m.fast = &MaxPool2d{Kernel: k, Stride: 1, Pad: k / 2}
	return m
}

func newSPPCSPC(class *Class, c1, c2 int, e float64, maps int, act *Activation) *SPPCSPC {
	hidden := int(2 * float64(c2) * e)
	conv3x3 := func() *Conv {
		return NewConv(hidden, hidden, ConvArgs{Kernel: square(3), Stride: square(1), Pad: square(-1), Groups: 1, Dilation: 1}, act)
	}
	return &SPPCSPC{
		class: class,
		cv1:   NewConv1x1(c1, hidden, act), cv2: NewConv1x1(c1, hidden, act),
		cv3: conv3x3(), cv4: NewConv1x1(hidden, hidden, act),
		cv5: NewConv1x1(maps*hidden, hidden, act), cv6: conv3x3(),
		cv7: NewConv1x1(2*hidden, c2, act),
	}
}

// Class is SPPCSPC or SPPFCSPC.
func (p *SPPCSPC) Class() *Class { return p.class }

// Forward is cv7(cat(cv6(cv5(cat(y, m₀(y), m₁(y), …))), cv2(x))) with y = cv4(cv3(cv1(x))); SPPFCSPC pools y, m(y), m(m(y)).
func (p *SPPCSPC) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	y := s.Call("cv4", p.cv4, s.Call("cv3", p.cv3, s.Call("cv1", p.cv1, x)))
	maps := []*onnxbuild.Value{y}
	if p.fast != nil {
		for range 3 {
			maps = append(maps, s.Call("m", p.fast, maps[len(maps)-1]))
		}
	} else {
		list := s.Items("m")
		for i, pool := range p.m {
			maps = append(maps, list.CallItem(i, pool, y))
		}
	}
	left := s.Call("cv6", p.cv6, s.Call("cv5", p.cv5, s.Concat(1, maps...)))
	return s.Call("cv7", p.cv7, s.Concat(1, left, s.Call("cv2", p.cv2, x)))
}

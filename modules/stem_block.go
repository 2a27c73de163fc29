package modules

import "ysc2onnx/onnxbuild"

var stemBlockClass = Class{Path: "models.common.StemBlock"}

var stemBlockSpec = Spec{
	Name: "StemBlock", Class: &stemBlockClass, Wiring: Scaled, Source: "Wang et al., NeurIPS 2018; github.com/deepcam-cn/yolov5-face",
	Doc: "the stem of yolov5-face, two ways at half of the size: c2, k=3, s=2, p=None, g=1, act=True",
	New: func(a *Args) Module {
		args := ConvArgs{Kernel: a.Pair("k", 3), Stride: a.Pair("s", 2), Pad: a.PadOrNone("p"), Groups: a.Positive("g", 1), Dilation: 1}
		return NewStemBlock(a.C1, a.C2, args, a.Activation("act"), a.Act)
	},
}

// StemBlock is PeleeNet's stem (Wang et al., NeurIPS 2018). [N, c1, H, W] -> [N, c2, H/2s, W/2s], sizes rounded up.
type StemBlock struct{ stem1, stem2a, stem2b, stem3 *Conv }

// NewStemBlock makes a StemBlock; args and first are of its first convolution.
func NewStemBlock(c1, c2 int, args ConvArgs, first, act *Activation) *StemBlock {
	return &StemBlock{
		stem1:  NewConv(c1, c2, args, first),
		stem2a: NewConv1x1(c2, c2/2, act),
		stem2b: NewConv(c2/2, c2, ConvArgs{Kernel: square(3), Stride: square(2), Pad: square(1), Groups: 1, Dilation: 1}, act),
		stem3:  NewConv1x1(2*c2, c2, act),
	}
}

// Class is StemBlock.
func (m *StemBlock) Class() *Class { return &stemBlockClass }

// Forward is stem_3(cat(stem_2b(stem_2a(y)), stem_2p(y))) with y = stem_1(x).
func (m *StemBlock) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	y := s.Call("stem_1", m.stem1, x)
	left := s.Call("stem_2b", m.stem2b, s.Call("stem_2a", m.stem2a, y))
	return s.Call("stem_3", m.stem3, s.Concat(1, left, s.Call("stem_2p", halvingPool{}, y)))
}

// halvingPool is torch.nn.MaxPool2d(2, 2, ceil_mode=True): a margin of one pixel below and on the right, which never wins and
// only counts where a size is odd.
type halvingPool struct{}

// Class is torch.nn.MaxPool2d.
func (halvingPool) Class() *Class { return &maxPool2dClass }

// Forward adds the pooling.
func (halvingPool) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	s.RequireNumber("kernel_size", 2)
	s.RequireNumber("stride", 2)
	s.RequireNumber("padding", 0)
	s.RequireNumber("dilation", 1)
	s.RequireNumber("ceil_mode", 1)
	s.RequireNumber("return_indices", 0)
	w := window(square(2), square(2), square(0), square(1))
	if !x.Refused() && (!even(x.Dim(2)) || !even(x.Dim(3))) {
		w.Pads = []int64{0, 0, 1, 1}
	}
	return s.MaxPool(x, w)
}

// even reports whether a size is known to be even.
func even(d onnxbuild.Dim) bool {
	half, ok := d.FloorDiv(2)
	return ok && half.Times(onnxbuild.D(2)).Equal(d)
}

package modules

import (
	"ysc2onnx/onnxbuild"
	"ysc2onnx/yamlcfg/python"
)

var (
	blazeBlockClass       = Class{Path: "models.common.BlazeBlock"}
	doubleBlazeBlockClass = Class{Path: "models.common.DoubleBlazeBlock"}
)

var (
	blazeBlockSpec = Spec{
		Name: "BlazeBlock", Class: &blazeBlockClass, Wiring: Scaled, Source: "Bazarevsky et al., 2019; github.com/deepcam-cn/yolov5-face",
		Doc: "BlazeFace's block of yolov5-face: c2, mid_channels=None (those of the input), stride (1 or 2)",
		New: func(a *Args) Module { return newBlazeBlock(a, &blazeBlockClass) },
	}
	doubleBlazeBlockSpec = Spec{
		Name: "DoubleBlazeBlock", Class: &doubleBlazeBlockClass, Wiring: Scaled, Source: "Bazarevsky et al., 2019; github.com/deepcam-cn/yolov5-face",
		Doc: "BlazeFace's double block of yolov5-face: c2, mid_channels=None (those of the input), stride (1 or 2)",
		New: func(a *Args) Module { return newBlazeBlock(a, &doubleBlazeBlockClass) },
	}
)

func newBlazeBlock(a *Args, class *Class) Module {
	middle := a.C1
	if len(a.rest) > 0 && a.rest[0].Kind == python.None {
		a.Literal("mid_channels")
	} else {
		middle = a.Positive("mid_channels", a.C1)
	}
	stride := a.Positive("stride", 1)
	switch {
	case stride > 2:
		a.Errorf("argument stride is %d, expected 1 or 2", stride)
	case stride == 1 && a.C1 != a.C2:
		a.Errorf("gives %d channels of %d: at stride 1 both must be the same", a.C2, a.C1)
	case class == &blazeBlockClass && middle%a.C1 != 0:
		a.Errorf("argument mid_channels is %d, expected a multiple of the %d channels of the input", middle, a.C1)
	}
	return NewBlazeBlock(class, a.C1, a.C2, middle, stride)
}

// BlazeBlock is the block of BlazeFace (Bazarevsky et al., 2019), or its double one, as the repository deepcam-cn/yolov5-face
// has them. [N, c1, H, W] -> [N, c2, H/s, W/s].
type BlazeBlock struct {
	class             *Class
	branch1, shortcut Sequential // the latter is nil where the input is added as it is
}

// NewBlazeBlock makes the block of the class with a stride of 1 or 2 and so many channels in the middle.
func NewBlazeBlock(class *Class, c1, c2, middle, stride int) *BlazeBlock {
	// A convolution with bias, of kernel k that keeps the map's size but for its stride, and a batch norm.
	normed := func(c1, c2, k, stride, groups int) Sequential {
		conv := &Conv2d{C1: c1, C2: c2, Kernel: square(k), Stride: square(stride), Pad: square(k / 2), Dilation: square(1), Groups: max(groups, 1), Bias: true}
		return Sequential{conv, &BatchNorm2d{c2}}
	}
	m := &BlazeBlock{class: class}
	if class == &doubleBlazeBlockClass {
		m.branch1 = append(normed(c1, c1, 5, stride, c1), normed(c1, middle, 1, 1, 1)...)
		m.branch1 = append(append(m.branch1, SiLU()), append(normed(middle, middle, 5, 1, 1), normed(middle, c2, 1, 1, 1)...)...)
	} else {
		m.branch1 = append(normed(c1, middle, 5, stride, c1), normed(middle, c2, 1, 1, 1)...)
	}
	if stride > 1 {
		m.shortcut = append(Sequential{&MaxPool2d{Kernel: stride, Stride: stride}}, normed(c1, c2, 1, 1, 1)...)
	}
	return m
}

// Class is BlazeBlock or DoubleBlazeBlock.
func (m *BlazeBlock) Class() *Class { return m.class }

// Forward is relu(branch1(x) + x), or relu(branch1(x) + shortcut(x)), where relu is SiLU.
func (m *BlazeBlock) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	y, short, pooled := s.Call("branch1", m.branch1, x), x, 0.0
	if m.shortcut != nil {
		short, pooled = s.Call("shortcut", m.shortcut, x), 1
	}
	s.RequireNumber("use_pool", pooled)
	return s.CallActivation("relu", SiLU(), s.Add(y, short))
}

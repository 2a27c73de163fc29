package modules

import "ysc2onnx/onnxbuild"

var (
	shuffleStemClass  = Class{Path: "models.common.conv_bn_relu_maxpool", Aliases: []string{"CBRM"}}
	shuffleBlockClass = Class{Path: "models.common.Shuffle_Block"}
	shuffleV2Class    = Class{Path: "models.common.ShuffleV2Block"}
)

var (
	shuffleStemSpec = Spec{
		Name: "conv_bn_relu_maxpool", Aliases: []string{"CBRM"}, Class: &shuffleStemClass, Wiring: Scaled, Source: "Ma et al., ECCV 2018; YOLOv5-Lite",
		Doc: "3x3 convolution of stride 2, batch norm, ReLU and 3x3 max pooling of stride 2: c2",
		New: func(a *Args) Module { return NewShuffleStem(a.C1, a.C2) },
	}
	shuffleBlockSpec = Spec{
		Name: "Shuffle_Block", Class: &shuffleBlockClass, Wiring: Scaled, Source: "Ma et al., ECCV 2018; YOLOv5-Lite",
		Doc: "ShuffleNetV2's unit: c2, stride (1, 2 or 3)",
		New: func(a *Args) Module { return newShuffleBlock(a, &shuffleBlockClass, ReLU()) },
	}
	shuffleV2Spec = Spec{
		Name: "ShuffleV2Block", Class: &shuffleV2Class, Wiring: Scaled, Source: "Ma et al., ECCV 2018; github.com/deepcam-cn/yolov5-face",
		Doc: "ShuffleNetV2's unit with SiLU: c2, stride (1, 2 or 3)",
		New: func(a *Args) Module { return newShuffleBlock(a, &shuffleV2Class, SiLU()) },
	}
)

// ShuffleStem is the stem of YOLOv5-Lite. [N, c1, H, W] -> [N, c2, H/4, W/4].
type ShuffleStem struct {
	conv    Sequential
	maxpool *MaxPool2d
}

// NewShuffleStem makes a ShuffleStem.
func NewShuffleStem(c1, c2 int) *ShuffleStem {
	return &ShuffleStem{convBNAct(c1, c2, 3, 2, ReLU()), &MaxPool2d{Kernel: 3, Stride: 2, Pad: 1}}
}

// Class is conv_bn_relu_maxpool.
func (m *ShuffleStem) Class() *Class { return &shuffleStemClass }

// Forward is maxpool(conv(x)).
func (m *ShuffleStem) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	return s.Call("maxpool", m.maxpool, s.Call("conv", m.conv, x))
}

func newShuffleBlock(a *Args, class *Class, act *Activation) Module {
	stride := a.Positive("stride", 0)
	switch {
	case stride < 1 || stride > 3:
		a.Errorf("needs a stride from 1 to 3 after c2")
	case a.C2%2 != 0:
		a.Errorf("%d channels do not form two halves", a.C2)
	case stride == 1 && a.C1 != a.C2:
		a.Errorf("gives %d channels of %d: at stride 1 both must be the same", a.C2, a.C1)
	}
	return NewShuffleBlock(class, a.C1, a.C2, max(stride, 1), act)
}

// ShuffleBlock is the unit of ShuffleNetV2 (Ma et al., ECCV 2018). [N, c1, H, W] -> [N, c2, H/s, W/s].
type ShuffleBlock struct {
	class            *Class
	stride           int
	branch1, branch2 Sequential // branch1 is empty at stride 1
}

// NewShuffleBlock makes a ShuffleBlock; at stride 1 c1 is c2.
func NewShuffleBlock(class *Class, c1, c2, stride int, act *Activation) *ShuffleBlock {
	half := c2 / 2
	if stride == 1 {
		c1 = half
	}
	m := &ShuffleBlock{class: class, stride: stride}
	if stride > 1 {
		m.branch1 = append(convBN(c1, c1, 3, stride, c1), convBNAct(c1, half, 1, 1, act)...)
	}
	m.branch2 = convBNAct(c1, half, 1, 1, act)
	m.branch2 = append(m.branch2, convBN(half, half, 3, stride, half)...)
	m.branch2 = append(m.branch2, convBNAct(half, half, 1, 1, act)...)
	return m
}

// Class is Shuffle_Block or ShuffleV2Block.
func (m *ShuffleBlock) Class() *Class { return m.class }

// Forward is the shuffle of the first half of x and branch2 of the other; with a stride, of both branches of x.
func (m *ShuffleBlock) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	s.RequireNumber("stride", float64(m.stride))
	if m.stride > 1 {
		return s.Shuffle(s.Concat(1, s.Call("branch1", m.branch1, x), s.Call("branch2", m.branch2, x)), 2)
	}
	if x.Refused() {
		return x
	}
	c, _ := x.Dim(1).Static()
	halves := s.Split(x, 1, c/2, c/2)
	if s.ChildClass("branch1") != "" { // ShuffleV2Block keeps an empty Sequential
		halves[0] = s.Call("branch1", m.branch1, halves[0])
	}
	return s.Shuffle(s.Concat(1, halves[0], s.Call("branch2", m.branch2, halves[1])), 2)
}

// Shuffle mixes the channels of equal groups: channel i of group g becomes channel i·groups + g.
func (s *Scope) Shuffle(x *onnxbuild.Value, groups int64) *onnxbuild.Value {
	if x.Refused() {
		return x
	}
	c, _ := x.Dim(1).Static()
	y := s.Reshape(x, s.Ints("groups", 0, groups, c/groups, -1)) // four axes, as OpenCV mixes up the images of a batch with more
	return s.Reshape(s.Transpose(y, 0, 2, 1, 3), s.WithMap(x, 0, c))
}

// convBN is a convolution that pads by half of its kernel, and a batch norm, as they stand in a Sequential.
func convBN(c1, c2, kernel, stride, groups int) Sequential {
	return Sequential{
		&Conv2d{C1: c1, C2: c2, Kernel: square(kernel), Stride: square(stride), Pad: square(kernel / 2), Dilation: square(1), Groups: groups},
		&BatchNorm2d{c2},
	}
}

// convBNAct is convBN and an activation behind it.
func convBNAct(c1, c2, kernel, stride int, act Module) Sequential {
	return append(convBN(c1, c2, kernel, stride, 1), act)
}

package modules

import "ysc2onnx/onnxbuild"

// Bottleneck is 1x1 and 3x3 Conv, added to the input where the channels allow. [N, c1, H, W] -> [N, c2, H, W].
type Bottleneck struct {
	cv1, cv2 *Conv
	add      bool
}

// NewBottleneck makes a Bottleneck with int(c2·e) hidden channels.
func NewBottleneck(c1, c2 int, shortcut bool, groups int, e float64, act *Activation) *Bottleneck {
	hidden := int(float64(c2) * e)
	return &Bottleneck{
		cv1: conv1x1(c1, hidden, act),
		cv2: NewConv(hidden, c2, ConvArgs{Kernel: square(3), Stride: square(1), Pad: square(-1), Groups: groups, Dilation: 1}, act),
		add: shortcut && c1 == c2,
	}
}

// Forward is x + cv2(cv1(x)), or without the sum.
func (b *Bottleneck) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	y := b.cv2.Forward(s.In("cv2"), b.cv1.Forward(s.In("cv1"), x))
	add := 0.0
	if b.add {
		add = 1
	}
	if s.numbers("Bottleneck", "add", add)[0] != 0 {
		return s.Add(x, y)
	}
	return y
}

package ysc2onnx

import "fmt"

// ScConv names a formula of ScConv. The published code has had four; their parameters do not tell all of them apart.
type ScConv string

// The flavours. Where a checkpoint's parameters tell one, it counts.
const (
	ScConvAuto     ScConv = ""         // softmax, with a warning where a checkpoint leaves it open
	ScConvSoftmax  ScConv = "softmax"  // gates from softmax(gamma): YOLOv5's tutorial, and the forks after it
	ScConvMask     ScConv = "mask"     // gates from gamma / sum(gamma): the author's first release
	ScConvNormMask ScConv = "normmask" // as mask, of a GroupBatchnorm2d with weight and bias, gating its result
	ScConvWhere    ScConv = "where"    // an nn.GroupNorm, r itself where the gate is closed
)

// check refuses what is not one of them.
func (f ScConv) check() error {
	switch f {
	case ScConvAuto, ScConvSoftmax, ScConvMask, ScConvNormMask, ScConvWhere:
		return nil
	}
	return fmt.Errorf("there is no flavour %q of ScConv: softmax, mask, normmask and where are known", string(f))
}

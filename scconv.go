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

// check refuses any other.
func (f ScConv) check() error {
	switch f {
	case ScConvAuto, ScConvSoftmax, ScConvMask, ScConvNormMask, ScConvWhere:
		return nil
	}
	return fmt.Errorf("there is no flavour %q of ScConv: softmax, mask, normmask and where are known", string(f))
}

// C3ScConv says how YOLOv5's parser was edited for C3_ScConv, and for the other blocks with ScConv inside. A checkpoint tells; a YAML
// alone does not.
type C3ScConv string

// The wirings. They differ for a row whose number is above 1 after the depth gain, or that has more than one argument.
const (
	C3ScConvAuto    C3ScConv = ""        // repeats, with a note where it matters
	C3ScConvRepeats C3ScConv = "repeats" // the number of repeats is an argument of the block: YOLOv5's tutorial
	C3ScConvPlain   C3ScConv = "plain"   // it is not: that many blocks one after another, each with the row's second argument as its number
)

// check refuses any other.
func (c C3ScConv) check() error {
	switch c {
	case C3ScConvAuto, C3ScConvRepeats, C3ScConvPlain:
		return nil
	}
	return fmt.Errorf("there is no wiring %q of C3_ScConv: repeats and plain are known", string(c))
}

package modules

import "ysc2onnx/onnxbuild"

// Module is a torch.nn.Module with one input and one output.
type Module interface {
	// Class is the Python class whose forward this is. A checkpoint's module must be of it.
	Class() *Class
	// Forward adds the module's nodes in the scope s and returns its output. What does not fit is refused by the scope's
	// builder, and shows as an error of the graph. The module itself stays as it is: a model is lowered for several sizes.
	Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value
}

// Joiner is a module with several inputs.
type Joiner interface {
	Class() *Class
	Forward(s *Scope, inputs []*onnxbuild.Value) *onnxbuild.Value
}

// Lister is a module with several inputs and several outputs, such as the levels of a pyramid.
type Lister interface {
	Class() *Class
	Forward(s *Scope, inputs []*onnxbuild.Value) []*onnxbuild.Value
}

// Head is the last layer: what it gives is decoded by a stage of its own.
type Head interface {
	Class() *Class
	Forward(s *Scope, inputs []*onnxbuild.Value) *Raw
}

// Raw is what the convolutions of a head give, and what decoding them takes. It is nil after an error.
type Raw struct {
	Maps    []*onnxbuild.Value // by level, [N, na·no, Hᵢ, Wᵢ]
	Anchors [][]float32        // by level, w and h of each of the na anchors, in pixels
	Strides []int64            // by level, pixels that a cell is wide and high
	Classes int                // nc, of the no = 5+nl+nc+na+nm columns

	Landmarks int // nl, x and y of points in turn, between objectness and scores; 0 in most models
	Angles    int // na, scores of the angles of rotated boxes behind those of classes; 0 in most models
	Masks     int // nm, the coefficients of masks behind the scores; 0 in most models

	Prototypes *onnxbuild.Value // of the masks, [N, nm, H, W]; nil where there are none

	Logits *onnxbuild.Value // of a classifier, [N, nc], which has no maps and nothing to decode; nil of a detector
}

// Sequential is torch.nn.Sequential: modules applied in turn, under the names 0, 1, …
type Sequential []Module

var sequentialClass = Class{Path: "torch.nn.modules.container.Sequential"}

// Class is torch.nn.Sequential.
func (Sequential) Class() *Class { return &sequentialClass }

// Forward applies the modules in turn.
func (q Sequential) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	for i, m := range q {
		x = s.CallItem(i, m, x)
	}
	return x
}

// Repeat is a Sequential of n new modules.
func Repeat(n int, construct func() Module) Sequential {
	var q Sequential
	for range n {
		q = append(q, construct())
	}
	return q
}

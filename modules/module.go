package modules

import "ysc2onnx/onnxbuild"

// Module is a layer with one input.
type Module interface {
	// Forward adds the module's nodes in the scope s and returns its output. What does not fit is refused by the
	// scope's builder, and shows as an error of the graph.
	Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value
}

// Joiner is a layer with several inputs.
type Joiner interface {
	Forward(s *Scope, inputs []*onnxbuild.Value) *onnxbuild.Value
}

// Sequential is torch.nn.Sequential: modules applied in turn, under the names 0, 1, …
type Sequential []Module

// Forward applies the modules in turn.
func (q Sequential) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	for i, m := range q {
		x = m.Forward(s.At(i), x)
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

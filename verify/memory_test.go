package verify

import (
	"testing"

	"ysc2onnx/verify/internal/tiny"
)

// TestPeakActivations: by hand. x and a are 4 floats, b and c 4 each, d 4: while c is made, x is gone, and a, b and c are held.
func TestPeakActivations(t *testing.T) {
	four := []any{1, 4}
	value := func(name string) tiny.Value { return tiny.Value{Name: name, Type: 1, Dims: four} }
	m := tiny.Model{
		Nodes: []tiny.Node{
			{Op: "Relu", Name: "0", In: []string{"x"}, Out: []string{"a"}},       // x a
			{Op: "Neg", Name: "1", In: []string{"a"}, Out: []string{"b"}},        // a b
			{Op: "Abs", Name: "2", In: []string{"a"}, Out: []string{"c"}},        // a b c
			{Op: "Exp", Name: "3", In: []string{"b"}, Out: []string{"unread"}},   // b c unread
			{Op: "Add", Name: "4", In: []string{"b", "c"}, Out: []string{"out"}}, // b c out
		},
		Inputs: []tiny.Value{value("x")}, Outputs: []tiny.Value{value("out")},
		Info: []tiny.Value{value("a"), value("b"), value("c"), value("unread")},
	}
	if got, ok := look(t, m.Bytes()).PeakActivations(); !ok || got != 3*4*4 {
		t.Errorf("%d bytes, %t; want 48", got, ok)
	}
	m.Info[2].Dims = []any{"batch", 4}
	if got, ok := look(t, m.Bytes()).PeakActivations(); ok {
		t.Errorf("%d bytes of a file whose sizes are open", got)
	}
}

package ysc2onnx_test

import (
	"slices"
	"testing"

	"ysc2onnx/onnxbuild"
)

// surgery changes a graph for the worse. What it is asked to change has to be there.
type surgery struct {
	t *testing.T
	*onnxbuild.Graph
}

// node finds a node by its name, without the slash that it begins with.
func (s *surgery) node(name string) *onnxbuild.Node {
	s.t.Helper()
	for _, n := range s.Nodes {
		if n.Name == "/"+name {
			return n
		}
	}
	s.t.Fatalf("the graph has no node /%s", name)
	return nil
}

// input is what a node reads.
func (s *surgery) input(name string, i int) *onnxbuild.Value {
	s.t.Helper()
	return s.node(name).Inputs[i]
}

// output is what a node gives.
func (s *surgery) output(name string) *onnxbuild.Value {
	s.t.Helper()
	return s.node(name).Outputs[0]
}

// value finds what a node gives, or reads as an initializer, by the value's name.
func (s *surgery) value(name string) *onnxbuild.Value {
	s.t.Helper()
	for _, n := range s.Nodes {
		for _, v := range slices.Concat(n.Inputs, n.Outputs) {
			if v != nil && v.Name == name {
				return v
			}
		}
	}
	s.t.Fatalf("the graph has no value %s", name)
	return nil
}

// set changes an attribute that a node has.
func (s *surgery) set(node, attribute string, value any) {
	s.t.Helper()
	n := s.node(node)
	i := slices.IndexFunc(n.Attrs, func(a onnxbuild.Attr) bool { return a.Name == attribute })
	if i < 0 {
		s.t.Fatalf("/%s has no %s", node, attribute)
	}
	n.Attrs = slices.Clone(n.Attrs)
	n.Attrs[i].Value = value
}

// swap exchanges what two nodes, or one, read.
func (s *surgery) swap(a string, i int, b string, j int) {
	s.t.Helper()
	s.exchange(&s.node(a).Inputs[i], &s.node(b).Inputs[j])
}

// exchange swaps two values of one shape, so that the graph stays consistent.
func (s *surgery) exchange(a, b **onnxbuild.Value) {
	s.t.Helper()
	if !(*a).Shape.Equal((*b).Shape) {
		s.t.Fatalf("%s %s and %s %s cannot be swapped", (*a).Name, (*a).Shape, (*b).Name, (*b).Shape)
	}
	*a, *b = *b, *a
}

// reread lets a node read another value of the same shape.
func (s *surgery) reread(node string, i int, v *onnxbuild.Value) {
	s.t.Helper()
	s.exchange(&s.node(node).Inputs[i], &v)
}

// elements changes the elements of an initializer.
func (s *surgery) elements(name string, change func(x []float32)) {
	s.t.Helper()
	v := s.value(name)
	if v.Const == nil {
		s.t.Fatalf("%s is not an initializer", name)
	}
	x, err := v.Const.ReadAll()
	if err != nil {
		s.t.Fatal(err)
	}
	change(x)
	v.Const = onnxbuild.FloatTensor(v.Const.Shape, x)
}

// instead lets the graph have another value in the place of a node's first output. by gets a builder in the node's place
// and scope; the value has to have the shape of the old one.
func (s *surgery) instead(node string, by func(b onnxbuild.Builder, n *onnxbuild.Node) *onnxbuild.Value) {
	s.t.Helper()
	s.node(node) // has to be there
	err := s.Rewrite(func(r *onnxbuild.Rewriter, b onnxbuild.Builder, n *onnxbuild.Node) (bool, error) {
		if n.Name != "/"+node {
			return true, nil
		}
		v := by(b, n)
		if !v.Shape.Equal(n.Outputs[0].Shape) {
			s.t.Fatalf("%s is not of the shape %s of /%s", v.Shape, n.Outputs[0].Shape, node)
		}
		if !r.Replace(n.Outputs[0], v) {
			s.t.Fatalf("/%s cannot be replaced", node)
		}
		return false, nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

// skip leaves a node out: what read it reads its i-th input.
func (s *surgery) skip(node string, i int) {
	s.t.Helper()
	s.instead(node, func(_ onnxbuild.Builder, n *onnxbuild.Node) *onnxbuild.Value { return n.Inputs[i] })
}

// exchangeParts swaps two parts of a Concat, whatever their sizes: the sum of these does not change.
func (s *surgery) exchangeParts(concat string, i, j int) {
	n := s.node(concat)
	n.Inputs[i], n.Inputs[j] = n.Inputs[j], n.Inputs[i]
}

// read gives the elements of an initializer.
func (s *surgery) read(name string) []float32 {
	s.t.Helper()
	var elements []float32
	s.elements(name, func(x []float32) { elements = slices.Clone(x) })
	return elements
}

// shapeOf is the shape of a value without symbols.
func shapeOf(v *onnxbuild.Value) []int64 {
	sizes, _ := v.Shape.Static()
	return sizes
}

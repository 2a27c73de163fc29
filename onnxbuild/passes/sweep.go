package passes

import (
	"slices"

	"ysc2onnx/onnxbuild"
)

// sweep is one walk over a graph, in order, that always knows how often each value is read.
type sweep struct {
	*onnxbuild.Rewriter
	uses map[*onnxbuild.Value]int // reads by nodes; the graph's outputs have promised names
}

// visitor looks at one node; it may add nodes before it and replace its outputs. It returns whether the node stays.
type visitor func(s *sweep, b onnxbuild.Builder, n *onnxbuild.Node) (keep bool)

// walk visits each node once. Nodes that a visitor adds and that only constants feed are computed at once.
func walk(g *onnxbuild.Graph, visit visitor) error {
	s := &sweep{uses: make(map[*onnxbuild.Value]int, 2*len(g.Nodes))}
	for _, n := range g.Nodes {
		s.count(n)
	}
	return g.Rewrite(func(r *onnxbuild.Rewriter, b onnxbuild.Builder, n *onnxbuild.Node) (bool, error) {
		s.Rewriter = r
		before := len(g.Nodes)
		keep := visit(s, b, n)
		g.Nodes = append(g.Nodes[:before], slices.DeleteFunc(g.Nodes[before:], fold)...)
		for _, added := range g.Nodes[before:] {
			s.count(added)
		}
		if !keep {
			s.release(n)
		}
		return keep, nil
	})
}

// count notes that n reads its inputs.
func (s *sweep) count(n *onnxbuild.Node) {
	for _, v := range n.Inputs {
		s.uses[v]++
	}
}

// release notes that n reads its inputs no more, and so on upwards where that leaves a node without a reader.
func (s *sweep) release(n *onnxbuild.Node) {
	for _, v := range n.Inputs {
		if v == nil {
			continue
		}
		if s.uses[v]--; v.Producer != nil && !slices.ContainsFunc(v.Producer.Outputs, s.needed) {
			s.release(v.Producer)
		}
	}
}

func (s *sweep) needed(v *onnxbuild.Value) bool { return v.Pinned || s.uses[v] > 0 }

// single reports whether v is read once and has no promised name, so that it may disappear with its reader.
func (s *sweep) single(v *onnxbuild.Value) bool { return s.uses[v] == 1 && !v.Pinned }

// replace lets by stand for an output of the node that is visited. It reports whether that is possible: by must be of the
// same type and shape, and able to take a promised name.
func (s *sweep) replace(old, by *onnxbuild.Value) bool {
	if by.DType != old.DType || !by.Shape.Equal(old.Shape) || !s.Replace(old, by) {
		return false
	}
	s.uses[by] += s.uses[old]
	s.uses[old] = 0
	return true
}

// reread makes the visited node read its input i from v.
func (s *sweep) reread(n *onnxbuild.Node, i int, v *onnxbuild.Value) {
	s.uses[v]++
	s.release(&onnxbuild.Node{Inputs: n.Inputs[i : i+1]})
	n.Inputs[i] = v
}

// producer is the node that gives v if it applies the operator op, else nil.
func producer(v *onnxbuild.Value, op string) *onnxbuild.Node {
	if v != nil && v.Producer != nil && v.Producer.Op.Name == op {
		return v.Producer
	}
	return nil
}

// besides takes the two inputs of a commutative node apart: one that is constant, and the other one. Both are nil where
// not exactly one is constant.
func besides(n *onnxbuild.Node) (other, constant *onnxbuild.Value) {
	x, y := n.Inputs[0], n.Inputs[1]
	switch {
	case x.Const == nil && y.Const != nil:
		return x, y
	case y.Const == nil && x.Const != nil:
		return y, x
	}
	return nil, nil
}

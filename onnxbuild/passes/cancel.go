package passes

import (
	"slices"

	"ysc2onnx/onnxbuild"
)

// CancelMoves removes operators that only move elements and whose moves cancel or join:
//
//   - Split of a Concat into the parts that it was made of gives these parts;
//   - a Concat of Concats along the same axis becomes one, where nothing else reads the inner one;
//   - a Reshape to the shape that its input has, or that its input was reshaped from, disappears, and so does a Transpose
//     that does the same; of two in a row one is left, where nothing else reads what is between them.
//
// Values do not change.
func CancelMoves(g *onnxbuild.Graph) error {
	return walk(g, func(s *sweep, b onnxbuild.Builder, n *onnxbuild.Node) bool {
		switch n.Op.Name {
		case "Split":
			return !cancelSplit(s, n)
		case "Concat":
			flatten(s, n)
		case "Reshape":
			return !cancelReshape(s, n)
		case "Transpose":
			return !cancelTranspose(s, b, n)
		}
		return true
	})
}

// cancelSplit replaces the results of a Split by what was joined before it. It reports whether all are replaced.
func cancelSplit(s *sweep, n *onnxbuild.Node) bool {
	joined := producer(n.Inputs[0], "Concat")
	if joined == nil || axis(joined) != axis(n) || len(joined.Inputs) != len(n.Outputs) {
		return false
	}
	for i, part := range joined.Inputs {
		if !part.Shape.Equal(n.Outputs[i].Shape) {
			return false
		}
	}
	all := true
	for i, part := range joined.Inputs {
		all = s.replace(n.Outputs[i], part) && all
	}
	return all
}

// flatten lets a Concat read the parts of inner ones itself.
func flatten(s *sweep, n *onnxbuild.Node) {
	for i := 0; i < len(n.Inputs); i++ {
		inner := producer(n.Inputs[i], "Concat")
		if inner == nil || axis(inner) != axis(n) || !s.single(n.Inputs[i]) {
			continue
		}
		s.count(inner) // read by n from now on, and by inner no more
		s.release(&onnxbuild.Node{Inputs: n.Inputs[i : i+1]})
		n.Inputs = slices.Concat(n.Inputs[:i], inner.Inputs, n.Inputs[i+1:])
		i += len(inner.Inputs) - 1
	}
}

// cancelReshape reports whether a Reshape gave way to a value that has its shape already.
func cancelReshape(s *sweep, n *onnxbuild.Node) bool {
	if s.replace(n.Outputs[0], n.Inputs[0]) {
		return true
	}
	inner := producer(n.Inputs[0], "Reshape")
	if inner == nil {
		return false
	}
	if s.replace(n.Outputs[0], inner.Inputs[0]) {
		return true
	}
	if s.single(n.Inputs[0]) && reshapesAlike(n, inner.Inputs[0]) {
		s.reread(n, 0, inner.Inputs[0])
	}
	return false
}

// reshapesAlike reports whether the shape that n asks for means the same for x as for its input: each 0 in it has to
// copy the same size.
func reshapesAlike(n *onnxbuild.Node, x *onnxbuild.Value) bool {
	sizes := n.Inputs[1].Const
	if sizes == nil {
		return false
	}
	for i, size := range sizes.Ints {
		if size == 0 && (i >= len(x.Shape) || !x.Shape[i].Equal(n.Outputs[0].Shape[i])) {
			return false
		}
	}
	return true
}

// cancelTranspose reports whether a Transpose gave way to another value.
func cancelTranspose(s *sweep, b onnxbuild.Builder, n *onnxbuild.Node) bool {
	x, perm := n.Inputs[0], slices.Clone(n.Ints("perm"))
	if inner := producer(x, "Transpose"); inner != nil {
		through := inner.Ints("perm")
		for i, p := range perm {
			perm[i] = through[p]
		}
		if isIdentity(perm) {
			return s.replace(n.Outputs[0], inner.Inputs[0])
		}
		return s.single(x) && s.replace(n.Outputs[0], b.Transpose(inner.Inputs[0], perm...))
	}
	return isIdentity(perm) && s.replace(n.Outputs[0], x)
}

func isIdentity(perm []int64) bool {
	for i, p := range perm {
		if p != int64(i) {
			return false
		}
	}
	return true
}

// axis is the axis along which a Split or Concat works.
func axis(n *onnxbuild.Node) int64 {
	a := n.Int("axis", 0)
	if a < 0 {
		a += int64(len(n.Inputs[0].Shape))
	}
	return a
}

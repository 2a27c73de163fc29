package passes

import "ysc2onnx/onnxbuild"

// FoldConstants computes what only constants feed: gates that depend on weights alone, the grids of a detection head.
// The result is an initializer under the name of the value that it replaces.
//
// Nodes stay that have a promised name, whose operator is not computed ahead, or that are too large for it. A constant
// that cannot be read is left for the writer to report.
func FoldConstants(g *onnxbuild.Graph) error {
	return walk(g, func(_ *sweep, _ onnxbuild.Builder, n *onnxbuild.Node) bool { return !fold(n) })
}

// fold turns the output of a node that only constants feed into an initializer. It reports whether it did: the node must
// then be removed.
func fold(n *onnxbuild.Node) bool {
	if !n.Op.Foldable() || len(n.Outputs) != 1 || n.Outputs[0].Pinned {
		return false
	}
	for _, v := range n.Inputs {
		if v == nil || v.Const == nil {
			return false
		}
	}
	t, err := onnxbuild.Eval(n)
	if err != nil {
		return false
	}
	n.Outputs[0].Const, n.Outputs[0].Producer = t, nil
	return true
}

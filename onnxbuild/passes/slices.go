package passes

import "ysc2onnx/onnxbuild"

// SliceUnequalParts writes a Split into parts of unequal sizes as one Slice for each part. From opset 13 on the sizes of
// a Split are an input, which OpenCV's DNN module (4.6) does not read: it takes all parts to be equal.
//
// Values do not change.
func SliceUnequalParts(g *onnxbuild.Graph) error {
	return walk(g, func(s *sweep, b onnxbuild.Builder, n *onnxbuild.Node) bool {
		if n.Op.Name != "Split" {
			return true
		}
		along := axis(n)
		unequal := false
		for _, part := range n.Outputs[1:] {
			unequal = unequal || !part.Shape.Equal(n.Outputs[0].Shape)
		}
		if !unequal {
			return true
		}
		from, all := int64(0), true
		for _, part := range n.Outputs {
			size, _ := part.Dim(int(along)).Static() // the sizes of a Split are constants
			all = s.replace(part, b.Slice(n.Inputs[0], along, from, from+size)) && all
			from += size
		}
		return !all
	})
}

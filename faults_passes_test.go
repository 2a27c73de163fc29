package ysc2onnx_test

import "ysc2onnx/onnxbuild"

// passFaults are passes that go wrong. The interpreter computes the lowering as it was before them.
var passFaults = []fault{
	{what: "a batch norm folded without its shift", model: "insert", caught: numbers, names: "layer 5 (Conv)", pass: "fold-batchnorm", wrong: func(s *surgery, right func()) {
		right()
		n := s.node("model.5/conv/Conv")
		n.Inputs = n.Inputs[:2]
	}},
	{what: "a batch norm folded with another eps", model: "c3", caught: numbers, names: "layer 3 (Conv)", pass: "fold-batchnorm", wrong: func(s *surgery, right func()) {
		s.set("model.3/bn/BatchNormalization", "epsilon", float32(1e-5))
		right()
	}},
	{what: "a batch norm's scale folded along the input channels", model: "replace", caught: numbers, names: "layer 2 (C3)", pass: "fold-batchnorm", wrong: func(s *surgery, right func()) {
		const weight, c = "model.2.m.0.cv1.conv.weight", 4
		before := s.read(weight)
		right()
		s.elements(weight, func(x []float32) {
			var scale [c]float32
			for i := range scale {
				scale[i] = x[c*i] / before[c*i]
			}
			for i := range x {
				x[i] = before[i] * scale[i%c]
			}
		})
	}},
	{what: "a gate computed as open that is closed", model: "replace", caught: numbers, names: "layer 8 (ScConv)", pass: "fold-constants", wrong: func(s *surgery, right func()) {
		right()
		for gate, open := range map[string]float32{"/model.8/SRU/Cast_output_0": 1, "/model.8/SRU/Cast_1_output_0": 0} {
			s.elements(gate, func(x []float32) {
				for i := range x {
					x[i] = open
				}
			})
		}
	}},
	{what: "a gate computed with >= for >", model: "edge", caught: numbers, names: "layer 1 (ScConv)", pass: "fold-constants", wrong: func(s *surgery, right func()) {
		right()
		for gate, open := range map[string]float32{"/model.1/SRU/Cast_output_0": 1, "/model.1/SRU/Cast_1_output_0": 0} {
			s.elements(gate, func(x []float32) { x[3], x[12] = open, open })
		}
	}},
	{what: "a sum with what is not 0 dropped", model: "insert", caught: numbers, names: "layer 8 (C3)", pass: "drop-neutral", wrong: func(s *surgery, right func()) {
		right()
		s.skip("model.8/m/m.0/Add", 1)
	}},
	{what: "the deviation shortened without its factor", model: "edge", caught: numbers, names: "layer 3 (ScConv)", pass: "shorten-deviation", wrong: func(s *surgery, right func()) {
		right()
		s.elements("/model.3/SRU/gn/unbiased", func(x []float32) { x[0] = 1 })
	}},
	{what: "the deviation shortened without its factor, in the second ScConv of a C3", model: "c3", caught: numbers, names: "/model.6/m/m.1/SRU/sigomid/Sigmoid_output_0", pass: "shorten-deviation", wrong: func(s *surgery, right func()) {
		right()
		s.elements("/model.6/m/m.1/SRU/gn/unbiased", func(x []float32) { x[0] = 1 })
	}},
	{what: "the deviation shortened over the rows alone", model: "edge", caught: numbers, names: "layer 3 (ScConv)", pass: "shorten-deviation", wrong: func(s *surgery, right func()) {
		right()
		s.instead("model.3/SRU/gn/ReduceL2", func(b onnxbuild.Builder, n *onnxbuild.Node) *onnxbuild.Value {
			return b.ReduceMean(b.ReduceL2(n.Inputs[0], 2), 3)
		})
	}},
	{what: "merged constants of which one is left out", model: "insert", caught: numbers, names: "layer 9 (ScConv)", pass: "merge-constants", wrong: func(s *surgery, right func()) {
		gamma := s.read("model.9.SRU.gn.gamma")
		right()
		s.elements("/model.9/SRU/Mul_5_output_0", func(x []float32) { copy(x, gamma) })
	}},
	{what: "a Split of a Concat into other parts cancelled", model: "replace", caught: numbers, names: "layer 8 (ScConv)", pass: "cancel-moves", wrong: func(s *surgery, right func()) {
		right()
		s.swap("model.8/CRU/squeeze1/Conv", 0, "model.8/CRU/squeeze2/Conv", 0)
	}},
	{what: "a Transpose dropped that does not cancel", model: "c3", caught: numbers, names: "layer 24 (Detect)", pass: "cancel-moves", wrong: func(s *surgery, right func()) {
		right()
		s.instead("model.24/Transpose", func(b onnxbuild.Builder, n *onnxbuild.Node) *onnxbuild.Value {
			return b.Reshape(n.Inputs[0], b.Ints("sizes", shapeOf(n.Outputs[0])...))
		})
	}},
	{what: "Slices one element further than the Split's parts", model: "changed", caught: numbers, names: "layer 2 (ScConv)", pass: "slice-unequal-parts", wrong: func(s *surgery, right func()) {
		right()
		s.instead("model.2/CRU/Slice", func(b onnxbuild.Builder, n *onnxbuild.Node) *onnxbuild.Value { return b.Slice(n.Inputs[0], 1, 1, 9) })
	}},
	{what: "initializers shared that are not equal", model: "replace", caught: numbers, names: "layer 4 (C3)", pass: "share-initializers", wrong: func(s *surgery, right func()) {
		right()
		s.reread("model.4/m/m.1/cv2/conv/Conv", 1, s.value("model.4.m.0.cv2.conv.weight"))
	}},
}

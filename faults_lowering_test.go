package ysc2onnx_test

import (
	"math"
	"slices"
	"strings"

	"ysc2onnx/onnxbuild"
)

// loweringFaults are faults of what modules are taken to compute. A file that has them is sound, and computes something else:
// only PyTorch's values tell.
var loweringFaults = []fault{
	// Conv and BatchNorm2d.
	{what: "batch norm with PyTorch's eps 1e-5 for YOLOv5's 1e-3", model: "replace", caught: against, names: "model.0: ", lowering: func(s *surgery) {
		for _, n := range s.Nodes {
			if n.Op.Name == "BatchNormalization" {
				s.set(strings.TrimPrefix(n.Name, "/"), "epsilon", float32(1e-5))
			}
		}
	}},
	{what: "batch norm with eps 1e-5 for 1e-3, in one layer", model: "replace", caught: against, names: "model.13: ", lowering: func(s *surgery) {
		s.set("model.13/cv2/bn/BatchNormalization", "epsilon", float32(1e-5))
	}},
	{what: "the k=6 window one pixel too far up and left", model: "insert", caught: against, names: "model.0: ", lowering: func(s *surgery) {
		s.set("model.0/conv/Conv", "pads", []int64{3, 3, 1, 1})
	}},
	{what: "stride 2 padded below and right only, TensorFlow's SAME", model: "replace", caught: against, names: "model.3: ", lowering: func(s *surgery) {
		s.set("model.3/conv/Conv", "pads", []int64{0, 0, 2, 2})
	}},
	{what: "height and width of a kernel transposed", model: "c3", caught: against, names: "model.7: ", lowering: func(s *surgery) {
		s.elements("model.7.conv.weight", func(x []float32) {
			for kernel := range slices.Chunk(x, 9) {
				for i := range 3 {
					for j := range i {
						kernel[3*i+j], kernel[3*j+i] = kernel[3*j+i], kernel[3*i+j]
					}
				}
			}
		})
	}},
	{what: "input and output channels of a weight transposed", model: "replace", caught: against, names: "model.2: ", lowering: func(s *surgery) {
		s.elements("model.2.m.0.cv1.conv.weight", func(x []float32) {
			const c = 4
			for i := range c {
				for j := range i {
					x[c*i+j], x[c*j+i] = x[c*j+i], x[c*i+j]
				}
			}
		})
	}},
	{what: "weights rounded to float16", model: "edge", caught: against, names: "model.2: ", lowering: func(s *surgery) {
		s.elements("model.2.conv.weight", func(x []float32) {
			for i, w := range x {
				x[i] = float16(w)
			}
		})
	}},
	{what: "ReLU for SiLU", model: "replace", caught: against, names: "model.10: ", lowering: func(s *surgery) {
		s.instead("model.10/act/Mul", func(b onnxbuild.Builder, n *onnxbuild.Node) *onnxbuild.Value { return b.Relu(n.Inputs[0]) })
	}},
	{what: "Hardswish for SiLU", model: "c3", caught: against, names: "model.8: ", lowering: func(s *surgery) {
		s.instead("model.8/act/Mul", func(b onnxbuild.Builder, n *onnxbuild.Node) *onnxbuild.Value { return b.HardSwish(n.Inputs[0]) })
	}},
	{what: "the image's channels as BGR", model: "c3", caught: against, names: "model.0: ", lowering: func(s *surgery) {
		s.instead("model.0/conv/Conv", func(b onnxbuild.Builder, n *onnxbuild.Node) *onnxbuild.Value {
			rgb := b.Split(n.Inputs[0], 1, 1, 1, 1)
			w := onnxbuild.Window{Kernel: []int64{6, 6}, Stride: []int64{2, 2}, Dilation: []int64{1, 1}, Pads: []int64{2, 2, 2, 2}}
			return b.Conv(b.Concat(1, rgb[2], rgb[1], rgb[0]), n.Inputs[1], nil, w, 1)
		})
	}},

	{what: "mean and variance of a batch norm swapped", model: "insert", caught: refused, names: "/model.5/bn/BatchNormalization", lowering: func(s *surgery) {
		s.swap("model.5/bn/BatchNormalization", 3, "model.5/bn/BatchNormalization", 4)
	}},
	{what: "a padding of k//2 = 3 for the k=6 convolution", model: "insert", caught: refused, names: "error: layer 0 has the arguments [64, 6, 2], that of insert.pt has [64, 6, 2, 2]", rows: func(yaml string) string {
		return strings.Replace(yaml, "[64, 6, 2, 2]", "[64, 6, 2]", 1)
	}},
	{what: "one bottleneck less, in the YAML", model: "replace", caught: refused, names: "error: layer 6 comes out with the number 2, that of replace.pt with 3", rows: func(yaml string) string {
		return strings.Replace(yaml, "[-1, 9, C3, [512]]", "[-1, 6, C3, [512]]", 1)
	}},

	// C3, Bottleneck, SPPF, Concat, Upsample.
	{what: "depth rounded down: int(9 x 0.33) = 2 bottlenecks for 3", model: "replace", caught: against, names: "model.6: ", lowering: func(s *surgery) {
		s.skip("model.6/m/m.2/Add", 0)
	}},
	{what: "a shortcut left out", model: "replace", caught: against, names: "model.4: ", lowering: func(s *surgery) {
		s.skip("model.4/m/m.0/Add", 1)
	}},
	{what: "a shortcut where the YAML says False", model: "insert", caught: against, names: "model.18: ", lowering: func(s *surgery) {
		s.instead("model.18/m/m.0/cv2/act/Mul", func(b onnxbuild.Builder, n *onnxbuild.Node) *onnxbuild.Value {
			return b.Add(s.output("model.18/cv1/act/Mul"), b.Mul(n.Inputs[0], n.Inputs[1]))
		})
	}},
	{what: "C3's branches joined the other way round", model: "insert", caught: against, names: "model.8: ", lowering: func(s *surgery) {
		s.swap("model.8/Concat", 0, "model.8/Concat", 1)
	}},
	{what: "SPPF's pooling of 3 for 5", model: "c3", caught: against, names: "model.9: ", lowering: func(s *surgery) {
		for _, pool := range []string{"model.9/m/MaxPool", "model.9/m_1/MaxPool", "model.9/m_2/MaxPool"} {
			s.set(pool, "kernel_shape", []int64{3, 3})
			s.set(pool, "pads", []int64{1, 1, 1, 1})
		}
	}},
	{what: "SPPF's poolings side by side, not one after another", model: "insert", caught: against, names: "model.10: ", lowering: func(s *surgery) {
		s.reread("model.10/m_1/MaxPool", 0, s.output("model.10/cv1/act/Mul"))
		s.reread("model.10/m_2/MaxPool", 0, s.output("model.10/cv1/act/Mul"))
	}},
	{what: "Concat in the reverse order", model: "replace", caught: against, names: "model.12: ", lowering: func(s *surgery) {
		s.swap("model.12/Concat", 0, "model.12/Concat", 1)
	}},
	{what: "Concat of layer 5 for layer 6", model: "c3", caught: against, names: "model.12: ", lowering: func(s *surgery) {
		s.reread("model.12/Concat", 1, s.Marked("model.5"))
	}},
	{what: "Upsample linear for nearest", model: "replace", caught: against, names: "model.15: ", lowering: func(s *surgery) {
		s.set("model.15/Resize", "mode", "linear")
	}},

	// ScConv.
	{what: "biased standard deviation for the unbiased one", model: "edge", caught: against, names: "model.3: ", lowering: func(s *surgery) {
		s.elements("/model.3/SRU/gn/degrees", func(x []float32) { x[0]++ })
	}},
	{what: "16 groups for one group per channel", model: "replace", caught: against, names: "model.8: ", lowering: func(s *surgery) {
		s.instead("model.8/SRU/gn/Reshape_1", func(b onnxbuild.Builder, n *onnxbuild.Node) *onnxbuild.Value {
			v := b.Reshape(s.input("model.8/SRU/gn/Reshape", 0), b.Ints("groups", 0, 16, -1))
			length, _ := v.Dim(2).Static()
			d := b.Sub(v, b.ReduceMean(v, 2))
			variance := b.Div(b.ReduceSum(b.Mul(d, d), 2), b.Scalar("degrees", float32(length-1)))
			return b.Reshape(b.Div(d, b.Add(b.Sqrt(variance), b.Scalar("eps", 1e-10))), n.Inputs[1])
		})
	}},
	{what: "the normalisation's eps inside the root", model: "edge", caught: against, names: "model.3: ", lowering: func(s *surgery) {
		s.instead("model.3/SRU/gn/Add", func(b onnxbuild.Builder, n *onnxbuild.Node) *onnxbuild.Value {
			return b.Sqrt(b.Add(s.input("model.3/SRU/gn/Sqrt", 0), n.Inputs[1]))
		})
	}},
	{what: "the normalisation's beta left out", model: "edge", caught: against, names: "model.3: ", lowering: func(s *surgery) {
		s.skip("model.3/SRU/gn/Add_1", 0)
	}},
	{what: "softmax(gamma) over a wrong axis", model: "c3", caught: against, names: "model.13: ", lowering: func(s *surgery) {
		s.set("model.13/m/m.0/SRU/Softmax", "axis", int64(1))
	}},
	{what: "r = sigmoid(gn(x)) without the weight", model: "c3", caught: against, names: "model.13: ", lowering: func(s *surgery) {
		s.skip("model.13/m/m.0/SRU/Mul", 0)
	}},
	{what: "gates of >= for > where the weight is the threshold", model: "edge", caught: against, names: "model.1: ", lowering: func(s *surgery) {
		s.instead("model.1/SRU/Greater", func(b onnxbuild.Builder, n *onnxbuild.Node) *onnxbuild.Value {
			return b.LessOrEqual(n.Inputs[1], n.Inputs[0])
		})
		s.instead("model.1/SRU/LessOrEqual", func(b onnxbuild.Builder, n *onnxbuild.Node) *onnxbuild.Value {
			return b.Greater(n.Inputs[1], n.Inputs[0])
		})
	}},
	{what: "SRU's halves added straight, not crosswise", model: "replace", caught: against, names: "model.8: ", lowering: func(s *surgery) {
		s.swap("model.8/SRU/Add", 1, "model.8/SRU/Add_1", 1)
	}},
	{what: "CRU's upper and lower part swapped", model: "insert", caught: against, names: "model.9: ", lowering: func(s *surgery) {
		s.swap("model.9/CRU/squeeze1/Conv", 0, "model.9/CRU/squeeze2/Conv", 0)
	}},
	{what: "GWC's bias left out", model: "c3", caught: against, names: "model.20: ", lowering: func(s *surgery) {
		n := s.node("model.20/m/m.0/CRU/GWC/Conv")
		n.Inputs = n.Inputs[:2]
	}},
	{what: "CRU joins l before PWC2(l)", model: "c3", caught: against, names: "model.2: ", lowering: func(s *surgery) {
		s.exchangeParts("model.2/m/m.0/CRU/Concat", 1, 2)
	}},
	{what: "CRU's softmax over the rows, not the channels", model: "c3", caught: against, names: "model.23: ", lowering: func(s *surgery) {
		s.set("model.23/m/m.0/CRU/Softmax", "axis", int64(2))
	}},
	{what: "SPPF's pooling of 3 for 5, behind an ScConv", model: "insert", caught: against, names: "model.10: ", lowering: func(s *surgery) {
		for _, pool := range []string{"model.10/m/MaxPool", "model.10/m_1/MaxPool", "model.10/m_2/MaxPool"} {
			s.set(pool, "kernel_shape", []int64{3, 3})
			s.set(pool, "pads", []int64{1, 1, 1, 1})
		}
	}},
	{what: "biased standard deviation for the unbiased one", model: "insert", caught: against, names: "model.9: ", lowering: func(s *surgery) {
		s.elements("/model.9/SRU/gn/degrees", func(x []float32) { x[0]++ })
	}},
	{what: "the normalisation's beta left out", model: "c3", caught: against, names: "model.17: ", lowering: func(s *surgery) {
		s.skip("model.17/m/m.0/SRU/gn/Add_1", 0)
	}},
	{what: "the normalisation's gamma left out", model: "insert", caught: against, names: "model.9: ", lowering: func(s *surgery) {
		s.skip("model.9/SRU/gn/Mul_1", 0)
	}},
	{what: "the normalisation's eps 1e-5 for 1e-10", model: "edge", caught: against, names: "model.3: ", lowering: func(s *surgery) {
		s.elements("/model.3/SRU/gn/eps", func(x []float32) { x[0] = 1e-5 })
	}},
	{what: "softmax(gamma) over a wrong axis, in the second ScConv of a C3", model: "c3", caught: against, names: "model.6: ", lowering: func(s *surgery) {
		s.set("model.6/m/m.1/SRU/Softmax", "axis", int64(1))
	}},
	{what: "gamma / sum(gamma) for softmax(gamma)", model: "replace", caught: against, names: "model.8: ", lowering: func(s *surgery) {
		s.instead("model.8/SRU/Softmax", func(b onnxbuild.Builder, n *onnxbuild.Node) *onnxbuild.Value {
			return b.Div(n.Inputs[0], b.ReduceSum(n.Inputs[0], 0))
		})
	}},
	{what: "a gate's threshold of 0.05 for 0.5", model: "replace", caught: against, names: "model.8: ", lowering: func(s *surgery) {
		s.elements("/model.8/SRU/gate_treshold", func(x []float32) { x[0] = 0.05 })
	}},
	{what: "gates on r >= 0.5, which do not weigh, for gates on the weight", model: "replace", caught: against, names: "model.8: ", lowering: func(s *surgery) {
		r, x := s.output("model.8/SRU/sigomid/Sigmoid"), s.Marked("model.7")
		s.instead("model.8/SRU/Mul_2", func(b onnxbuild.Builder, _ *onnxbuild.Node) *onnxbuild.Value {
			return b.Mul(b.Cast(b.LessOrEqual(b.Scalar("half", 0.5), r), onnxbuild.Float32), x)
		})
		s.instead("model.8/SRU/Mul_4", func(b onnxbuild.Builder, _ *onnxbuild.Node) *onnxbuild.Value {
			return b.Mul(b.Cast(b.Greater(b.Scalar("half", 0.5), r), onnxbuild.Float32), x)
		})
	}},
	{what: "max for average pooling in a CRU", model: "insert", caught: against, names: "model.9: ", lowering: func(s *surgery) {
		maxPool(s, "model.9")
	}},
	{what: "max for average pooling in every CRU", model: "c3", caught: against, names: "model.2: ", lowering: func(s *surgery) {
		for _, in := range []string{"2/m/m.0", "4/m/m.0", "4/m/m.1", "6/m/m.0", "6/m/m.1", "6/m/m.2", "13/m/m.0", "17/m/m.0", "20/m/m.0", "23/m/m.0"} {
			maxPool(s, "model."+in)
		}
	}},
	{what: "CRU's softmax over each half, not over both", model: "c3", caught: against, names: "model.20: ", lowering: func(s *surgery) {
		s.instead("model.20/m/m.0/CRU/Softmax", func(b onnxbuild.Builder, n *onnxbuild.Node) *onnxbuild.Value {
			half := b.Split(n.Inputs[0], 1, 16, 16)
			return b.Concat(1, b.Softmax(half[0], 1), b.Softmax(half[1], 1))
		})
	}},
	{what: "PWC1 left out", model: "c3", caught: against, names: "model.13: ", lowering: func(s *surgery) {
		s.skip("model.13/m/m.0/CRU/Add", 0)
	}},
	{what: "one weight of a Conv 2 % too large", model: "c3", caught: against, names: "model.7: ", lowering: func(s *surgery) {
		s.elements("model.7.conv.weight", func(x []float32) { x[1000] *= 1.02 })
	}},
	{what: "the largest weight of a GWC 2 % too large", model: "insert", caught: against, names: "model.9: ", lowering: func(s *surgery) {
		s.elements("model.9.CRU.GWC.weight", func(x []float32) {
			largest := 0
			for i := range x {
				if math.Abs(float64(x[i])) > math.Abs(float64(x[largest])) {
					largest = i
				}
			}
			x[largest] *= 1.02
		})
	}},
	{what: "one filter of a GWC 2 % too large, in the second ScConv of a C3", model: "c3", caught: against, names: "model.4: ", lowering: func(s *surgery) {
		s.elements("model.4.m.1.CRU.GWC.weight", func(x []float32) {
			for i := range x[:36] {
				x[i] *= 1.02
			}
		})
	}},

	// Detect.
	{what: "Detect's bias left out", model: "replace", caught: against, names: "output0 boxes: ", lowering: func(s *surgery) {
		n := s.node("model.24/m.1/Conv")
		n.Inputs = n.Inputs[:2]
	}},
	{what: "Detect without its sigmoid", model: "c3", caught: against, names: "output0 boxes: ", lowering: func(s *surgery) {
		s.skip("model.24/Sigmoid_2", 0)
	}},
	{what: "Detect's map taken as [outputs, anchors], not [anchors, outputs]", model: "replace", caught: against, names: "output0 boxes: ", lowering: func(s *surgery) {
		s.instead("model.24/Transpose_3", func(b onnxbuild.Builder, n *onnxbuild.Node) *onnxbuild.Value {
			d := shapeOf(n.Inputs[0])
			return b.Transpose(b.Reshape(n.Inputs[0], b.Ints("shape", 0, d[1], d[3], d[2])), 0, 3, 1, 2)
		})
	}},
	{what: "the grid's x and y swapped", model: "insert", caught: against, names: "output0 boxes: ", lowering: func(s *surgery) {
		rows, columns := s.read("/model.25/rows"), s.read("/model.25/columns")
		s.elements("/model.25/rows", func(x []float32) { copy(x, columns) })
		s.elements("/model.25/columns", func(x []float32) { copy(x, rows) })
	}},
	{what: "the grid's offset of 1/2 missing", model: "replace", caught: against, names: "output0 boxes: ", lowering: func(s *surgery) {
		s.elements("/model.24/half_2", func(x []float32) { x[0] = 0 })
	}},
	{what: "a level's grid in steps of 8 for 16", model: "c3", caught: against, names: "output0 boxes: ", lowering: func(s *surgery) {
		s.elements("/model.24/columns_1", func(x []float32) {
			for i := range x {
				x[i] /= 2
			}
		})
	}},
	{what: "a level's stride 8 for 16", model: "c3", caught: against, names: "output0 boxes: ", lowering: func(s *surgery) {
		for _, name := range []string{"linear_1", "rows_1", "columns_1"} {
			s.elements("/model.24/"+name, func(x []float32) {
				for i := range x {
					if i%8 < 2 {
						x[i] /= 2
					}
				}
			})
		}
	}},
	{what: "anchors in units of the stride, not in pixels", model: "insert", caught: against, names: "output0 boxes: ", lowering: func(s *surgery) {
		s.elements("/model.25/squared", func(x []float32) {
			for i := range x {
				x[i] /= 8
			}
		})
	}},
	{what: "anchors' height before their width", model: "replace", caught: against, names: "output0 boxes: ", lowering: func(s *surgery) {
		s.elements("/model.24/squared_2", func(x []float32) {
			for anchor := range slices.Chunk(x, len(x)/3) {
				anchor[2], anchor[3] = anchor[3], anchor[2]
			}
		})
	}},
	{what: "two levels' anchors swapped", model: "c3", caught: against, names: "output0 boxes: ", lowering: func(s *surgery) {
		s.swap("model.24/Mul_4", 1, "model.24/Mul_8", 1)
	}},
	{what: "width and height not squared", model: "replace", caught: against, names: "output0 boxes: ", lowering: func(s *surgery) {
		squared := s.read("/model.24/squared")
		s.elements("/model.24/squared", func(x []float32) { clear(x) })
		s.elements("/model.24/linear", func(x []float32) {
			for i := range x {
				x[i] += squared[i] / 2
			}
		})
	}},
	{what: "the levels joined from the coarsest to the finest", model: "insert", caught: against, names: "output0 boxes: ", lowering: func(s *surgery) {
		s.exchangeParts("model.25/Concat", 0, 2)
	}},
	{what: "class scores and objectness in another order", model: "c3", caught: against, names: "output0 scores: ", lowering: func(s *surgery) {
		s.instead("model.24/Transpose_1", func(b onnxbuild.Builder, n *onnxbuild.Node) *onnxbuild.Value {
			part := b.Split(n.Inputs[0], 3, 4, 1, 3)
			return b.Transpose(b.Concat(3, part[0], part[2], part[1]), 0, 2, 1, 3)
		})
	}},
}

// maxPool lets an ScConv's CRU weigh its channels by their largest value.
func maxPool(s *surgery, scconv string) {
	s.instead(scconv+"/CRU/advavg/GlobalAveragePool", func(b onnxbuild.Builder, n *onnxbuild.Node) *onnxbuild.Value {
		x := n.Inputs[0]
		sizes := shapeOf(x)
		whole := onnxbuild.Window{Kernel: []int64{sizes[2], sizes[3]}, Stride: []int64{1, 1}, Dilation: []int64{1, 1}}
		return b.MaxPool(x, whole)
	})
}

// float16 rounds to IEEE 754's binary16, half to even; numbers have to be in its normal range, or 0.
func float16(x float32) float32 {
	const dropped = 13 // bits of the mantissa
	bits := math.Float32bits(x)
	bits += 1<<(dropped-1) - 1 + bits>>dropped&1
	return math.Float32frombits(bits &^ (1<<dropped - 1))
}

package reference

import "context"

// definition computes a node's outputs from its inputs.
type definition func(ctx context.Context, n *node) ([]*Array, error)

// operators has the definition of each operator that onnxbuild can put into a graph.
var operators = map[string]definition{
	"Add":         pairs(func(a, b float64) float64 { return a + b }),
	"Sub":         pairs(func(a, b float64) float64 { return a - b }),
	"Mul":         pairs(func(a, b float64) float64 { return a * b }),
	"Div":         pairs(func(a, b float64) float64 { return a / b }),
	"Greater":     comparison(func(a, b float64) bool { return a > b }),
	"LessOrEqual": comparison(func(a, b float64) bool { return a <= b }),

	"Sqrt":      each(squareRoot),
	"Sigmoid":   each(sigmoid),
	"Relu":      each(relu),
	"LeakyRelu": each(leakyRelu),
	"HardSwish": each(hardSwish),
	"Cast":      cast,

	"Conv":              conv,
	"MaxPool":           maxPool,
	"GlobalAveragePool": globalAveragePool,

	"BatchNormalization":    batchNormalization,
	"InstanceNormalization": instanceNormalization,
	"Softmax":               softmax,

	"ReduceMean": reduce(mean),
	"ReduceSum":  reduce(sum),
	"ReduceL2":   reduce(euclidean),
	"ReduceProd": reduce(multiplied),

	"Reshape":   reshape,
	"Transpose": transpose,
	"Shape":     shape,
	"Slice":     slice,
	"Split":     split,
	"Concat":    concat,
	"Expand":    expand,
	"Range":     count,
	"Resize":    resize,
}

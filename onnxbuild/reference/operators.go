package reference

import (
	"context"
	"math"
)

// definition computes a node's outputs from its inputs.
type definition func(ctx context.Context, n *node) ([]*Array, error)

// operators has the definition of each operator that onnxbuild can put into a graph.
var operators = map[string]definition{
	"Add": pairs(func(a, b float64) float64 { return a + b }),
	"Sub": pairs(func(a, b float64) float64 { return a - b }),
	"Mul": pairs(func(a, b float64) float64 { return a * b }),
	"Div": pairs(func(a, b float64) float64 { return a / b }),
	"Pow": pairs(math.Pow),
	"Min": fold(func(a, b float64) float64 { return min(a, b) }),
	"Max": fold(func(a, b float64) float64 { return max(a, b) }),

	"Greater":        comparison(func(a, b float64) bool { return a > b }),
	"GreaterOrEqual": comparison(func(a, b float64) bool { return a >= b }),
	"Less":           comparison(func(a, b float64) bool { return a < b }),
	"LessOrEqual":    comparison(func(a, b float64) bool { return a <= b }),
	"Equal":          comparison(func(a, b float64) bool { return a == b }),
	"And":            comparison(func(a, b float64) bool { return a != 0 && b != 0 }),
	"Or":             comparison(func(a, b float64) bool { return a != 0 || b != 0 }),
	"Not":            only(func(x float64) float64 { return number(x == 0) }),
	"Where":          where,

	"Abs":   only(math.Abs),
	"Neg":   only(func(x float64) float64 { return -x }),
	"Floor": only(math.Floor),
	"Ceil":  only(math.Ceil),
	"Round": only(math.RoundToEven),
	"Sqrt":  only(math.Sqrt),
	"Exp":   only(math.Exp),
	"Log":   only(math.Log),
	"Erf":   only(math.Erf),
	"Cast":  cast,

	"Sigmoid":     only(sigmoid),
	"Relu":        only(relu),
	"LeakyRelu":   forEach(leakyRelu),
	"PRelu":       pairs(pRelu),
	"Elu":         forEach(elu),
	"HardSigmoid": forEach(hardSigmoid),
	"HardSwish":   only(hardSwish),
	"Mish":        only(mish),
	"Softplus":    only(softplus),
	"Gelu":        only(gelu),
	"Tanh":        only(math.Tanh),
	"Clip":        clip,

	"Conv":              conv,
	"ConvTranspose":     convTranspose,
	"DeformConv":        deformConv,
	"MaxPool":           pool(largest),
	"AveragePool":       pool(averaged),
	"GlobalAveragePool": global(mean),
	"GlobalMaxPool":     global(most),

	"MatMul": matMul,
	"Gemm":   gemm,

	"BatchNormalization":    batchNormalization,
	"InstanceNormalization": instanceNormalization,
	"LayerNormalization":    layerNormalization,
	"Softmax":               softmax,

	"ReduceMean": reduce(mean),
	"ReduceMax":  reduce(most),
	"ReduceMin":  reduce(least),
	"ReduceSum":  reduce(sum),
	"ReduceL2":   reduce(euclidean),
	"ReduceProd": reduce(multiplied),

	"Reshape":      reshape,
	"Flatten":      flatten,
	"Squeeze":      squeeze,
	"Unsqueeze":    unsqueeze,
	"Transpose":    transpose,
	"Shape":        shape,
	"Slice":        slice,
	"Split":        split,
	"Concat":       concat,
	"Expand":       expand,
	"Tile":         tile,
	"Range":        rangeOf,
	"Resize":       resize,
	"DepthToSpace": depthToSpace,
	"SpaceToDepth": spaceToDepth,
	"Pad":          pad,

	"Gather":            gather,
	"GatherElements":    gatherElements,
	"GatherND":          gatherND,
	"ArgMax":            argMax,
	"TopK":              topK,
	"NonZero":           nonZero,
	"NonMaxSuppression": nonMaxSuppression,
}

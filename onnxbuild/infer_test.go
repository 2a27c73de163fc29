package onnxbuild

import (
	"errors"
	"fmt"
	"slices"
	"testing"
)

// square is a kernel of k x k that moves by s, padded by p on all sides.
func square(k, s, p int64) Window {
	return Window{Kernel: []int64{k, k}, Stride: []int64{s, s}, Dilation: []int64{1, 1}, Pads: []int64{p, p, p, p}}
}

// bench makes the inputs of a case.
type bench struct{ Builder }

// in is a float input of the given sizes: int, int64 or Dim.
func (b bench) in(sizes ...any) *Value { return b.typed(Float32, sizes...) }

func (b bench) typed(dtype DType, sizes ...any) *Value {
	shape := make(Shape, len(sizes))
	for i, s := range sizes {
		switch s := s.(type) {
		case int:
			shape[i] = D(int64(s))
		case Dim:
			shape[i] = s
		}
	}
	return b.Graph.Input(fmt.Sprintf("in%d", len(b.Graph.Inputs)), dtype, shape)
}

// weight is a float constant of the given sizes, with elements that nobody reads.
func (b bench) weight(sizes ...int64) *Value {
	return b.Constant("weight", &Tensor{DType: Float32, Shape: sizes, Floats: Literal(nil)})
}

// inference says what the result of an operator looks like, or the whole text of the refusal.
type inference struct {
	op   string
	want string // type and shape of the results
	make func(b bench) []*Value
}

var inferences = []inference{
	{"Conv", "float32 1x16x40x60", func(b bench) []*Value {
		return results(b.Conv(b.in(1, 8, 80, 120), b.weight(16, 8, 3, 3), nil, square(3, 2, 1), 1))
	}},
	{"Conv", "float32 batchx64xheight/2xwidth/2", func(b bench) []*Value {
		return results(b.Conv(b.in(batch, 3, height, width), b.weight(64, 3, 6, 6), b.weight(64), square(6, 2, 2), 1))
	}},
	{"Conv", "float32 1x8x10x8", func(b bench) []*Value { // grouped, dilated, sides of their own
		w := Window{Kernel: []int64{3, 2}, Stride: []int64{1, 3}, Dilation: []int64{2, 1}, Pads: []int64{1, 0, 3, 5}}
		return results(b.Conv(b.in(1, 4, 10, 18), b.weight(8, 2, 3, 2), nil, w, 2))
	}},
	{"Conv", "float32 1x1xheight-2xwidth-2", func(b bench) []*Value {
		return results(b.Conv(b.in(1, 1, height, width), b.weight(1, 1, 3, 3), nil, square(3, 1, 0), 1))
	}},
	{"Conv", "Conv: input 0 is int64, expected a float type", func(b bench) []*Value {
		return results(b.Conv(b.typed(Int64, 1, 8, 8, 8), b.weight(16, 8, 3, 3), nil, square(3, 1, 1), 1))
	}},
	{"Conv", "Conv: expected an input and a weight of rank 4, got 8x8x8 and 16x8x3x3", func(b bench) []*Value {
		return results(b.Conv(b.in(8, 8, 8), b.weight(16, 8, 3, 3), nil, square(3, 1, 1), 1))
	}},
	{"Conv", "Conv: the input has 9 channels, the weight 16x8x3x3 takes 16 in 2 group(s)", func(b bench) []*Value {
		return results(b.Conv(b.in(1, 9, 8, 8), b.weight(16, 8, 3, 3), nil, square(3, 1, 1), 2))
	}},
	{"Conv", "Conv: 15 output channels do not form 2 groups", func(b bench) []*Value {
		return results(b.Conv(b.in(1, 16, 8, 8), b.weight(15, 8, 3, 3), nil, square(3, 1, 1), 2))
	}},
	{"Conv", "Conv: the bias is float32 8, expected float32 16", func(b bench) []*Value {
		return results(b.Conv(b.in(1, 8, 8, 8), b.weight(16, 8, 3, 3), b.weight(8), square(3, 1, 1), 1))
	}},
	{"Conv", "Conv: the weight 16x8x1x1 does not hold kernels of 3x3", func(b bench) []*Value {
		return results(b.Conv(b.in(1, 8, 8, 8), b.weight(16, 8, 1, 1), nil, square(3, 1, 1), 1))
	}},
	{"Conv", "Conv: kernel 3, stride 0 and dilation 1 must be positive, padding 1 and 1 not negative", func(b bench) []*Value {
		return results(b.Conv(b.in(1, 8, 8, 8), b.weight(16, 8, 3, 3), nil, square(3, 0, 1), 1))
	}},
	{"Conv", "Conv: a size of height/2 cannot be divided by the stride 32", func(b bench) []*Value {
		half, _ := height.FloorDiv(2)
		return results(b.Conv(b.in(1, 8, half, 8), b.weight(16, 8, 1, 1), nil, square(1, 32, 0), 1))
	}},
	{"Conv", "Conv: a kernel of 5 does not fit a map of 4 with padding 0", func(b bench) []*Value {
		return results(b.Conv(b.in(1, 8, 4, 4), b.weight(16, 8, 5, 5), nil, square(5, 1, 0), 1))
	}},

	{"MaxPool", "float32 1x8x40x30", func(b bench) []*Value { return results(b.MaxPool(b.in(1, 8, 40, 30), square(5, 1, 2))) }},
	{"MaxPool", "float32 1x8x3x4", func(b bench) []*Value { return results(b.MaxPool(b.in(1, 8, 7, 8), square(2, 2, 0))) }},
	{"MaxPool", "float32 1x8x4x4", func(b bench) []*Value {
		w := square(2, 2, 0)
		w.Ceil = true
		return results(b.MaxPool(b.in(1, 8, 7, 8), w))
	}},
	{"MaxPool", "float32 1x8x5x5", func(b bench) []*Value {
		w := square(3, 1, 1)
		w.Dilation = []int64{2, 2}
		return results(b.MaxPool(b.in(1, 8, 7, 7), w))
	}},
	{"MaxPool", "MaxPool: expected an input of rank 4, got 8x40x30", func(b bench) []*Value {
		return results(b.MaxPool(b.in(8, 40, 30), square(5, 1, 2)))
	}},
	{"MaxPool", "MaxPool: a kernel of 9 does not fit a map of 4 with padding 1", func(b bench) []*Value {
		return results(b.MaxPool(b.in(1, 8, 4, 40), square(9, 1, 1)))
	}},

	{"GlobalAveragePool", "float32 batchx8x1x1", func(b bench) []*Value { return results(b.GlobalAveragePool(b.in(batch, 8, height, 7))) }},
	{"GlobalAveragePool", "GlobalAveragePool: expected an input with maps, of rank 3 or more, got 8x7", func(b bench) []*Value {
		return results(b.GlobalAveragePool(b.in(8, 7)))
	}},

	{"Add", "float32 2x3x4", func(b bench) []*Value { return results(b.Add(b.in(2, 3, 4), b.in(2, 3, 4))) }},
	{"Add", "float32 2x3x4", func(b bench) []*Value { return results(b.Add(b.in(3, 1), b.in(2, 1, 4))) }},
	{"Add", "float32 batchx3xheightxheight", func(b bench) []*Value { return results(b.Add(b.in(batch, 1, height, 1), b.in(3, 1, height))) }},
	{"Add", "Add: shapes 2x3 and 2 do not broadcast", func(b bench) []*Value { return results(b.Add(b.in(2), b.in(2, 3))) }},
	{"Add", "Add: shapes heightx3 and widthx3 do not broadcast", func(b bench) []*Value { return results(b.Add(b.in(height, 3), b.in(width, 3))) }},
	{"Add", "Add: the inputs differ in type: float32 and int64", func(b bench) []*Value { return results(b.Add(b.in(2), b.typed(Int64, 2))) }},
	{"Add", "Add: the inputs are bool, expected numbers", func(b bench) []*Value { return results(b.Add(b.typed(Bool, 2), b.typed(Bool, 2))) }},
	{"Sub", "float32 2", func(b bench) []*Value { return results(b.Sub(b.in(2), b.in())) }},
	{"Sub", "Sub: shapes 2 and 3 do not broadcast", func(b bench) []*Value { return results(b.Sub(b.in(2), b.in(3))) }},
	{"Mul", "int64 2", func(b bench) []*Value { return results(b.Mul(b.typed(Int64), b.typed(Int64, 2))) }},
	{"Mul", "Mul: shapes 2 and 3 do not broadcast", func(b bench) []*Value { return results(b.Mul(b.in(2), b.in(3))) }},
	{"Div", "float32 1x4x5", func(b bench) []*Value { return results(b.Div(b.in(1, 4, 5), b.in(1, 4, 1))) }},
	{"Div", "Div: shapes 2 and 3 do not broadcast", func(b bench) []*Value { return results(b.Div(b.in(2), b.in(3))) }},
	{"Greater", "bool 4x5", func(b bench) []*Value { return results(b.Greater(b.in(4, 1), b.in(5))) }},
	{"Greater", "Greater: shapes 2 and 3 do not broadcast", func(b bench) []*Value { return results(b.Greater(b.in(2), b.in(3))) }},
	{"LessOrEqual", "bool 4x5", func(b bench) []*Value { return results(b.LessOrEqual(b.in(4, 5), b.in())) }},
	{"LessOrEqual", "LessOrEqual: the inputs differ in type: float32 and bool", func(b bench) []*Value {
		return results(b.LessOrEqual(b.in(2), b.typed(Bool, 2)))
	}},
	{"Sqrt", "float32 2xheight", func(b bench) []*Value { return results(b.Sqrt(b.in(2, height))) }},
	{"Sqrt", "Sqrt: the input is int64, expected a float type", func(b bench) []*Value { return results(b.Sqrt(b.typed(Int64, 2))) }},
	{"Sigmoid", "float32 2xheight", func(b bench) []*Value { return results(b.Sigmoid(b.in(2, height))) }},
	{"Sigmoid", "Sigmoid: the input is bool, expected a float type", func(b bench) []*Value { return results(b.Sigmoid(b.typed(Bool, 2))) }},
	{"Relu", "float32 2", func(b bench) []*Value { return results(b.Relu(b.in(2))) }},
	{"Relu", "Relu: the input is int64, expected a float type", func(b bench) []*Value { return results(b.Relu(b.typed(Int64, 2))) }},
	{"LeakyRelu", "float32 2", func(b bench) []*Value { return results(b.LeakyRelu(b.in(2), 0.1)) }},
	{"LeakyRelu", "LeakyRelu: the input is int64, expected a float type", func(b bench) []*Value { return results(b.LeakyRelu(b.typed(Int64, 2), 0.1)) }},
	{"HardSwish", "float16 2", func(b bench) []*Value { return results(b.HardSwish(b.typed(Float16, 2))) }},
	{"HardSwish", "HardSwish: the input is int64, expected a float type", func(b bench) []*Value { return results(b.HardSwish(b.typed(Int64, 2))) }},
	{"Cast", "int64 2xheight", func(b bench) []*Value { return results(b.Cast(b.in(2, height), Int64)) }},
	{"Cast", "Cast: dtype(99) is not a type that can be written", func(b bench) []*Value { return results(b.Cast(b.in(2), 99)) }},

	{"BatchNormalization", "float32 1x8xheightx5", func(b bench) []*Value {
		return results(b.BatchNormalization(b.in(1, 8, height, 5), b.weight(8), b.weight(8), b.weight(8), b.weight(8), 1e-3))
	}},
	{"BatchNormalization", "BatchNormalization: variance is float32 7, expected float32 for each of 8 channels", func(b bench) []*Value {
		return results(b.BatchNormalization(b.in(1, 8, 5, 5), b.weight(8), b.weight(8), b.weight(8), b.weight(7), 1e-3))
	}},
	{"BatchNormalization", "BatchNormalization: expected a float input with channels, got float32 8", func(b bench) []*Value {
		return results(b.BatchNormalization(b.in(8), b.weight(8), b.weight(8), b.weight(8), b.weight(8), 1e-3))
	}},
	{"InstanceNormalization", "float32 2x16x99", func(b bench) []*Value {
		return results(b.InstanceNormalization(b.in(2, 16, 99), b.weight(16), b.weight(16), 1e-5))
	}},
	{"InstanceNormalization", "InstanceNormalization: bias is int64 2, expected float32 for each of 2 channels", func(b bench) []*Value {
		return results(b.InstanceNormalization(b.in(1, 2, 99), b.weight(2), b.Ints("bias", 1, 2), 1e-5))
	}},
	{"Softmax", "float32 1x8x1x1", func(b bench) []*Value { return results(b.Softmax(b.in(1, 8, 1, 1), -3)) }},
	{"Softmax", "Softmax: axis 4 is outside a tensor of rank 4", func(b bench) []*Value { return results(b.Softmax(b.in(1, 8, 1, 1), 4)) }},
	{"Softmax", "Softmax: the input is int64, expected a float type", func(b bench) []*Value { return results(b.Softmax(b.typed(Int64, 8), 0)) }},

	{"ReduceMean", "float32 1x16x1", func(b bench) []*Value { return results(b.ReduceMean(b.in(1, 16, width), 2)) }},
	{"ReduceMean", "ReduceMean: axis 3 is outside a tensor of rank 3", func(b bench) []*Value { return results(b.ReduceMean(b.in(1, 16, 9), 3)) }},
	{"ReduceSum", "float32 1x1x9x1", func(b bench) []*Value { return results(b.ReduceSum(b.in(1, 16, 9, 4), 1, -1)) }},
	{"ReduceSum", "ReduceSum: axis -4 is outside a tensor of rank 3", func(b bench) []*Value { return results(b.ReduceSum(b.in(1, 16, 9), -4)) }},
	{"ReduceL2", "float32 1x16x1x1", func(b bench) []*Value { return results(b.ReduceL2(b.in(1, 16, 9, 4), 2, 3)) }},
	{"ReduceL2", "ReduceL2: no axis is given", func(b bench) []*Value { return results(b.ReduceL2(b.in(1, 16, 9))) }},
	{"ReduceProd", "int64 1", func(b bench) []*Value { return results(b.ReduceProd(b.typed(Int64, 3), 0)) }},
	{"ReduceProd", "ReduceProd: axis 1 is outside a tensor of rank 1", func(b bench) []*Value { return results(b.ReduceProd(b.typed(Int64, 3), 1)) }},

	{"Reshape", "float32 2x16x30", func(b bench) []*Value { return results(b.Reshape(b.in(2, 32, 3, 5), b.Ints("shape", 0, 16, -1))) }},
	{"Reshape", "float32 batchx16xheight*width/8", func(b bench) []*Value {
		return results(b.Reshape(b.in(batch, 2, height, width), b.Ints("shape", 0, 16, -1)))
	}},
	{"Reshape", "float32 1x3*height*width/64x85", func(b bench) []*Value { // the rows of a detection head
		x := b.MaxPool(b.in(1, 255, height, width), square(8, 8, 0))
		sizes := b.Sizes(x, 2, 4)
		x = b.Reshape(x, b.Concat(0, b.Ints("head", 0, 3, 85), sizes))
		x = b.Transpose(x, 0, 1, 3, 4, 2)
		return results(b.Reshape(x, b.Ints("rows", 0, -1, 85)))
	}},
	{"Reshape", "float32 scalar", func(b bench) []*Value { return results(b.Reshape(b.in(1, 1), b.Ints("shape"))) }},
	{"Reshape", "Reshape: 2x3 does not fit into the new shape 4x-1", func(b bench) []*Value { return results(b.Reshape(b.in(2, 3), b.Ints("shape", 4, -1))) }},
	{"Reshape", "Reshape: 2x3 does not have as many elements as 3", func(b bench) []*Value { return results(b.Reshape(b.in(2, 3), b.Ints("shape", 3))) }},
	{"Reshape", "Reshape: the new shape -1x-1 leaves two sizes open", func(b bench) []*Value { return results(b.Reshape(b.in(2, 3), b.Ints("shape", -1, -1))) }},
	{"Reshape", "Reshape: 2x3 does not fit into the new shape 2x3x0", func(b bench) []*Value { return results(b.Reshape(b.in(2, 3), b.Ints("shape", 2, 3, 0))) }},
	{"Reshape", "Reshape: the result would be -2x-3: a size is negative", func(b bench) []*Value { return results(b.Reshape(b.in(2, 3), b.Ints("shape", -2, -3))) }},
	{"Reshape", "Reshape: the new shape is not known", func(b bench) []*Value { return results(b.Reshape(b.in(2, 3), b.typed(Int64, 2))) }},
	{"Reshape", "Reshape: input 1 is float32, expected int64", func(b bench) []*Value { return results(b.Reshape(b.in(2, 3), b.in(2))) }},
	{"Reshape", "Reshape: input 1 is missing", func(b bench) []*Value { return results(b.Reshape(b.in(2, 3), nil)) }},
	{"Transpose", "float32 1x3xheightx7x85", func(b bench) []*Value { return results(b.Transpose(b.in(1, 3, 85, height, 7), 0, 1, 3, 4, 2)) }},
	{"Transpose", "Transpose: [0 0] does not permute the axes of 2x3", func(b bench) []*Value { return results(b.Transpose(b.in(2, 3), 0, 0)) }},
	{"Transpose", "Transpose: [] does not permute the axes of 2x3", func(b bench) []*Value { return results(b.Transpose(b.in(2, 3))) }},
	{"Transpose", "Transpose: [0 1 2] does not permute the axes of 2x3", func(b bench) []*Value { return results(b.Transpose(b.in(2, 3), 0, 1, 2)) }},
	{"Shape", "int64 4", func(b bench) []*Value { return results(b.Sizes(b.in(batch, 3, height, width), 0, 4)) }},
	{"Slice", "int64 2", func(b bench) []*Value { return results(b.Sizes(b.in(batch, 3, height, width), 2, 4)) }},
	{"Slice", "float32 batchx3x2", func(b bench) []*Value { return results(b.Slice(b.in(batch, 3, 5), -1, 1, 3)) }},
	{"Slice", "Slice: elements 1 to 6 of axis 2 are outside 1x3x5", func(b bench) []*Value { return results(b.Slice(b.in(1, 3, 5), 2, 1, 6)) }},
	{"Slice", "Slice: elements -2 to -1 of axis 0 are outside batchx3", func(b bench) []*Value { return results(b.Slice(b.in(batch, 3), 0, -2, -1)) }},
	{"Slice", "Slice: elements 3 to 3 of axis 0 are outside 5", func(b bench) []*Value { return results(b.Slice(b.in(5), 0, 3, 3)) }},
	{"Slice", "Slice: axis 1 is outside a tensor of rank 1", func(b bench) []*Value { return results(b.Slice(b.in(5), 1, 0, 3)) }},
	{"Slice", "Slice: input 2 must be a constant list of integers", func(b bench) []*Value {
		return results(b.add1(opSlice, nil, b.in(5), b.Ints("starts", 0), b.typed(Int64, 1), b.Ints("axes", 0)))
	}},
	{"Slice", "Slice: input 1 holds 2 numbers for 1 axes", func(b bench) []*Value {
		return results(b.add1(opSlice, nil, b.in(5, 5), b.Ints("starts", 0, 0), b.Ints("ends", 1, 1), b.Ints("axes", 0)))
	}},
	{"Split", "float32 1x2xheight, float32 1x6xheight", func(b bench) []*Value { return b.Split(b.in(1, 8, height), 1, 2, 6) }},
	{"Split", "Split: parts of [2 5] do not add up to axis 1 of 1x8", func(b bench) []*Value { return b.Split(b.in(1, 8), 1, 2, 5) }},
	{"Split", "Split: a part of -1 cannot be cut", func(b bench) []*Value { return b.Split(b.in(1, 8), 1, 9, -1) }},
	{"Split", "Split: axis 2 is outside a tensor of rank 2", func(b bench) []*Value { return b.Split(b.in(1, 8), 2, 4, 4) }},
	{"Split", "Split: parts of [2 5] do not add up to axis 1 of 1xheight", func(b bench) []*Value { return b.Split(b.in(1, height), 1, 2, 5) }},
	{"Concat", "float32 1x5xheight", func(b bench) []*Value { return results(b.Concat(-2, b.in(1, 2, height), b.in(1, 3, height))) }},
	{"Concat", "float32 1xheight+7", func(b bench) []*Value { return results(b.Concat(1, b.in(1, height), b.in(1, 3), b.in(1, 4))) }},
	{"Concat", "Concat: input 1 is float32 1x3x4, input 0 is float32 1x2xheight: they may differ in axis 1 only", func(b bench) []*Value {
		return results(b.Concat(1, b.in(1, 2, height), b.in(1, 3, 4)))
	}},
	{"Concat", "Concat: input 1 is int64 2, input 0 is float32 2: they may differ in axis 0 only", func(b bench) []*Value {
		return results(b.Concat(0, b.in(2), b.typed(Int64, 2)))
	}},
	{"Concat", "Concat: there is nothing to join", func(b bench) []*Value { return results(b.Concat(0)) }},
	{"Concat", "Concat: axis 0 is outside a tensor of rank 0", func(b bench) []*Value { return results(b.Concat(0, b.in())) }},
	{"Expand", "float32 3x4x5", func(b bench) []*Value { return results(b.Expand(b.in(4, 1), b.Ints("shape", 3, 1, 5))) }},
	{"Expand", "Expand: the new shape is not known", func(b bench) []*Value { return results(b.Expand(b.in(4, 1), b.typed(Int64, 2))) }},
	{"Expand", "Expand: shapes 4 and 3 do not broadcast", func(b bench) []*Value { return results(b.Expand(b.in(4), b.Ints("shape", 3))) }},
	{"Expand", "Expand: the result would be -1: a size is negative", func(b bench) []*Value { return results(b.Expand(b.in(1), b.Ints("shape", -1))) }},
	{"Range", "int64 width", func(b bench) []*Value {
		limit := b.Reshape(b.Sizes(b.in(1, width), 1, 2), b.Ints("scalar"))
		return results(b.Range(b.Int("from", 0), limit, b.Int("step", 1)))
	}},
	{"Range", "Range: expected to count from 0 in steps of 1 to a known limit", func(b bench) []*Value {
		return results(b.Range(b.Int("from", 1), b.Int("limit", 8), b.Int("step", 1)))
	}},
	{"Range", "Range: input 1 is float32, expected int64", func(b bench) []*Value {
		return results(b.Range(b.Int("from", 0), b.Scalar("limit", 8), b.Int("step", 1)))
	}},
	{"Range", "Range: the result would be -8: a size is negative", func(b bench) []*Value {
		return results(b.Range(b.Int("from", 0), b.Int("limit", -8), b.Int("step", 1)))
	}},
	{"Resize", "float32 1x8xheightx30", func(b bench) []*Value {
		half, _ := height.FloorDiv(2)
		return results(b.Upsample(b.in(1, 8, half, 10), 2, 3))
	}},
	{"Resize", "Resize: 4 scales were given for 8x5x10", func(b bench) []*Value { return results(b.Upsample(b.in(8, 5, 10), 2, 2)) }},
	{"Resize", "Resize: a scale of 0 is not above 0 and up to 1048576", func(b bench) []*Value { return results(b.Upsample(b.in(1, 8, 5, 10), 2, 0)) }},
	{"Resize", "Resize: the result would be 1x1024x1048576x1048576: that is too large", func(b bench) []*Value {
		return results(b.Upsample(b.in(1, 1024, 1, 1), 1<<20, 1<<20))
	}},
	{"Resize", "Resize: the scales must be constant", func(b bench) []*Value {
		return results(b.add1(opResize, smooth.attrs(), b.in(1, 8, 5, 10), nil, b.in(4)))
	}},
}

func results(v *Value) []*Value { return []*Value{v} }

func TestInference(t *testing.T) {
	tried := map[string]bool{}
	for _, c := range slices.Concat(inferences, windowInferences, numberInferences, moveInferences) {
		t.Run(c.op, func(t *testing.T) {
			b := bench{New("test").Build()}
			out := c.make(b)
			tried[c.op] = true
			if err := b.Graph.TakeErr(); err != nil {
				if err.Error() != c.want {
					t.Errorf("got error %q\nwant      %q", err, c.want)
				}
				for _, v := range out {
					if !v.Refused() {
						t.Error("the result of a refused operator is not marked")
					}
				}
				return
			}
			got := ""
			for i, v := range out {
				if i > 0 {
					got += ", "
				}
				got += fmt.Sprintf("%s %s", v.DType, v.Shape)
				if v.Producer == nil || v.Producer.Op.Name != c.op {
					t.Errorf("the result does not come from %s", c.op)
				}
			}
			if got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
	for _, name := range OpNames() {
		if !tried[name] {
			t.Errorf("no case for %s", name)
		}
	}
}

// TestRefusalsAreSilentBehindTheFirst: only the first error is kept, with its scope, and what depends on it says nothing.
func TestRefusalsAreSilentBehindTheFirst(t *testing.T) {
	g := New("test")
	b := bench{g.Build().In("model.2").In("cv1")}
	x := b.in(2, 3)
	bad := b.Add(x, b.in(4))
	y := b.Relu(b.Split(b.Concat(0, b.Sizes(bad, 0, 1), bad), 0, 1, 2)[1])
	b.Mul(x, b.in(5))
	if !y.Refused() || len(g.Nodes) != 0 {
		t.Errorf("refused: %t, nodes: %d", y.Refused(), len(g.Nodes))
	}
	if err, want := g.TakeErr(), "model.2/cv1: Add: shapes 2x3 and 4 do not broadcast"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if err := g.TakeErr(); err != nil {
		t.Errorf("the error is still there: %v", err)
	}
}

func TestBuilderErr(t *testing.T) {
	g := New("test")
	cause := errors.New("cause")
	g.Build().In("a").In("b").Err("wrapped: %w", cause)
	if err := g.TakeErr(); !errors.Is(err, cause) || err.Error() != "a/b: wrapped: cause" {
		t.Errorf("got %v", err)
	}
	g.Build().Err("at the top")
	if err := g.TakeErr(); err == nil || err.Error() != "at the top" {
		t.Errorf("got %v", err)
	}
}

func TestOpNames(t *testing.T) {
	names := OpNames()
	if !slices.IsSorted(names) || len(names) < 25 {
		t.Errorf("got %v", names)
	}
}

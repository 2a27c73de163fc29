package passes_test

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"

	"ysc2onnx/onnxbuild"
)

// passCase is a graph for one pass, or for all of them.
type passCase struct {
	name     string
	pass     string
	exact    bool // the values keep all their bits
	flatHalf bool // half of the channels of the inputs are constant
	allZero  bool // a value may be 0 everywhere
	build    func(b bench)
}

// bench builds the graphs of cases.
type bench struct{ onnxbuild.Builder }

// in is an input of the given sizes.
func (b bench) in(shape ...int64) *onnxbuild.Value {
	return b.Graph.Input(fmt.Sprintf("x%d", len(b.Graph.Inputs)), onnxbuild.Float32, onnxbuild.ShapeOf(shape...))
}

// out makes v an output.
func (b bench) out(v *onnxbuild.Value) {
	b.Graph.Output(fmt.Sprintf("y%d", len(b.Graph.Outputs)), v)
}

// named is an initializer with elements from -2 to 2 that follow from its name.
func (b bench) named(name string, shape ...int64) *onnxbuild.Value {
	return b.Initializer(name, draw(name, shape, func(x float64) float64 { return x }))
}

// positive is a constant with elements from 0.5 to 2.
func (b bench) positive(name string, shape ...int64) *onnxbuild.Value {
	return b.Constant(name, draw(name, shape, func(x float64) float64 { return max(0.5, min(2, x*x)) }))
}

// list is a constant of rank 3, one number for each channel.
func (b bench) list(name string, x ...float32) *onnxbuild.Value {
	return b.Constant(name, onnxbuild.FloatTensor([]int64{int64(len(x)), 1, 1}, x))
}

func draw(name string, shape []int64, f func(float64) float64) *onnxbuild.Tensor {
	seed := fnv.New64a()
	_, _ = seed.Write([]byte(name))
	r := rand.New(rand.NewPCG(seed.Sum64(), 2))
	n := int64(1)
	for _, d := range shape {
		n *= d
	}
	elements := make([]float32, n)
	for i := range elements {
		elements[i] = float32(f(r.Float64()*4 - 2))
	}
	return onnxbuild.FloatTensor(shape, elements)
}

// norm is a BatchNormalization with parameters that all matter.
func (b bench) norm(x *onnxbuild.Value) *onnxbuild.Value {
	c, _ := x.Dim(1).Static()
	at := func(name string) *onnxbuild.Value {
		return b.Constant(name, draw(b.Scope()+name, []int64{c}, func(x float64) float64 { return x }))
	}
	return b.BatchNormalization(x, at("scale"), at("bias"), at("mean"), b.positive("variance", c), 1e-3)
}

func square(k, s, p int64) onnxbuild.Window {
	return onnxbuild.Window{Kernel: []int64{k, k}, Stride: []int64{s, s}, Dilation: []int64{1, 1}, Pads: []int64{p, p, p, p}}
}

// normalize spells out a group normalisation with the unbiased deviation, as a lowering of PyTorch's code does.
func (b bench) normalize(x *onnxbuild.Value, groups int64, degrees float32) *onnxbuild.Value {
	v := b.Reshape(x, b.Ints("groups", 0, groups, -1))
	d := b.Sub(v, b.ReduceMean(v, 2))
	variance := b.Div(b.ReduceSum(b.Mul(d, d), 2), b.Scalar("degrees", degrees))
	y := b.Div(d, b.Add(b.Sqrt(variance), b.Scalar("eps", 1e-10)))
	return b.Reshape(y, b.Concat(0, b.Ints("channels", 0, 8), b.Sizes(x, 2, 4)))
}

// sru spells out a spatial reconstruction unit: 8 channels, 4 groups, elements each.
func (b bench) sru(x *onnxbuild.Value, gamma *onnxbuild.Value, elements int64) *onnxbuild.Value {
	g := b.Add(b.Mul(b.normalize(x, 4, float32(elements-1)), gamma), b.named("beta", 8, 1, 1))
	w := b.Softmax(gamma, 0)
	r := b.Sigmoid(b.Mul(g, w))
	t := b.Scalar("threshold", 0.5)
	x1 := b.Mul(b.Mul(b.Cast(b.Greater(w, t), onnxbuild.Float32), r), x)
	x2 := b.Mul(b.Mul(b.Cast(b.LessOrEqual(w, t), onnxbuild.Float32), r), x)
	p, q := b.Split(x1, 1, 4, 4), b.Split(x2, 1, 4, 4)
	return b.Concat(1, b.Add(p[0], q[1]), b.Add(p[1], q[0]))
}

// scconv is an sru and what comes after it.
func (b bench) scconv(x, gamma *onnxbuild.Value, elements int64) *onnxbuild.Value {
	parts := b.Split(b.sru(x, gamma, elements), 1, 4, 4)
	u := b.Conv(parts[0], b.named("squeeze1.weight", 2, 4, 1, 1), nil, square(1, 1, 0), 1)
	l := b.Conv(parts[1], b.named("squeeze2.weight", 2, 4, 1, 1), nil, square(1, 1, 0), 1)
	y := b.Add(b.Conv(u, b.named("GWC.weight", 8, 1, 3, 3), b.named("GWC.bias", 8), square(3, 1, 1), 2),
		b.Conv(u, b.named("PWC1.weight", 8, 2, 1, 1), nil, square(1, 1, 0), 1))
	o := b.Concat(1, y, b.Concat(1, b.Conv(l, b.named("PWC2.weight", 6, 2, 1, 1), nil, square(1, 1, 0), 1), l))
	o = b.Mul(b.Softmax(b.GlobalAveragePool(o), 1), o)
	halves := b.Split(o, 1, 8, 8)
	return b.Add(halves[0], halves[1])
}

// open is a scale whose softmax puts one channel over 0.5, closed one whose softmax puts none there.
var (
	open   = []float32{0.5, -1, 6, 0.25, -0.5, 1, 0.75, -2}
	closed = []float32{0.5, -1, 0.125, 0.25, -0.5, 1, 0.75, -2}
)

var cases = []passCase{
	{name: "batchnorm", pass: "fold-batchnorm", build: func(b bench) {
		x := b.Conv(b.in(2, 4, 5, 7), b.named("model.0.conv.weight", 6, 2, 3, 3), nil, square(3, 1, 1), 2)
		y := b.norm(x)
		b.Graph.Rename(y, "model.0")
		b.out(b.Sigmoid(y))
	}},
	{name: "batchnorm-bias", pass: "fold-batchnorm", build: func(b bench) {
		b.out(b.norm(b.Conv(b.in(2, 3, 6, 4), b.named("a.weight", 4, 3, 2, 2), b.named("a.bias", 4), square(2, 2, 0), 1)))
	}},
	{name: "batchnorm-shared-weight", pass: "fold-batchnorm", build: func(b bench) {
		x, w, bias := b.in(2, 3, 5, 4), b.named("a.weight", 3, 3, 1, 1), b.named("a.bias", 3)
		x = bench{b.In("first")}.norm(b.Conv(x, w, bias, square(1, 1, 0), 1))
		x = bench{b.In("second")}.norm(b.Conv(x, w, bias, square(1, 1, 0), 1))
		b.out(b.Conv(x, w, nil, square(1, 1, 0), 1))
	}},
	{name: "batchnorm-twice", pass: "fold-batchnorm", build: func(b bench) {
		x := b.Conv(b.in(2, 3, 5, 4), b.named("a.weight", 4, 3, 1, 1), nil, square(1, 1, 0), 1)
		b.out(bench{b.In("second")}.norm(bench{b.In("first")}.norm(x)))
	}},
	{name: "batchnorm-kept", pass: "fold-batchnorm", exact: true, build: func(b bench) {
		x := b.in(2, 3, 5, 4)
		conv := func(i int) *onnxbuild.Value {
			return b.Conv(x, b.named(fmt.Sprintf("%d.weight", i), 3, 3, 1, 1), nil, square(1, 1, 0), 1)
		}
		promised, readTwice, output := conv(0), conv(1), conv(2)
		b.Graph.Rename(promised, "model.0")
		b.out(output)
		for _, v := range []*onnxbuild.Value{x, promised, readTwice, output, b.Relu(conv(3))} {
			b.out(b.norm(v))
		}
		b.out(b.Relu(readTwice))
		computed := b.BatchNormalization(conv(4), b.named("scale", 3), b.named("bias", 3), b.named("mean", 3),
			b.Reshape(b.GlobalAveragePool(b.Sigmoid(b.Graph.Input("v", onnxbuild.Float32, onnxbuild.ShapeOf(1, 3, 2, 2)))), b.Ints("list", 3)), 1e-3)
		b.out(computed)
	}},

	{name: "constants-gate", pass: "fold-constants", exact: true, build: func(b bench) {
		w := b.Softmax(b.list("gamma", open...), 0)
		mask := b.Cast(b.Greater(w, b.Scalar("threshold", 0.5)), onnxbuild.Float32)
		b.out(b.Mul(b.in(2, 8, 3, 5), mask))
	}},
	{name: "constants-grid", pass: "fold-constants", exact: true, build: func(b bench) {
		cells := func(n int64, shape ...int64) *onnxbuild.Value {
			list := b.Cast(b.Range(b.Int("from", 0), b.Int("to", n), b.Int("step", 1)), onnxbuild.Float32)
			return b.Expand(b.Reshape(list, b.Ints("line", shape...)), b.Ints("grid", 1, 2, 4, 5, 1))
		}
		grid := b.Concat(4, cells(5, 1, 1, 1, 5, 1), cells(4, 1, 1, 4, 1, 1))
		grid = b.Sub(b.Mul(grid, b.Scalar("stride", 8)), b.Scalar("half", 0.5))
		b.out(b.Add(b.in(2, 2, 4, 5, 2), grid))
	}},
	{name: "constants-kept", pass: "fold-constants", exact: true, build: func(b bench) {
		promised := b.Softmax(b.list("gamma", open...), 0)
		b.Graph.Rename(promised, "model.0")
		notComputed := b.Relu(b.list("beta", closed...))
		large := b.Expand(b.list("alpha", closed...), b.Ints("shape", 8, 1024, 1024))
		b.out(b.Mul(b.Mul(b.in(1, 8, 1, 1), promised), notComputed))
		b.out(b.ReduceMean(large, 1, 2))
	}},

	{name: "neutral", pass: "drop-neutral", exact: true, build: func(b bench) {
		x := b.in(2, 8, 3, 5)
		one, ones := b.Scalar("one", 1), b.list("ones", 1, 1, 1, 1, 1, 1, 1, 1)
		zero := b.Scalar("zero", 0)
		x = b.Mul(b.Mul(one, b.Relu(x)), ones)
		x = b.Add(b.Add(zero, x), zero)
		x = b.Sub(b.Div(x, one), zero)
		b.Graph.Rename(x, "model.0")
		b.out(b.Sigmoid(x))
	}},
	{name: "neutral-zeros", pass: "drop-neutral", exact: true, build: func(b bench) {
		x := b.in(2, 8, 3, 5)
		nothing := b.Mul(x, b.Mul(b.list("closed", 0, 0, 0, 0, 0, 0, 0, 0), b.Sigmoid(x)))
		parts := b.Split(b.Transpose(b.Reshape(nothing, b.Ints("shape", 0, 8, -1)), 0, 1, 2), 1, 2, 6)
		b.out(b.Add(b.Sub(parts[1], parts[1]), b.Split(b.Reshape(x, b.Ints("same", 0, 8, -1)), 1, 6, 2)[0]))
	}},
	{name: "neutral-kept", pass: "drop-neutral", exact: true, allZero: true, build: func(b bench) {
		x := b.Sigmoid(b.in(2, 1, 3, 5))
		out := func(v *onnxbuild.Value) { b.out(b.Sigmoid(v)) }
		out(b.Mul(x, b.list("wide", 1, 1)))                                                                            // broadcasts x
		out(b.Sub(b.Scalar("zero", 0), x))                                                                             // -x
		out(b.Div(b.Scalar("one", 1), x))                                                                              // 1/x
		out(b.Add(b.Mul(x, b.list("mixed", 1, 0)), b.list("near", 1e-30, 0)))                                          // not everywhere
		out(b.Mul(x, b.list("mixed", 1, 1, 0)))                                                                        // nor here
		nothing := b.Mul(x, b.list("nothing", 0, 0))                                                                   // [2, 2, 3, 5]
		out(b.Add(b.Add(nothing, x), b.Sigmoid(nothing)))                                                              // the sum is as large as nothing
		out(b.Add(b.Conv(nothing, b.named("w", 2, 2, 1, 1), b.named("b", 2), square(1, 1, 0), 1), b.Sigmoid(nothing))) // the bias is left
		b.out(b.Mul(x, b.Scalar("off", 0)))                                                                            // an output that is 0
		b.out(b.Add(b.in(2, 1, 3, 5), b.Scalar("none", 0)))                                                            // only gives an input another name
	}},

	{name: "deviation-groups", pass: "shorten-deviation", flatHalf: true, build: func(b bench) {
		b.out(b.normalize(b.in(2, 8, 5, 7), 4, 2*5*7-1))
	}},
	{name: "deviation-channels", pass: "shorten-deviation", flatHalf: true, build: func(b bench) {
		y := b.normalize(b.Relu(b.in(2, 8, 5, 7)), 8, 5*7-1)
		b.Graph.Rename(y, "model.0")
		b.out(b.Sigmoid(y))
	}},
	{name: "deviation-batch", pass: "shorten-deviation", build: func(b bench) {
		batch := onnxbuild.Sym(onnxbuild.Symbol{Name: "batch", Unit: 1})
		x := b.Graph.Input("x", onnxbuild.Float32, append(onnxbuild.Shape{batch}, onnxbuild.ShapeOf(8, 5, 7)...))
		b.out(b.normalize(x, 2, 4*5*7-1))
	}},
	{name: "deviation-kept", pass: "shorten-deviation", exact: true, build: func(b bench) {
		x := b.in(2, 8, 5, 7)
		b.out(b.normalize(x, 4, 2*5*7)) // biased
		height := onnxbuild.Sym(onnxbuild.Symbol{Name: "height", Unit: 32})
		b.out(b.normalize(b.Graph.Input("open", onnxbuild.Float32, onnxbuild.Shape{onnxbuild.D(1), onnxbuild.D(8), height, onnxbuild.D(7)}), 4, 2*64*7-1))
		d := b.Sub(b.Reshape(x, b.Ints("a", 0, 4, -1)), b.ReduceMean(b.Reshape(b.Relu(x), b.Ints("b", 0, 4, -1)), 2)) // mean of something else
		variance := b.Div(b.ReduceSum(b.Mul(d, d), 2), b.Scalar("degrees", 2*5*7-1))
		b.out(b.Reshape(b.Div(d, b.Add(b.Sqrt(variance), b.Scalar("eps", 1e-10))), b.Ints("back", 0, 8, 5, 7)))
	}},

	{name: "merge", pass: "merge-constants", build: func(b bench) {
		x := b.in(2, 8, 3, 5)
		b.out(b.Mul(b.list("c", open...), b.Mul(b.Mul(b.Sigmoid(x), b.Scalar("k", 0.75)), b.list("a", closed...))))
		b.out(b.Add(b.Add(b.list("d", closed...), x), b.list("e", open...)))
		b.out(b.Mul(b.Add(b.Mul(x, b.list("f", open...)), b.list("g", closed...)), b.list("h", open...)))
	}},
	{name: "merge-kept", pass: "merge-constants", exact: true, build: func(b bench) {
		x := b.in(2, 8, 3, 8)
		column, row := b.list("column", open...), b.Constant("row", onnxbuild.FloatTensor([]int64{8}, closed))
		b.out(b.Mul(b.Mul(x, column), row)) // the product of both would be a table
		twice := b.Mul(x, b.Scalar("twice", 2))
		b.out(b.Add(b.Mul(twice, column), twice))
		promised := b.Add(x, b.Scalar("three", 3))
		b.Graph.Rename(promised, "model.0")
		b.out(b.Add(promised, column))
		b.out(b.Add(b.Mul(x, column), row))
		b.out(b.Mul(b.Add(x, column), column))
		b.out(b.Mul(b.Add(twice, column), column))
		b.out(b.Mul(b.Softmax(column, 0), x)) // not computed yet: not a constant
	}},

	{name: "cancel-split", pass: "cancel-moves", exact: true, build: func(b bench) {
		x := b.Split(b.in(2, 8, 3, 5), 1, 3, 5)
		p := b.Split(b.Concat(1, x[1], x[0]), -3, 5, 3)
		b.Graph.Rename(p[0], "model.0")
		b.out(b.Relu(p[0]))
		b.out(b.Sigmoid(p[1]))
	}},
	{name: "cancel-split-promised", pass: "cancel-moves", exact: true, build: func(b bench) {
		x := b.in(2, 3, 3, 5)
		joined := b.Concat(1, x, b.Relu(x), x)
		b.Graph.Rename(joined, "model.0")
		p := b.Split(joined, 1, 3, 3, 3)
		b.Graph.Rename(p[1], "model.1") // the Relu takes this name; the input cannot take another one
		b.out(p[2])
		b.out(b.Add(p[0], p[1]))
	}},
	{name: "cancel-concat", pass: "cancel-moves", exact: true, build: func(b bench) {
		x, y := b.in(2, 2, 3, 5), b.in(2, 3, 3, 5)
		inner := b.Concat(1, b.Relu(x), b.Concat(-3, y, x))
		b.out(b.Concat(1, y, inner, x, b.Concat(1, x)))
	}},
	{name: "cancel-reshape", pass: "cancel-moves", exact: true, build: func(b bench) {
		x := b.in(2, 8, 3, 5)
		y := b.Reshape(b.Relu(b.Reshape(x, b.Ints("same", 2, -1, 0, 0))), b.Ints("flat", 0, -1))
		b.out(b.Sigmoid(b.Reshape(y, b.Ints("groups", 0, 4, -1))))
		z := b.Reshape(b.Reshape(b.Sigmoid(x), b.Ints("line", -1)), b.Ints("back", 2, 8, 3, 5))
		b.out(b.Relu(z))
	}},
	{name: "cancel-transpose", pass: "cancel-moves", exact: true, build: func(b bench) {
		x := b.in(2, 3, 4, 5)
		b.out(b.Relu(b.Transpose(b.Transpose(b.Transpose(x, 0, 1, 2, 3), 0, 2, 3, 1), 0, 3, 1, 2)))
		b.out(b.Transpose(b.Transpose(b.Sigmoid(x), 1, 2, 3, 0), 2, 0, 3, 1))
	}},
	{name: "cancel-kept", pass: "cancel-moves", exact: true, build: func(b bench) {
		x := b.in(2, 4, 4, 5)
		y := b.in(2, 8, 4, 5)
		parts := b.Split(y, 1, 1, 2, 3, 2)
		q := b.Split(b.Concat(1, parts...), 1, 2, 2, 2, 2) // other sizes, but for the second and the last
		b.out(b.Concat(1, q[3], q[1], q[2], q[0]))
		p := b.Split(b.Concat(2, x, x), 1, 2, 2) // another axis
		b.out(b.Mul(p[0], p[1]))
		promised := b.Concat(1, x, x)
		b.Graph.Rename(promised, "model.0")
		b.out(b.Concat(1, x, promised))
		readTwice := b.Concat(1, x, b.Relu(x))
		b.out(b.Concat(1, x, readTwice))
		b.out(b.Concat(1, readTwice, x))
		line := b.Reshape(b.Sigmoid(x), b.Ints("line", 8, -1))
		b.out(b.Reshape(line, b.Ints("copies", 0, 5, 4)))   // the 0 means 8 here and 2 there
		b.out(b.Reshape(x, b.Ints("same", 2, 4, 4, 5)))     // only gives an input another name
		list := b.Reshape(b.Relu(x), b.Ints("list", 2, -1)) // read twice
		b.out(b.Reshape(list, b.Ints("pairs", -1, 2)))
		b.out(b.Sigmoid(list))
		t := b.Transpose(x, 0, 2, 1, 3) // as large, but not the same
		b.out(b.Relu(t))
		b.out(b.Transpose(t, 0, 1, 3, 2))
	}},

	{name: "slices", pass: "slice-unequal-parts", exact: true, build: func(b bench) {
		p := b.Split(b.in(2, 8, 3, 5), -3, 3, 4, 1)
		b.Graph.Rename(p[1], "model.0")
		b.out(b.Relu(p[0]))
		b.out(b.Sigmoid(p[1]))
		b.out(p[2])
	}},
	{name: "slices-kept", pass: "slice-unequal-parts", exact: true, build: func(b bench) {
		p := b.Split(b.in(2, 8, 3, 5), 1, 4, 4)
		b.out(b.Add(p[0], p[1]))
	}},

	{name: "share", pass: "share-initializers", exact: true, build: func(b bench) {
		large := draw("large", []int64{1, 1, 160, 160}, func(x float64) float64 { return x })
		source := &recipe{large.Floats}
		x := b.in(2, 1, 160, 160)
		for range 2 {
			x = b.Mul(b.Add(x, b.list("shift", 3)), b.Constant("large", &onnxbuild.Tensor{DType: onnxbuild.Float32, Shape: large.Shape, Floats: source}))
			x = b.Reshape(x, b.Ints("shape", 2, -1, 160, 160))
		}
		b.out(x)
	}},
	{name: "share-kept", pass: "share-initializers", exact: true, build: func(b bench) {
		x := b.in(2, 1, 4, 4)
		x = b.Add(b.Add(x, b.list("rank3", 3)), b.Scalar("rank0", 3)) // other shapes
		x = b.Add(b.Mul(x, b.list("one", 1)), b.list("two", 2))       // other elements
		x = b.Add(x, b.Cast(b.Cast(b.Constant("true", &onnxbuild.Tensor{DType: onnxbuild.Bool, Shape: []int64{1}, Ints: []int64{1}}), onnxbuild.Int64), onnxbuild.Float32))
		x = b.Mul(x, b.Cast(b.Int("one", 1), onnxbuild.Float32))
		none := b.Constant("none", onnxbuild.FloatTensor([]int64{0}, nil))
		x = b.Mul(x, b.Reshape(b.Concat(0, none, b.Constant("single", onnxbuild.FloatTensor([]int64{1}, []float32{2}))), b.Ints("scalar"))) // other types
		large := draw("large", []int64{1, 1, 160, 160}, func(x float64) float64 { return x })
		y := b.in(2, 1, 160, 160)
		for _, source := range []onnxbuild.FloatSource{large.Floats, &recipe{large.Floats}, &recipe{large.Floats}} { // other recipes
			y = b.Mul(y, b.Constant("large", &onnxbuild.Tensor{DType: onnxbuild.Float32, Shape: large.Shape, Floats: source}))
		}
		b.out(y)
		b.out(b.Reshape(x, b.Ints("same", 2, 1, 4, 4)))
	}},

	{name: "scconv-closed", pass: "all", build: func(b bench) {
		y := b.scconv(b.norm(b.Conv(b.in(2, 3, 6, 4), b.named("conv.weight", 8, 3, 1, 1), nil, square(1, 1, 0), 1)), b.list("gamma", closed...), 2*6*4)
		b.Graph.Rename(y, "model.0")
		b.out(b.Relu(y))
	}},
	{name: "scconv-open", pass: "all", build: func(b bench) {
		b.out(b.scconv(b.in(2, 8, 6, 4), b.list("gamma", open...), 2*6*4))
	}},
	{name: "scconv-flat", pass: "all", flatHalf: true, build: func(b bench) {
		b.out(b.scconv(b.in(2, 8, 6, 4), b.list("gamma", closed...), 2*6*4))
	}},
}

// recipe is a source that is not a literal: it counts as equal to itself.
type recipe struct{ onnxbuild.FloatSource }

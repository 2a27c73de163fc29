package passes_test

import (
	"context"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/x448/float16"

	"ysc2onnx/onnxbuild"
	"ysc2onnx/onnxbuild/passes"
	"ysc2onnx/verify/ort/orttest"
)

// narrowed builds a graph, applies all passes, and gives it a precision.
func narrowed(t *testing.T, p passes.Precision, build func(b bench)) *onnxbuild.Graph {
	t.Helper()
	c := passCase{name: "half", build: build}
	g := c.graph(t)
	if err := passes.Run(g); err != nil {
		t.Fatal(err)
	}
	if err := passes.Narrow(g, p); err != nil {
		t.Fatal(err)
	}
	checkStructure(t, g, g)
	return g
}

// twoConvs has a weight that two convolutions share, a folded batch norm, and a matrix. weight makes all matrices.
func twoConvs(b bench, weight func(name string, shape ...int64) *onnxbuild.Value) {
	x := b.in(2, 4, 5, 7)
	w := weight("shared.weight", 4, 4, 1, 1)
	y := b.norm(b.Conv(b.Conv(x, w, nil, square(1, 1, 0), 1), weight("b.weight", 6, 4, 3, 3), b.named("b.bias", 6), square(3, 1, 1), 1))
	y = b.Add(b.Conv(b.Sigmoid(y), weight("c.weight", 4, 6, 1, 1), nil, square(1, 1, 0), 1), b.Conv(x, w, nil, square(1, 1, 0), 1))
	b.out(b.MatMul(y, weight("m", 7, 7)))
}

// TestHalveWeights: the matrices are float16, each is cast once, and all else is as it was; what comes out is what float32
// gives for weights that were rounded beforehand, before a batch norm is folded into them.
func TestHalveWeights(t *testing.T) {
	g := narrowed(t, passes.HalfWeights, func(b bench) { twoConvs(b, b.named) })
	types := map[string]onnxbuild.DType{}
	for _, v := range g.Initializers() {
		if _, twice := types[v.Name]; twice {
			t.Errorf("two initializers are named %s", v.Name)
		}
		types[v.Name] = v.DType
	}
	half, single := onnxbuild.Float16, onnxbuild.Float32
	for name, want := range map[string]onnxbuild.DType{"shared.weight": half, "b.weight": half, "b.bias": single, "c.weight": half, "m": half} {
		if types[name] != want {
			t.Errorf("%s is %s, want %s; there are %v", name, types[name], want, types)
		}
	}
	casts := 0
	for _, n := range g.Nodes {
		if n.Op.Name == "Cast" {
			casts++
		}
	}
	if casts != 4 {
		t.Errorf("%d casts, want one for each of 4 matrices", casts)
	}
	rounded := passCase{name: "half", build: func(b bench) {
		twoConvs(b, func(name string, shape ...int64) *onnxbuild.Value {
			v := b.named(name, shape...)
			elements, err := v.Const.ReadAll()
			if err != nil {
				t.Fatal(err)
			}
			for i, x := range elements {
				elements[i] = float16.Fromfloat32(x).Float32()
			}
			v.Const = onnxbuild.FloatTensor(shape, elements)
			return v
		})
	}}
	rounded.compare(t, rounded.graph(t), g)
}

// TestHalveWeightsNames: a matrix that is read as float32, too, is there twice, under two names.
func TestHalveWeightsNames(t *testing.T) {
	g := narrowed(t, passes.HalfWeights, func(b bench) {
		m := b.named("m", 7, 7)
		b.out(b.Add(b.MatMul(b.in(7, 7), m), m))
	})
	types := map[string]onnxbuild.DType{}
	for _, v := range g.Initializers() {
		types[v.Name] = v.DType
	}
	if types["m_half"] != onnxbuild.Float16 || types["m"] != onnxbuild.Float32 {
		t.Errorf("the initializers are %v\n%s", types, text(t, g))
	}
}

// TestLosses: 65519 is held as 65504 and 65520 is infinite; 2⁻²⁵ is half of the smallest number and a tie that goes to 0.
func TestLosses(t *testing.T) {
	inf := float32(math.Inf(1))
	elements := []float32{65519, 65520, -1e9, inf, 0, 0x1p-25, -0x1.01p-25, 1e-40, 0x1p-14, -0x1.fep-15, 1}
	g := onnxbuild.New("losses")
	b := bench{g.Build()}
	n := int64(len(elements))
	b.out(b.Conv(b.in(1, n, 1, 1), b.Initializer("w", onnxbuild.FloatTensor([]int64{1, n, 1, 1}, elements)), nil, square(1, 1, 0), 1))
	if err := passes.HalveWeights(g); err != nil {
		t.Fatal(err)
	}
	got, exact, err := passes.Losses(context.Background(), g)
	want := []passes.Loss{{Name: "w", Elements: n, Overflow: 2, Zero: 2, Coarse: 2}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil || exact {
		t.Errorf("%v, exact %t (-want +got):\n%s", err, exact, diff)
	}
	stored, err := g.Initializers()[0].Const.ReadAll()
	if held := []float32{65504, inf, -inf, inf, 0, 0, -0x1p-24, 0, 0x1p-14, -0x1.fep-15, 1}; err != nil || !slices.Equal(stored, held) {
		t.Errorf("the file holds %v, %v; want %v", stored, err, held)
	}
}

// TestHalve: which operators compute in float16.
func TestHalve(t *testing.T) {
	g := narrowed(t, passes.Half, func(b bench) {
		x := b.In("first").Conv(b.in(1, 8, 4, 6), b.named("first.weight", 8, 8, 1, 1), b.named("first.bias", 8), square(1, 1, 0), 1)
		x = b.In("first").Mul(x, b.In("first").Sigmoid(x))
		x = bench{b.In("sru")}.sru(x, b.Initializer("gamma", onnxbuild.FloatTensor([]int64{8, 1, 1}, open)), 48)
		x = b.In("tiny").Add(b.In("tiny").MaxPool(x, square(1, 1, 0)), b.In("tiny").Scalar("eps", 1e-9))
		x = b.In("last").Conv(x, b.named("last.weight", 8, 8, 1, 1), nil, square(1, 1, 0), 1)
		b.out(b.In("decode").Mul(b.In("decode").Sigmoid(x), b.In("decode").Scalar("grid", 3001)))
		b.out(b.In("direct").Conv(x, b.named("direct.weight", 2, 8, 1, 1), nil, square(1, 1, 0), 1))
	})
	if in := g.Inputs[0]; in.DType != onnxbuild.Float16 {
		t.Errorf("the input is %s", in.DType)
	}
	want := map[string]onnxbuild.DType{ // by node
		"/first/Conv": onnxbuild.Float16, "/first/Mul": onnxbuild.Float16,
		"/sru/ReduceMean": onnxbuild.Float32, "/sru/Div_2": onnxbuild.Float32, "/sru/Sigmoid": onnxbuild.Float32,
		"/tiny/MaxPool": onnxbuild.Float16, "/tiny/Add": onnxbuild.Float32, "/last/Conv": onnxbuild.Float16,
		"/decode/Sigmoid": onnxbuild.Float32, "/decode/Mul": onnxbuild.Float32, "/direct/Conv": onnxbuild.Float32,
	}
	for _, n := range g.Nodes {
		if dtype, ok := want[n.Name]; ok && n.Outputs[0].DType != dtype {
			t.Errorf("%s gives %s, want %s", n.Name, n.Outputs[0].DType, dtype)
		}
		delete(want, n.Name)
	}
	if len(want) > 0 {
		t.Errorf("not in the graph: %v\n%s", want, text(t, g))
	}
	for _, v := range g.Initializers() {
		if name := v.Name; (name == "direct.weight" || name == "first.weight" || name == "first.bias") && v.DType != onnxbuild.Float16 {
			t.Errorf("%s is stored as %s", name, v.DType)
		}
	}
}

// TestHalveKeepsSums: squares of 300 add up to more than float16 holds, coordinates over 2048 are not multiples of 2, and the
// epsilon of a norm stays; float16 throughout would fail at each.
func TestHalveKeepsSums(t *testing.T) {
	build := func(b bench) {
		x := b.Mul(b.in(1, 8, 4, 6), b.Scalar("large", 100))
		x = b.Conv(b.normalize(x, 8, 23), b.named("w", 8, 8, 1, 1), nil, square(1, 1, 0), 1)
		b.out(b.Add(b.Sigmoid(x), b.Scalar("far", 3001)))
	}
	half, single := narrowed(t, passes.Half, build), narrowed(t, passes.Float32, build)
	rt, c := orttest.Runtime(t), passCase{name: "half"}
	inputs := c.inputs(single)
	got, want := run(t, rt, half, half, inputs)["y0"], run(t, rt, single, single, inputs)["y0"]
	for i, w := range want.Floats {
		if d := math.Abs(float64(got.Floats[i] - w)); !(d < 4e-3) { // of a sigmoid, whose slope is up to 1/4
			t.Fatalf("element %d is %g, want %g", i, got.Floats[i], w)
		}
	}
}

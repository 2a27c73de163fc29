package onnxbuild_test

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"testing"

	"ysc2onnx/onnxbuild"
	"ysc2onnx/onnxbuild/onnxfile"
	"ysc2onnx/verify/engine"
	"ysc2onnx/verify/ort/orttest"
)

// everyOperator is a graph with the operators of a detector, on x [batch, 8, height, 6], in which each one's values reach an output.
func everyOperator(t *testing.T) *onnxbuild.Graph {
	t.Helper()
	g, x, out := openGraph("every")
	b := g.Build()
	list := func(name string, from float32) *onnxbuild.Value {
		elements := make([]float32, 4)
		for i := range elements {
			elements[i] = from + float32(i%5)/8
		}
		return b.Constant(name, onnxbuild.FloatTensor([]int64{4}, elements))
	}
	window := onnxbuild.Window{Kernel: []int64{3, 2}, Stride: []int64{2, 1}, Dilation: []int64{1, 2}, Pads: []int64{1, 0, 1, 2}}
	weight := make([]float32, 4*4*3*2)
	for i := range weight {
		weight[i] = float32(i%7)/4 - 0.75
	}

	y := b.Conv(x, b.Constant("weight", onnxbuild.FloatTensor([]int64{4, 4, 3, 2}, weight)), list("bias", -0.25), window, 2)
	out(b.BatchNormalization(y, list("scale", 0.5), list("shift", -1), list("mean", 0), list("variance", 0.25), 1e-3))
	out(b.InstanceNormalization(y, list("scale", 0.5), list("shift", -1), 1e-5))
	pool := window
	pool.Pads, pool.Ceil = []int64{1, 0, 1, 0}, true
	out(b.MaxPool(x, pool))
	out(b.Softmax(b.GlobalAveragePool(x), 1))

	out(b.Sub(b.Relu(x), b.Mul(b.LeakyRelu(x, 0.2), b.Sigmoid(x))))
	out(b.Div(b.HardSwish(x), b.Add(b.Sqrt(b.Relu(x)), b.Scalar("eps", 1))))
	edge := b.Scalar("edge", 0.5)
	out(b.Add(b.Cast(b.Greater(x, edge), onnxbuild.Float32), b.Mul(b.Scalar("two", 2), b.Cast(b.LessOrEqual(x, edge), onnxbuild.Float32))))

	groups := b.Reshape(x, b.Ints("groups", 0, 4, -1))
	out(b.ReduceMean(groups, 2))
	out(b.ReduceSum(x, 1, -1))
	out(b.ReduceL2(groups, 2))
	count := b.ReduceProd(b.Sizes(x, 1, 4), 0)
	out(b.Cast(count, onnxbuild.Float32))

	parts := b.Split(x, 1, 3, 5)
	out(b.Upsample(b.Concat(1, parts[1], parts[0]), 2, 3))
	out(b.Slice(b.Transpose(x, 0, 2, 3, 1), 3, 2, 7))
	rows := b.Range(b.Int("from", 0), b.Reshape(b.Sizes(x, 2, 3), b.Ints("scalar")), b.Int("step", 1))
	grid := b.Concat(0, b.Ints("front", 1, 8), b.Sizes(x, 2, 4))
	out(b.Mul(x, b.Expand(b.Reshape(b.Cast(rows, onnxbuild.Float32), b.Ints("column", 1, 1, -1, 1)), grid)))
	if err := g.TakeErr(); err != nil {
		t.Fatal(err)
	}
	return g
}

// openGraph is a graph with an input x [batch, 8, height, 6], height a multiple of 4, and adds outputs to it.
func openGraph(name string) (g *onnxbuild.Graph, x *onnxbuild.Value, out func(*onnxbuild.Value)) {
	batch := onnxbuild.Sym(onnxbuild.Symbol{Name: "batch", Unit: 1})
	height := onnxbuild.Sym(onnxbuild.Symbol{Name: "height", Unit: 4})
	g = onnxbuild.New(name)
	x = g.Input("x", onnxbuild.Float32, onnxbuild.Shape{batch, onnxbuild.D(8), height, onnxbuild.D(6)})
	return g, x, func(v *onnxbuild.Value) { g.Output(fmt.Sprintf("y%d", len(g.Outputs)), v) }
}

// TestEveryOperatorAtEveryOpset: ONNX Runtime, without rewriting, takes each form and computes the same values of the
// inferred shapes with all of them.
func TestEveryOperatorAtEveryOpset(t *testing.T) {
	rt := orttest.Runtime(t)
	x := engine.Tensor{Name: "x", Shape: []int64{2, 8, 4, 6}}
	for i := range 2 * 8 * 4 * 6 {
		x.Floats = append(x.Floats, float32((i*37)%101)/16-3) // 0.5 is among them
	}
	graphs := []*onnxbuild.Graph{everyOperator(t), moreOperators(t)}
	for _, name := range onnxbuild.OpNames() {
		used := name == "DeformConv" // has no form at most opsets; package reference runs it at those that do
		for _, g := range graphs {
			used = used || slices.ContainsFunc(g.Nodes, func(n *onnxbuild.Node) bool { return n.Op.Name == name })
		}
		if !used {
			t.Errorf("%s is in no graph", name)
		}
	}
	for _, g := range graphs {
		t.Run(g.Name, func(t *testing.T) { sameAtEveryOpset(t, rt, g, x) })
	}
}

func sameAtEveryOpset(t *testing.T, rt engine.Runtime, g *onnxbuild.Graph, x engine.Tensor) {
	var want []engine.Tensor
	for opset := onnxbuild.MaxOpset; opset >= onnxbuild.MinOpset; opset-- {
		got := compute(t, rt, g, opset, x)
		if want == nil {
			want = got
		}
		for i, v := range got {
			if !slices.Equal(v.Shape, want[i].Shape) || len(v.Floats) == 0 {
				t.Fatalf("opset %d: %s is %v, want %v", opset, v.Name, v.Shape, want[i].Shape)
			}
			checkShape(t, g.Outputs[i], v)
			for j, f := range v.Floats {
				if diff := math.Abs(float64(f - want[i].Floats[j])); !(diff <= 1e-6*max(1, math.Abs(float64(f)))) {
					t.Fatalf("opset %d: %s[%d] is %g, want %g", opset, v.Name, j, f, want[i].Floats[j])
				}
			}
		}
	}
}

// checkShape compares a computed shape with the inferred one, where that is static.
func checkShape(t *testing.T, inferred *onnxbuild.Value, got engine.Tensor) {
	t.Helper()
	if len(inferred.Shape) != len(got.Shape) {
		t.Fatalf("%s is %v, inferred was %s", got.Name, got.Shape, inferred.Shape)
	}
	for i, d := range inferred.Shape {
		if d.Data() {
			continue
		}
		n, err := d.At(map[string]int64{"batch": 2, "height": 4})
		if err != nil {
			t.Fatalf("%s: %v", got.Name, err)
		}
		if got.Shape[i] != n {
			t.Errorf("%s is %v, inferred was %s", got.Name, got.Shape, inferred.Shape)
		}
	}
}

func compute(t *testing.T, rt engine.Runtime, g *onnxbuild.Graph, opset int, x engine.Tensor) []engine.Tensor {
	t.Helper()
	ctx := context.Background()
	w, err := g.AtOpset(opset)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "model.onnx")
	if _, err := onnxfile.WriteFile(ctx, path, w, onnxfile.FileOptions{}); err != nil {
		t.Fatal(err)
	}
	session, err := rt.Open(ctx, path, engine.SessionOptions{Threads: 1, Optimization: engine.OptimizeNone})
	if err != nil {
		t.Fatalf("opset %d: %v", opset, err)
	}
	defer func() {
		if err := session.Close(); err != nil {
			t.Error(err)
		}
	}()
	out, err := session.Run(ctx, []engine.Tensor{x})
	if err != nil {
		t.Fatalf("opset %d: %v", opset, err)
	}
	return out
}

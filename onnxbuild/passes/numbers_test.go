package passes_test

import (
	"context"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"ysc2onnx/onnxbuild"
	"ysc2onnx/onnxbuild/onnxfile"
	"ysc2onnx/verify/engine"
	"ysc2onnx/verify/ort/orttest"
)

// The sizes that symbols have when a case is computed.
var sizes = map[string]int64{"batch": 2, "height": 64, "width": 96}

// tolerance is how far values may differ, relative to the largest of their tensor, where rounding may: some 16 units in
// the last place of float32.
const tolerance = 2e-6

// compare computes both graphs in ONNX Runtime and compares all values with a name that both keep.
func (c *passCase) compare(t *testing.T, before, after *onnxbuild.Graph) {
	t.Helper()
	rt := orttest.Runtime(t)
	inputs := c.inputs(before)
	want, got := run(t, rt, before, before, inputs), run(t, rt, after, before, inputs)
	if len(want) == 0 {
		t.Fatal("nothing was computed")
	}
	for name, w := range want {
		g, largest, worst := got[name], 0.0, 0.0
		if len(g.Floats) != len(w.Floats) {
			t.Fatalf("%s has %d elements, want %d", name, len(g.Floats), len(w.Floats))
		}
		for i, x := range w.Floats {
			if math.IsNaN(float64(x)) || math.IsNaN(float64(g.Floats[i])) {
				t.Fatalf("%s[%d] is %g, want %g", name, i, g.Floats[i], x)
			}
			largest = max(largest, math.Abs(float64(x)))
			worst = max(worst, math.Abs(float64(x)-float64(g.Floats[i])))
		}
		if limit := largest * tolerance; worst > limit || c.exact && worst > 0 {
			t.Errorf("%s differs by %g, its largest element is %g", name, worst, largest)
		}
		if largest == 0 && !c.allZero {
			t.Errorf("%s is 0 everywhere: the case shows nothing", name)
		}
	}
}

// inputs draws normal numbers for a graph's inputs, the same for the same case; where the case asks for it, the first
// half of the channels of each image is constant.
func (c *passCase) inputs(g *onnxbuild.Graph) []engine.Tensor {
	seed := fnv.New64a()
	_, _ = seed.Write([]byte(c.name))
	r := rand.New(rand.NewPCG(seed.Sum64(), 1))
	var tensors []engine.Tensor
	for _, v := range g.Inputs {
		in := engine.Tensor{Name: v.Name}
		n := int64(1)
		for _, d := range v.Shape {
			in.Shape = append(in.Shape, concrete(d))
			n *= concrete(d)
		}
		for i := range n {
			x := float32(r.NormFloat64()*1.5 + 0.25)
			if image := n / in.Shape[0]; c.flatHalf && i%image < image/2 {
				x = 2
			}
			in.Floats = append(in.Floats, x)
		}
		tensors = append(tensors, in)
	}
	return tensors
}

// concrete is the size of a dimension of an input: a static one, or a symbol by itself.
func concrete(d onnxbuild.Dim) int64 {
	if n, ok := d.Static(); ok {
		return n
	}
	return sizes[d.String()]
}

// run computes the outputs of g and all values whose names are promised in the graph named.
func run(t *testing.T, rt engine.Runtime, g, named *onnxbuild.Graph, inputs []engine.Tensor) map[string]engine.Tensor {
	t.Helper()
	ctx := context.Background()
	written, err := g.AtOpset(onnxbuild.DefaultOpset)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "model.onnx")
	if _, err := onnxfile.WriteFile(ctx, path, written, onnxfile.FileOptions{}); err != nil {
		t.Fatal(err)
	}
	opts := engine.SessionOptions{Threads: 1, Optimization: engine.OptimizeNone}
	for _, n := range named.Nodes {
		for _, v := range n.Outputs {
			if v.Pinned && !named.IsOutput(v) {
				opts.Expose = append(opts.Expose, engine.IO{Name: v.Name, DType: engine.DType(v.DType)})
			}
		}
	}
	session, err := rt.Open(ctx, path, opts)
	if err != nil {
		t.Fatal(fmt.Errorf("%w\n%s", err, text(t, g)))
	}
	defer func() {
		if err := session.Close(); err != nil {
			t.Error(err)
		}
	}()
	outputs, err := session.Run(ctx, inputs)
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]engine.Tensor{}
	for _, v := range outputs {
		values[v.Name] = v
	}
	return values
}

package reference

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"slices"
	"testing"

	"ysc2onnx/onnxbuild"
)

// recorded is one case of testdata/operators.json.
type recorded struct {
	Name, Tells     string
	Inputs, Outputs []struct {
		Shape []int64
		Data  []float64
	}
}

// build adds the case's node. x are the case's inputs as inputs of the graph, c the same as initializers.
type build func(b onnxbuild.Builder, x, c []*onnxbuild.Value) []*onnxbuild.Value

// one wraps operators with a single output.
func one(f func(b onnxbuild.Builder, x, c []*onnxbuild.Value) *onnxbuild.Value) build {
	return func(b onnxbuild.Builder, x, c []*onnxbuild.Value) []*onnxbuild.Value {
		return []*onnxbuild.Value{f(b, x, c)}
	}
}

var builds = map[string]build{
	"Add":         one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value { return b.Add(x[0], x[1]) }),
	"Sub":         one(func(b onnxbuild.Builder, x, c []*onnxbuild.Value) *onnxbuild.Value { return b.Sub(x[0], c[1]) }),
	"Mul":         one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value { return b.Mul(x[0], x[1]) }),
	"Div":         one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value { return b.Div(x[0], x[1]) }),
	"Greater":     one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value { return b.Greater(x[0], x[1]) }),
	"LessOrEqual": one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value { return b.LessOrEqual(x[0], x[1]) }),
	"Sqrt":        one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value { return b.Sqrt(x[0]) }),
	"Sigmoid":     one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value { return b.Sigmoid(x[0]) }),
	"Relu":        one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value { return b.Relu(x[0]) }),
	"LeakyRelu":   one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value { return b.LeakyRelu(x[0], 0.1) }),
	"HardSwish":   one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value { return b.HardSwish(x[0]) }),
	"Cast to int": one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value {
		return b.Cast(x[0], onnxbuild.Int64)
	}),
	"Cast to bool": one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value {
		return b.Cast(b.Cast(x[0], onnxbuild.Bool), onnxbuild.Float32)
	}),

	"Conv": one(func(b onnxbuild.Builder, x, c []*onnxbuild.Value) *onnxbuild.Value {
		return b.Conv(x[0], c[1], c[2], onnxbuild.Window{Kernel: [2]int64{3, 2}, Stride: [2]int64{2, 1}, Dilation: [2]int64{1, 1}, Pads: [4]int64{1, 0, 2, 1}}, 1)
	}),
	"Conv in groups": one(func(b onnxbuild.Builder, x, c []*onnxbuild.Value) *onnxbuild.Value {
		return b.Conv(x[0], c[1], nil, onnxbuild.Window{Kernel: [2]int64{3, 3}, Stride: [2]int64{1, 1}, Dilation: [2]int64{1, 2}, Pads: [4]int64{1, 2, 1, 2}}, 2)
	}),
	"Conv 6x6": one(func(b onnxbuild.Builder, x, c []*onnxbuild.Value) *onnxbuild.Value {
		return b.Conv(x[0], c[1], c[2], onnxbuild.Window{Kernel: [2]int64{6, 6}, Stride: [2]int64{2, 2}, Dilation: [2]int64{1, 1}, Pads: [4]int64{2, 2, 2, 2}}, 1)
	}),
	"MaxPool": one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value {
		return b.MaxPool(x[0], onnxbuild.Window{Kernel: [2]int64{5, 5}, Stride: [2]int64{1, 1}, Dilation: [2]int64{1, 1}, Pads: [4]int64{2, 2, 2, 2}})
	}),
	"MaxPool 2x3": one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value {
		return b.MaxPool(x[0], onnxbuild.Window{Kernel: [2]int64{2, 3}, Stride: [2]int64{2, 1}, Dilation: [2]int64{2, 1}, Pads: [4]int64{0, 1, 0, 1}, Ceil: true})
	}),
	"GlobalAveragePool": one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value { return b.GlobalAveragePool(x[0]) }),

	"BatchNormalization": one(func(b onnxbuild.Builder, x, c []*onnxbuild.Value) *onnxbuild.Value {
		return b.BatchNormalization(x[0], c[1], c[2], c[3], c[4], 1e-3)
	}),
	"InstanceNormalization": one(func(b onnxbuild.Builder, x, c []*onnxbuild.Value) *onnxbuild.Value {
		return b.InstanceNormalization(x[0], c[1], c[2], 1e-5)
	}),
	"Softmax":                  one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value { return b.Softmax(x[0], 1) }),
	"Softmax of the last axis": one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value { return b.Softmax(x[0], -1) }),
	"ReduceMean":               one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value { return b.ReduceMean(x[0], 1, -1) }),
	"ReduceSum":                one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value { return b.ReduceSum(x[0], 1, -1) }),
	"ReduceL2":                 one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value { return b.ReduceL2(x[0], 1, -1) }),
	"ReduceProd":               one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value { return b.ReduceProd(x[0], 1) }),

	"Reshape": one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value {
		return b.Reshape(x[0], b.Ints("shape", 0, 0, 2, -1))
	}),
	"Transpose": one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value {
		return b.Transpose(x[0], 0, 2, 3, 1)
	}),
	"Shape": one(func(b onnxbuild.Builder, _, _ []*onnxbuild.Value) *onnxbuild.Value {
		open := b.Graph.Input("open", onnxbuild.Float32, onnxbuild.Shape{onnxbuild.Sym(onnxbuild.Symbol{Name: "n", Unit: 1}), onnxbuild.D(3), onnxbuild.D(5)})
		return b.Sizes(open, 0, 3)
	}),
	"Slice": one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value { return b.Slice(x[0], 1, 1, 4) }),
	"Split": func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) []*onnxbuild.Value {
		return b.Split(x[0], 1, 1, 3, 2)
	},
	"Concat": one(func(b onnxbuild.Builder, x, c []*onnxbuild.Value) *onnxbuild.Value {
		return b.Concat(1, x[0], c[1])
	}),
	"Expand": one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value {
		return b.Expand(x[0], b.Ints("shape", 2, 3, 4))
	}),
	"Range": one(func(b onnxbuild.Builder, _, _ []*onnxbuild.Value) *onnxbuild.Value {
		return b.Range(b.Int("start", 0), b.Int("limit", 5), b.Int("step", 1))
	}),
	"Resize": one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value { return b.Upsample(x[0], 2, 3) }),
}

// TestOperators computes every case and holds it against PyTorch's float64.
func TestOperators(t *testing.T) {
	var cases []recorded
	text, err := os.ReadFile("testdata/operators.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			g, inputs := onnxbuild.New("case"), map[string]*Array{}
			var x, consts []*onnxbuild.Value
			for i, in := range c.Inputs {
				v := g.Input("x"+string(rune('0'+i)), onnxbuild.Float32, onnxbuild.ShapeOf(in.Shape...))
				floats := make([]float32, len(in.Data))
				for k, f := range in.Data {
					floats[k] = float32(f)
				}
				x = append(x, v)
				consts = append(consts, g.Build().Constant("c", onnxbuild.FloatTensor(in.Shape, floats)))
				inputs[v.Name] = &Array{onnxbuild.Float32, in.Shape, in.Data}
			}
			if c.Name == "Shape" {
				inputs["open"] = inputs["x0"]
			}
			outputs := builds[c.Name](g.Build(), x, consts)
			if err := g.TakeErr(); err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, v := range outputs {
				names = append(names, v.Name)
			}
			for _, n := range g.Nodes {
				used[n.Op.Name] = true
			}
			got, err := Run(context.Background(), g, inputs, names)
			if err != nil {
				t.Fatal(err)
			}
			for i, want := range c.Outputs {
				compare(t, c.Tells, got[names[i]], want.Shape, want.Data)
			}
		})
	}
	if len(cases) != len(builds) {
		t.Errorf("%d cases are recorded, %d are built", len(cases), len(builds))
	}
	for _, name := range onnxbuild.OpNames() {
		if !used[name] {
			t.Errorf("%s has no case in testdata/operators.json", name)
		}
		if operators[name] == nil {
			t.Errorf("%s has no definition", name)
		}
	}
	if got, want := len(operators), len(onnxbuild.OpNames()); got != want {
		t.Errorf("there are %d definitions for %d operators", got, want)
	}
}

// compare allows a few roundings of float64: float32 anywhere on the way would show.
func compare(t *testing.T, what string, got *Array, shape []int64, want []float64) {
	t.Helper()
	if !slices.Equal(got.Shape, shape) || len(got.Data) != len(want) {
		t.Fatalf("%s: got %v, PyTorch %v", what, got.Shape, shape)
	}
	largest := 0.0
	for _, w := range want {
		largest = max(largest, math.Abs(w))
	}
	for i, w := range want {
		if !(math.Abs(got.Data[i]-w) <= 1e-14*largest) {
			t.Errorf("%s: element %d is %v, PyTorch's %v", what, i, got.Data[i], w)
			return
		}
	}
}

package onnxbuild

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// wireText writes the nodes of a graph at an opset as text: one after the other, with their attributes.
func wireText(w *Written) string {
	var nodes []string
	for _, n := range w.Nodes {
		text := fmt.Sprintf("%s = %s(%s)", strings.Join(n.Outputs, ", "), n.Op, strings.Join(n.Inputs, ", "))
		for _, a := range n.Attrs {
			text += fmt.Sprintf(" %s=%v", a.Name, a.Value)
		}
		nodes = append(nodes, text)
	}
	return strings.Join(nodes, "; ")
}

// TestForms: at each opset where an operator's form changes, and at the one before; onnx/defs in the ONNX repository has
// the changes ("Operators.md", "Changelog.md").
func TestForms(t *testing.T) {
	for _, c := range []struct {
		name     string
		make     func(b bench) *Value
		old      string // the form before
		since    int    // the opset with the new form
		now      string
		oldConst string // the names of the initializers before
		nowConst string
	}{
		{"Split", func(b bench) *Value { return b.Split(b.in(1, 8), 1, 2, 6)[0] },
			"y, /Split_output_1 = Split(in0) axis=1 split=[2 6]", 13, "y, /Split_output_1 = Split(in0, /split) axis=1", "", "/split"},
		{"ReduceSum", func(b bench) *Value { return b.ReduceSum(b.in(1, 8, 4), 1, -1) },
			"y = ReduceSum(in0) axes=[1 -1] keepdims=1", 13, "y = ReduceSum(in0, /ReduceSum/axes) keepdims=1", "", "/ReduceSum/axes"},
		{"ReduceMean", func(b bench) *Value { return b.ReduceMean(b.in(1, 8, 4), 2) },
			"y = ReduceMean(in0) axes=[2] keepdims=1", 18, "y = ReduceMean(in0, /ReduceMean/axes) keepdims=1", "", "/ReduceMean/axes"},
		{"ReduceL2", func(b bench) *Value { return b.ReduceL2(b.in(1, 8, 4), 2) },
			"y = ReduceL2(in0) axes=[2] keepdims=1", 18, "y = ReduceL2(in0, /ReduceL2/axes) keepdims=1", "", "/ReduceL2/axes"},
		{"ReduceProd", func(b bench) *Value { return b.ReduceProd(b.in(8), 0) },
			"y = ReduceProd(in0) axes=[0] keepdims=1", 18, "y = ReduceProd(in0, /ReduceProd/axes) keepdims=1", "", "/ReduceProd/axes"},
		{"HardSwish", func(b bench) *Value { return b.HardSwish(b.in(8)) },
			"/HardSwish_output_0/gate = HardSigmoid(in0) alpha=0.16666667 beta=0.5; y = Mul(in0, /HardSwish_output_0/gate)",
			14, "y = HardSwish(in0)", "", ""},
		{"LessOrEqual", func(b bench) *Value { return b.LessOrEqual(b.in(8), b.Scalar("t", 0.5)) },
			"/LessOrEqual_output_0/less = Less(in0, /t); /LessOrEqual_output_0/equal = Equal(in0, /t); y = Or(/LessOrEqual_output_0/less, /LessOrEqual_output_0/equal)",
			12, "y = LessOrEqual(in0, /t)", "/t", "/t"},
		{"Resize", func(b bench) *Value { return b.Upsample(b.in(1, 2, 3, 4), 2, 2) },
			"y = Resize(in0, /Resize/roi, /scales) coordinate_transformation_mode=asymmetric mode=nearest nearest_mode=floor", 13,
			"y = Resize(in0, , /scales) coordinate_transformation_mode=asymmetric mode=nearest nearest_mode=floor", "/Resize/roi /scales", "/scales"},
		{"Softmax", func(b bench) *Value { return b.Softmax(b.in(2, 8, 1, 1), 1) },
			"y = Softmax(in0) axis=1", 13, "y = Softmax(in0) axis=1", "", ""},
		{"Softmax in front", func(b bench) *Value { return b.Softmax(b.in(2, 8, 3), 1) },
			"/Softmax_output_0/moved = Transpose(in0) perm=[0 2 1]; /Softmax_output_0/softmax = Softmax(/Softmax_output_0/moved) axis=2; " +
				"y = Transpose(/Softmax_output_0/softmax) perm=[0 2 1]", 13, "y = Softmax(in0) axis=1", "", ""},
		{"GreaterOrEqual", func(b bench) *Value { return b.GreaterOrEqual(b.in(8), b.Scalar("t", 0.5)) },
			"/GreaterOrEqual_output_0/greater = Greater(in0, /t); /GreaterOrEqual_output_0/equal = Equal(in0, /t); " +
				"y = Or(/GreaterOrEqual_output_0/greater, /GreaterOrEqual_output_0/equal)", 12, "y = GreaterOrEqual(in0, /t)", "/t", "/t"},
		{"Mish", func(b bench) *Value { return b.Mish(b.in(8)) },
			"/Mish_output_0/softplus = Softplus(in0); /Mish_output_0/gate = Tanh(/Mish_output_0/softplus); y = Mul(in0, /Mish_output_0/gate)",
			18, "y = Mish(in0)", "", ""},
		{"Gelu", func(b bench) *Value { return b.Gelu(b.in(8)) },
			"/Gelu_output_0/scaled = Mul(in0, /Gelu/root); /Gelu_output_0/erf = Erf(/Gelu_output_0/scaled); /Gelu_output_0/twice = Add(/Gelu_output_0/erf, /Gelu/one); " +
				"/Gelu_output_0/gate = Mul(/Gelu_output_0/twice, /Gelu/half); y = Mul(in0, /Gelu_output_0/gate)", 20, "y = Gelu(in0)", "/Gelu/root /Gelu/one /Gelu/half", ""},
		{"LayerNormalization", func(b bench) *Value { return b.LayerNormalization(b.in(2, 8), b.weight(8), nil, 0.5) },
			"/LayerNormalization_output_0/mean = ReduceMean(in0) axes=[1] keepdims=1; /LayerNormalization_output_0/deviation = Sub(in0, /LayerNormalization_output_0/mean); " +
				"/LayerNormalization_output_0/square = Mul(/LayerNormalization_output_0/deviation, /LayerNormalization_output_0/deviation); " +
				"/LayerNormalization_output_0/squares = ReduceMean(/LayerNormalization_output_0/square) axes=[1] keepdims=1; " +
				"/LayerNormalization_output_0/variance = Add(/LayerNormalization_output_0/squares, /LayerNormalization/epsilon); " +
				"/LayerNormalization_output_0/spread = Sqrt(/LayerNormalization_output_0/variance); " +
				"/LayerNormalization_output_0/normal = Div(/LayerNormalization_output_0/deviation, /LayerNormalization_output_0/spread); " +
				"y = Mul(/LayerNormalization_output_0/normal, /weight)",
			17, "y = LayerNormalization(in0, /weight) axis=-1 epsilon=0.5", "/LayerNormalization/epsilon /weight", "/weight"},
		{"Squeeze", func(b bench) *Value { return b.Squeeze(b.in(2, 1), 1) }, "y = Squeeze(in0) axes=[1]", 13, "y = Squeeze(in0, /Squeeze/axes)", "", "/Squeeze/axes"},
		{"Unsqueeze", func(b bench) *Value { return b.Unsqueeze(b.in(2), 1) }, "y = Unsqueeze(in0) axes=[1]", 13, "y = Unsqueeze(in0, /Unsqueeze/axes)", "", "/Unsqueeze/axes"},
		{"Reduce to less", func(b bench) *Value { return b.Reduce(Max, b.in(2, 8), false, 1) },
			"y = ReduceMax(in0) axes=[1] keepdims=0", 18, "y = ReduceMax(in0, /ReduceMax/axes) keepdims=0", "", "/ReduceMax/axes"},
		{"Resize to sizes", func(b bench) *Value { return b.ResizeTo(b.in(2, 8), smooth, b.Ints("sizes", 4, 5)) },
			"y = Resize(in0, /Resize/roi, /Resize/scales, /sizes) coordinate_transformation_mode=half_pixel mode=linear", 13,
			"y = Resize(in0, , , /sizes) coordinate_transformation_mode=half_pixel mode=linear", "/Resize/roi /Resize/scales /sizes", "/sizes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := New("test")
			v := c.make(bench{g.Build()})
			if strings.Contains(c.old, "_output_0/") {
				g.Outputs = append(g.Outputs, v) // under its own name, which the inner values are named after
			} else {
				g.Output("y", v)
			}
			if err := g.TakeErr(); err != nil {
				t.Fatal(err)
			}
			for opset := MinOpset; opset <= MaxOpset; opset++ {
				w, err := g.AtOpset(opset)
				if err != nil {
					t.Fatal(err)
				}
				want, constants := c.now, c.nowConst
				if opset < c.since {
					want, constants = c.old, c.oldConst
				}
				got := strings.ReplaceAll(wireText(w), v.Name+" =", "y =")
				got = strings.ReplaceAll(got, v.Name+",", "y,")
				if got != want {
					t.Errorf("opset %d: got  %s\nwant %s", opset, got, want)
				}
				if got := names(w.Initializers); got != constants {
					t.Errorf("opset %d: initializers %q, want %q", opset, got, constants)
				}
				if inner := len(w.Nodes) - 1; len(w.Inner) != inner {
					t.Errorf("opset %d: %d inner values, want %d", opset, len(w.Inner), inner)
				}
			}
		})
	}
}

// TestInnerValues: the values inside an old form are listed with their types, beside those of the graph but without its
// outputs.
func TestInnerValues(t *testing.T) {
	g := New("test")
	b := bench{g.Build()}
	x := b.in(2, height)
	g.Output("y", b.Cast(b.LessOrEqual(b.HardSwish(x), b.Scalar("t", 0.5)), Float32))
	w, err := g.AtOpset(11)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range w.Edges() {
		got = append(got, fmt.Sprintf("%s %s %s", e.Name, e.Type.DType, e.Type.Shape))
	}
	slices.Sort(got)
	want := []string{
		"/HardSwish_output_0 float32 2xheight", "/HardSwish_output_0/gate float32 2xheight",
		"/LessOrEqual_output_0 bool 2xheight", "/LessOrEqual_output_0/equal bool 2xheight", "/LessOrEqual_output_0/less bool 2xheight",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestOpsetTooOld: deformable convolutions came with opset 19.
func TestOpsetTooOld(t *testing.T) {
	g := New("test")
	b := bench{g.Build().In("model.3")}
	g.Output("y", b.DeformConv(b.in(1, 4, 5, 5), b.weight(6, 4, 3, 3), b.in(1, 18, 5, 5), nil, nil, square(3, 1, 1), 1, 1))
	if _, err := g.AtOpset(19); err != nil {
		t.Error(err)
	}
	_, err := g.AtOpset(18)
	var tooOld *OpsetError
	if !errors.As(err, &tooOld) || tooOld.Opset != 18 || tooOld.Lowest != 19 || tooOld.Op != "DeformConv" {
		t.Fatalf("got %v", err)
	}
	want := "/model.3/DeformConv: a deformable convolution (operator DeformConv) cannot be written at opset 18: the lowest that works is 19"
	if err.Error() != want {
		t.Errorf("got  %s\nwant %s", err, want)
	}
}

// TestTypesTooNew: types that an operator took only later are refused before, by what they are.
func TestTypesTooNew(t *testing.T) {
	for _, c := range []struct {
		first int
		want  string // one opset before
		make  func(b bench) *Value
	}{
		{14, "/Add: Add of uint8 (operator Add) cannot be written at opset 13: the lowest that works is 14", func(b bench) *Value {
			return b.Add(b.typed(Uint8, 2), b.typed(Uint8, 2))
		}},
		{12, "/Max: Max of int64 (operator Max) cannot be written at opset 11: the lowest that works is 12", func(b bench) *Value {
			return b.Max(b.typed(Int64, 2), b.typed(Int64, 2))
		}},
		{13, "/Cast: an operator on bfloat16 (operator Cast) cannot be written at opset 12: the lowest that works is 13", func(b bench) *Value {
			return b.Cast(b.in(2), BFloat16)
		}},
		{12, "/GatherND: a gathering with 1 axes in common (operator GatherND) cannot be written at opset 11: the lowest that works is 12", func(b bench) *Value {
			return b.GatherND(b.in(2, 3), b.typed(Int64, 2, 4, 1), 1)
		}},
		{19, "/AveragePool: an average pooling that rounds sizes up and counts its padding (operator AveragePool) cannot be written at opset 18: the lowest that works is 19",
			func(b bench) *Value { return b.AveragePool(b.in(1, 2, 6, 6), ceiling(square(4, 3, 1)), true) }},
	} {
		g := New("test")
		g.Output("y", c.make(bench{g.Build()}))
		if err := g.TakeErr(); err != nil {
			t.Fatal(err)
		}
		if _, err := g.AtOpset(c.first); err != nil {
			t.Error(err)
		}
		if _, err := g.AtOpset(c.first - 1); err == nil || err.Error() != c.want {
			t.Errorf("got %v\nwant %s", err, c.want)
		}
	}
}

func TestOpsetRange(t *testing.T) {
	for _, opset := range []int{10, 27, 0, -1} {
		want := fmt.Sprintf("opset %d is not supported: choose 11 to 26", opset)
		if _, err := New("test").AtOpset(opset); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// TestIRVersion checks the table against that of the ONNX repository's docs/Versioning.md.
func TestIRVersion(t *testing.T) {
	want := map[int]int64{11: 6, 12: 7, 13: 7, 14: 7, 15: 8, 16: 8, 17: 8, 18: 8, 19: 9, 20: 9, 21: 10, 22: 10, 23: 11, 24: 12, 25: 13, 26: 13}
	for opset := MinOpset; opset <= MaxOpset; opset++ {
		w, err := New("test").AtOpset(opset)
		if err != nil {
			t.Fatal(err)
		}
		if w.IRVersion != want[opset] || w.Opset != opset {
			t.Errorf("opset %d has IR version %d, want %d", w.Opset, w.IRVersion, want[opset])
		}
	}
}

// TestConstantOutput: an initializer that is an output is written though no node reads it, and once though two do.
func TestConstantOutput(t *testing.T) {
	g := New("test")
	b := bench{g.Build()}
	g.Output("seven", b.Int("n", 7))
	shared := b.Scalar("shared", 2)
	g.Output("y", b.Mul(b.Mul(b.in(2), shared), shared))
	g.Outputs = append(g.Outputs, shared)
	w, err := g.AtOpset(DefaultOpset)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := names(w.Initializers), "/shared seven"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

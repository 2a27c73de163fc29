package onnxbuild

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
)

// recorded is a tensor of testdata/eval.json.
type recorded struct {
	DType    string   `json:"dtype"`
	Shape    []int64  `json:"shape"`
	Elements []string `json:"elements"`
}

func (r recorded) tensor(t *testing.T) *Tensor {
	t.Helper()
	out := &Tensor{Shape: r.Shape}
	for d := range dtypes {
		if d.String() == r.DType {
			out.DType = d
		}
	}
	var floats Literal
	for _, text := range r.Elements {
		if out.DType.IsFloat() {
			x, err := strconv.ParseFloat(text, 64)
			if err != nil {
				t.Fatal(err)
			}
			floats = append(floats, float32(x))
			continue
		}
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		out.Ints = append(out.Ints, n)
	}
	if out.DType.IsFloat() {
		out.Floats = floats
	}
	return out
}

// TestEval compares with what NumPy computed, bit by bit; testdata/eval.py recorded it.
func TestEval(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("testdata", "eval.json"))
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Op, Why string
		Attrs   map[string]json.RawMessage
		Inputs  []recorded
		Output  recorded
	}
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	tried := map[string]bool{}
	for _, c := range cases {
		t.Run(c.Op+"/"+c.Why, func(t *testing.T) {
			tried[c.Op] = true
			b := New("test").Build()
			var inputs []*Value
			for _, in := range c.Inputs {
				inputs = append(inputs, b.Constant("in", in.tensor(t)))
			}
			var attrs []Attr
			for name, value := range c.Attrs {
				var list []int64
				if err := json.Unmarshal(value, &list); err == nil {
					attrs = append(attrs, Attr{name, list})
					continue
				}
				var number int64
				if err := json.Unmarshal(value, &number); err != nil {
					t.Fatal(err)
				}
				attrs = append(attrs, Attr{name, number})
			}
			v := b.add1(ops[c.Op], attrs, inputs...)
			if err := b.Graph.TakeErr(); err != nil {
				t.Fatal(err)
			}
			got, err := Eval(v.Producer)
			if err != nil {
				t.Fatal(err)
			}
			want := c.Output.tensor(t)
			if got.DType != want.DType || !slices.Equal(got.Shape, want.Shape) || !v.Shape.Equal(ShapeOf(want.Shape...)) {
				t.Fatalf("got %s %v, inferred %s, want %s %v", got.DType, got.Shape, v.Shape, want.DType, want.Shape)
			}
			if !slices.Equal(got.Ints, want.Ints) {
				t.Errorf("got %v, want %v", got.Ints, want.Ints)
			}
			if !want.DType.IsFloat() {
				return
			}
			g, err := got.ReadAll()
			if err != nil {
				t.Fatal(err)
			}
			w, err := want.ReadAll()
			if err != nil {
				t.Fatal(err)
			}
			for i, x := range w {
				same := math.Float32bits(g[i]) == math.Float32bits(x) || x != x && g[i] != g[i]
				if !same {
					t.Errorf("element %d is %g, want %g", i, g[i], x)
				}
			}
		})
	}
	for name, op := range ops {
		if op.Foldable() && !tried[name] {
			t.Errorf("no case for %s", name)
		}
	}
}

// TestEvalRefused: what is not computed says why, and is left to the runtime.
func TestEvalRefused(t *testing.T) {
	b := bench{New("test").Build()}
	constant := b.Constant("c", FloatTensor([]int64{4}, []float32{1, 2, 3, 4}))
	for want, v := range map[string]*Value{
		"Relu is not computed ahead":                                   b.Relu(constant),
		"Split is not computed ahead":                                  b.Split(constant, 0, 2, 2)[0],
		"input 0 of /Sqrt is not constant":                             b.Sqrt(b.in(4)),
		"/Add has no static shape":                                     b.Add(b.in(height), b.Scalar("s", 1)),
		"/Expand has 16777216 elements, too many to be computed ahead": b.Expand(b.Scalar("s", 1), b.Ints("shape", 4096, 4096)),
		"input 0 of /Slice is too large to be computed ahead":          b.Slice(b.Constant("long", &Tensor{DType: Float32, Shape: []int64{1 << 23}, Floats: Literal(nil)}), 0, 0, 1),
		"only floats are divided":                                      b.Div(b.Int("n", 4), b.Int("m", 3)),
		"+Inf is not converted to int64 ahead: machines differ":        b.Cast(b.Scalar("inf", float32(math.Inf(1))), Int64),
		"256 is not converted to uint8 ahead: machines differ":         b.Cast(b.Int("n", 256), Uint8),
		"4.294967294e+09 does not fit int32":                           b.Mul(b.Constant("large", &Tensor{DType: Int32, Ints: []int64{1<<31 - 1}}), b.Constant("two", &Tensor{DType: Int32, Ints: []int64{2}})),
		"elements 0 to 4 were requested from a literal of 2":           b.Sqrt(b.Constant("short", FloatTensor([]int64{4}, []float32{1, 2}))),
	} {
		if err := b.Graph.TakeErr(); err != nil {
			t.Fatal(err)
		}
		if _, err := Eval(v.Producer); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// TestExp compares with math.Exp, whose bits may differ between machines.
func TestExp(t *testing.T) {
	for x := 0.0; x > -745; x -= 0.0371 {
		got, want := exp(x), math.Exp(x)
		if limit := max(want*1e-11, 5e-324); math.Abs(got-want) > limit {
			t.Fatalf("exp(%g) is %g, want %g", x, got, want)
		}
	}
	if exp(0) != 1 || exp(-746) != 0 || exp(math.Inf(-1)) != 0 || !math.IsNaN(exp(math.NaN())) {
		t.Error("a special value is wrong")
	}
}

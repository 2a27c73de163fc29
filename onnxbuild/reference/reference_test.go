package reference

import (
	"context"
	"errors"
	"testing"

	"ysc2onnx/onnxbuild"
)

// ramp is 0, 1, 2, … modulo a prime, scaled to -1 … 1.
func ramp(shape ...int64) *Array {
	a := newArray(onnxbuild.Float32, shape)
	for i := range a.Data {
		a.Data[i] = float64(i*7%97)/48 - 1
	}
	return a
}

// literal is an initializer with the elements of a.
func literal(b onnxbuild.Builder, name string, a *Array) *onnxbuild.Value {
	floats := make([]float32, len(a.Data))
	for i, x := range a.Data {
		floats[i] = float32(x)
		a.Data[i] = float64(floats[i])
	}
	return b.Constant(name, onnxbuild.FloatTensor(a.Shape, floats))
}

// TestLargeConv: a map whose patches do not fit into the memory for them is computed in parts, to the same numbers as by
// the sum of the definition.
func TestLargeConv(t *testing.T) {
	const channels, height, width = 64, 96, 80
	g := onnxbuild.New("large")
	x, w := ramp(2, channels, height, width), ramp(3, channels, 3, 3)
	in := g.Input("x", onnxbuild.Float32, onnxbuild.ShapeOf(x.Shape...))
	y := g.Build().Conv(in, literal(g.Build(), "w", w), nil, onnxbuild.Window{
		Kernel: []int64{3, 3}, Stride: []int64{1, 1}, Dilation: []int64{1, 1}, Pads: []int64{1, 1, 1, 1},
	}, 1)
	if patches := y.Shape.Elements(); patches.Is(0) || 2*height*width*channels*9 <= maxPatches {
		t.Fatal("the map is too small for this test")
	}
	got, err := Run(context.Background(), g, map[string]*Array{"x": x}, []string{y.Name})
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range [][4]int{{0, 0, 0, 0}, {0, 2, 50, 79}, {1, 1, 95, 3}, {1, 2, 40, 41}} {
		want := 0.0
		for c := range channels {
			for ky := range 3 {
				for kx := range 3 {
					iy, ix := at[2]+ky-1, at[3]+kx-1
					if iy >= 0 && iy < height && ix >= 0 && ix < width {
						want += x.Data[((at[0]*channels+c)*height+iy)*width+ix] * w.Data[((at[1]*channels+c)*3+ky)*3+kx]
					}
				}
			}
		}
		if y := got[y.Name].Data[((at[0]*3+at[1])*height+at[2])*width+at[3]]; y-want > 1e-12 || want-y > 1e-12 {
			t.Errorf("at %v: %v, expected %v", at, y, want)
		}
	}
}

// TestFreed: a value is forgotten after its last reader, unless it was asked for.
func TestFreed(t *testing.T) {
	g := onnxbuild.New("chain")
	b := g.Build()
	x := g.Input("x", onnxbuild.Float32, onnxbuild.ShapeOf(2, 3))
	first := b.Relu(x)
	second := b.Add(first, first)
	third := b.Mul(second, x)
	r := &run{values: map[*onnxbuild.Value]*Array{x: ramp(2, 3)}, uses: map[*onnxbuild.Value]int{x: 2, first: 2, second: 1}}
	for i, left := range []int{2, 2, 0} { // {x, first}, {x, second}, {}
		if _, err := r.node(context.Background(), g.Nodes[i]); err != nil {
			t.Fatal(err)
		}
		if len(r.values) != left {
			t.Errorf("after node %d %d values are held, expected %d", i, len(r.values), left)
		}
	}
	got, err := Run(context.Background(), g, map[string]*Array{"x": ramp(2, 3)}, []string{"x", first.Name, third.Name})
	if err != nil || len(got) != 3 {
		t.Errorf("got %v, %v", got, err)
	}
}

// broken is a source that cannot be read.
type broken struct{}

func (broken) ReadFloats([]float32, int64) error { return errors.New("the disk is gone") }

// TestErrors name the node, and say what is wrong.
func TestErrors(t *testing.T) {
	g := onnxbuild.New("errors")
	b := g.Build()
	x := g.Input("x", onnxbuild.Float32, onnxbuild.ShapeOf(1, 2, 3, 3))
	window := onnxbuild.Window{Kernel: []int64{1, 1}, Stride: []int64{1, 1}, Dilation: []int64{1, 1}}
	weight := b.Initializer("w", &onnxbuild.Tensor{DType: onnxbuild.Float32, Shape: []int64{1, 2, 1, 1}, Floats: broken{}})
	b.In("a").Conv(x, weight, nil, window, 1)
	if err := g.TakeErr(); err != nil {
		t.Fatal(err)
	}
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	for _, test := range []struct {
		name   string
		ctx    context.Context
		inputs map[string]*Array
		want   string
	}{
		{"no input", context.Background(), nil, `reference: the input "x" is not given`},
		{"another shape", context.Background(), map[string]*Array{"x": ramp(1, 2, 3, 4)}, `reference: the input "x" is float32 [1 2 3 4], the graph says float32 1x2x3x3`},
		{"too few elements", context.Background(), map[string]*Array{"x": {onnxbuild.Float32, []int64{1, 2, 3, 3}, nil}},
			`reference: the input "x" holds 0 elements, its shape [1 2 3 3] takes 18`},
		{"no weight", context.Background(), map[string]*Array{"x": ramp(1, 2, 3, 3)}, "reference: /a/Conv: weight: the disk is gone"},
		{"cancelled", cancelled, map[string]*Array{"x": ramp(1, 2, 3, 3)}, "context canceled"},
	} {
		if _, err := Run(test.ctx, g, test.inputs, nil); err == nil || err.Error() != test.want {
			t.Errorf("%s: got %v, expected %s", test.name, err, test.want)
		}
	}
	g.Nodes = nil
	if _, err := Run(context.Background(), g, map[string]*Array{"x": ramp(1, 2, 3, 3)}, []string{"y"}); err == nil || err.Error() != `reference: the graph has no value "y"` {
		t.Errorf("an unknown value: %v", err)
	}
}

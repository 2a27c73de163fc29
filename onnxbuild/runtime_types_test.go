package onnxbuild_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"ysc2onnx/onnxbuild"
	"ysc2onnx/onnxbuild/onnxfile"
	"ysc2onnx/verify/engine"
	"ysc2onnx/verify/ort/orttest"
)

// TestEveryTypeInFiles: ONNX Runtime reads inputs and initializers of each type as what they were written as.
func TestEveryTypeInFiles(t *testing.T) {
	rt := orttest.Runtime(t)
	for _, c := range []struct {
		dtype   onnxbuild.DType
		numbers []float32 // that the type holds exactly
	}{
		{dtype: onnxbuild.Float32, numbers: []float32{-0.1, 3e38}},
		{dtype: onnxbuild.Float16, numbers: []float32{-65504, 0x1p-24, 1.0009765625}},
		{dtype: onnxbuild.BFloat16, numbers: []float32{-0x1p100, 1.0078125}},
		{dtype: onnxbuild.Uint8, numbers: []float32{0, 200, 255}},
		{dtype: onnxbuild.Int8, numbers: []float32{-128, 127, -1}},
		{dtype: onnxbuild.Int32, numbers: []float32{-0x1p31, 0x1p30}},
		{dtype: onnxbuild.Int64, numbers: []float32{-0x1p40, 7}},
		{dtype: onnxbuild.Bool, numbers: []float32{1, 0}},
	} {
		t.Run(c.dtype.String(), func(t *testing.T) {
			size := int64(len(c.numbers))
			constant, in := &onnxbuild.Tensor{DType: c.dtype, Shape: []int64{size}}, engine.Tensor{Name: "x", Shape: []int64{size}}
			if c.dtype.IsFloat() {
				constant.Floats, in.Floats = onnxbuild.Literal(c.numbers), c.numbers
			} else {
				for _, x := range c.numbers {
					in.Ints = append(in.Ints, int64(x))
				}
				constant.Ints = in.Ints
			}
			g := onnxbuild.New("types")
			b := g.Build()
			x := g.Input("x", c.dtype, onnxbuild.ShapeOf(size))
			g.Output("fed", b.Cast(x, onnxbuild.Float32))
			g.Output("stored", b.Cast(b.Initializer("c", constant), onnxbuild.Float32))
			if err := g.TakeErr(); err != nil {
				t.Fatal(err)
			}
			for _, opset := range []int{13, 17, 22} {
				for _, v := range compute(t, rt, g, opset, in) {
					if !slices.Equal(v.Floats, c.numbers) {
						t.Errorf("opset %d: %s is %v, want %v", opset, v.Name, v.Floats, c.numbers)
					}
				}
			}
		})
	}
}

// TestHalfPrecision: ONNX Runtime takes operators of float16 throughout, at opsets of each form, and gives what float32
// gives, up to the roundings of a type with 11 bits.
func TestHalfPrecision(t *testing.T) {
	rt := orttest.Runtime(t)
	weight, bias := make(onnxbuild.Literal, 8*4*3*3), onnxbuild.Literal{0.5, -0.25, 1, 0.125, 2, -1, 0, 0.75}
	for i := range weight {
		weight[i] = float32(i%9)/16 - 0.25 // sums of 36 of them stay small
	}
	build := func(dtype onnxbuild.DType) *onnxbuild.Graph {
		g := onnxbuild.New("half")
		b := g.Build()
		x := g.Input("x", dtype, onnxbuild.ShapeOf(2, 4, 6, 8))
		tensor := func(name string, l onnxbuild.Literal, shape ...int64) *onnxbuild.Value {
			return b.Constant(name, &onnxbuild.Tensor{DType: dtype, Shape: shape, Floats: l})
		}
		y := b.Conv(x, tensor("weight", weight, 8, 4, 3, 3), tensor("bias", bias, 8), onnxbuild.Window{Kernel: []int64{3, 3}, Pads: []int64{1, 1, 1, 1}}, 1)
		y = b.Mul(b.Gelu(y), b.Sigmoid(b.Mish(b.HardSwish(y))))
		y = b.Clip(b.GroupNormalization(y, 2, tensor("scale", bias, 8), tensor("shift", bias, 8), 1e-3), -4, 4)
		y = b.Concat(1, y, b.MaxPool(y, onnxbuild.Window{Kernel: []int64{3, 3}, Pads: []int64{1, 1, 1, 1}}))
		y = b.Resize(y, onnxbuild.Resizing{Mode: "nearest", Place: "asymmetric", Nearest: "floor"}, 1, 1, 2, 2)
		g.Output("y", b.Softmax(b.Add(y, b.ScalarOf(dtype, "half", 0.5)), 1))
		if err := g.TakeErr(); err != nil {
			t.Fatal(err)
		}
		return g
	}
	x := engine.Tensor{Name: "x", Shape: []int64{2, 4, 6, 8}}
	for i := range 2 * 4 * 6 * 8 {
		x.Floats = append(x.Floats, float32(i*37%65)/32-1)
	}
	want := compute(t, rt, build(onnxbuild.Float32), 17, x)[0].Floats
	for _, opset := range []int{11, 13, 17, 18, 20, 22} {
		got := compute(t, rt, build(onnxbuild.Float16), opset, x)[0].Floats
		for i, w := range want {
			// The softmax's inputs are at most 5: an error of some 8 roundings of 2^-11 of that is one of e^(8·5/2048) - 1 here.
			if d := got[i] - w; !(d <= 0.02*w && -d <= 0.02*w) {
				t.Fatalf("opset %d: element %d is %g, want %g", opset, i, got[i], w)
			}
		}
	}
}

// TestUnwritableElement: an integer that its type does not hold is an error of the file, and names the initializer.
func TestUnwritableElement(t *testing.T) {
	g := onnxbuild.New("wide")
	c := g.Build().Initializer("anchors", &onnxbuild.Tensor{DType: onnxbuild.Uint8, Shape: []int64{2}, Ints: []int64{3, 300}})
	g.Output("y", g.Build().Cast(c, onnxbuild.Float32))
	w, err := g.AtOpset(17)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "wide.onnx")
	_, err = onnxfile.WriteFile(context.Background(), path, w, onnxfile.FileOptions{})
	if want := "cannot write " + path + `: initializer "anchors": element 1 is 300, which does not fit uint8`; err == nil || fmt.Sprint(err) != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

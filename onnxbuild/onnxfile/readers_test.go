package onnxfile_test

import (
	"context"
	"path/filepath"
	"testing"

	"ysc2onnx/onnxbuild"
	"ysc2onnx/onnxbuild/onnxfile"
	"ysc2onnx/verify/engine"
	"ysc2onnx/verify/ort/orttest"
)

// conv is 2·conv(x) of a 2x2 kernel of 1, 2, 3, 4 in each of 256 output channels, the channel's number added as bias.
func conv() *onnxbuild.Written {
	g := onnxbuild.New("conv")
	x := g.Input("x", onnxbuild.Float32, onnxbuild.Shape{
		onnxbuild.D(1), onnxbuild.D(1), onnxbuild.Sym(onnxbuild.Symbol{Name: "height", Unit: 1}), onnxbuild.D(3),
	})
	weight, bias := make([]float32, 256*4), make([]float32, 256)
	for i := range weight {
		weight[i] = float32(i%4 + 1)
	}
	for i := range bias {
		bias[i] = float32(i)
	}
	b := g.Build()
	one := []int64{1, 1}
	y := b.Conv(x,
		b.Initializer("weight", onnxbuild.FloatTensor([]int64{256, 1, 2, 2}, weight)),
		b.Initializer("bias", onnxbuild.FloatTensor([]int64{256}, bias)),
		onnxbuild.Window{Kernel: []int64{2, 2}, Stride: one, Dilation: one}, 1)
	g.Output("y", b.Mul(y, b.Scalar("two", 2)))
	if err := g.TakeErr(); err != nil {
		panic(err)
	}
	w, err := g.AtOpset(13)
	if err != nil {
		panic(err)
	}
	return w
}

// ONNX Runtime loads both forms of a model and computes with the elements that were meant.
func TestONNXRuntime(t *testing.T) {
	rt := orttest.Runtime(t)
	for _, threshold := range []int64{0, 1} {
		path := filepath.Join(t.TempDir(), "model.onnx")
		info := write(t, path, conv(), onnxfile.FileOptions{ExternalThreshold: threshold})
		if (info.DataPath != "") != (threshold == 1) {
			t.Errorf("%+v", info)
		}
		session, err := rt.Open(context.Background(), path, engine.SessionOptions{})
		if err != nil {
			t.Fatal(err)
		}
		out, err := session.Run(context.Background(), []engine.Tensor{
			{Name: "x", Shape: []int64{1, 1, 2, 3}, Floats: []float32{1, 2, 3, 4, 5, 6}},
		})
		if err != nil {
			t.Fatal(err)
		}
		// 1·1 + 2·2 + 3·4 + 4·5 = 37 and 1·2 + 2·3 + 3·5 + 4·6 = 47.
		for c := range 256 {
			got := out[0].Floats[2*c : 2*c+2]
			if got[0] != float32(2*(37+c)) || got[1] != float32(2*(47+c)) {
				t.Fatalf("channel %d is %v", c, got)
			}
		}
		if err := session.Close(); err != nil {
			t.Error(err)
		}
	}
}

package onnxfile_test

import (
	"context"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/owulveryck/onnx-go"
	"github.com/owulveryck/onnx-go/backend/simple"
	"gonum.org/v1/gonum/graph"
	"gorgonia.org/tensor"

	"ysc2onnx/onnxbuild"
	"ysc2onnx/onnxbuild/onnxfile"
	"ysc2onnx/verify"
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
	one := [2]int64{1, 1}
	y := b.Conv(x,
		b.Initializer("weight", onnxbuild.FloatTensor([]int64{256, 1, 2, 2}, weight)),
		b.Initializer("bias", onnxbuild.FloatTensor([]int64{256}, bias)),
		onnxbuild.Window{Kernel: [2]int64{2, 2}, Stride: one, Dilation: one}, 1)
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
		session, err := rt.Open(context.Background(), path, verify.SessionOptions{})
		if err != nil {
			t.Fatal(err)
		}
		out, err := session.Run(context.Background(), []verify.Tensor{
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

// decoded is what onnx-go builds: its simple graph, with the operators' names and the tensors.
type decoded struct {
	*simple.Graph
	operators []string
}

func (d *decoded) ApplyOperation(o onnx.Operation, _ ...graph.Node) error {
	d.operators = append(d.operators, o.Name)
	return nil
}

func (d *decoded) NewNode() graph.Node { return &carrier{Node: d.Graph.NewNode()} }

// carrier is a node that has a tensor.
type carrier struct {
	graph.Node
	tensor tensor.Tensor
}

func (c *carrier) SetTensor(t tensor.Tensor) error {
	c.tensor = t
	return nil
}

func (c *carrier) GetTensor() tensor.Tensor { return c.tensor }

// onnx-go, a reader in Go with a protobuf library of its own, finds the nodes and the elements.
func TestOnnxGo(t *testing.T) {
	b, _ := written(t, conv(), onnxfile.Options{})
	d := &decoded{Graph: simple.NewSimpleGraph()}
	m := onnx.NewModel(d)
	if err := m.UnmarshalBinary(b); err != nil {
		t.Fatal(err)
	}
	slices.Sort(d.operators)
	if diff := cmp.Diff([]string{"Conv", "Mul"}, d.operators); diff != "" {
		t.Error(diff)
	}
	n, ok := m.GetNodeByName("weight")
	if !ok {
		t.Fatal("there is no weight")
	}
	weight, ok := n.(*carrier)
	if !ok || weight.tensor == nil {
		t.Fatalf("the weight is %T without a tensor", n)
	}
	if diff := cmp.Diff(tensor.Shape{256, 1, 2, 2}, weight.tensor.Shape()); diff != "" {
		t.Error(diff)
	}
	want := slices.Repeat([]float32{1, 2, 3, 4}, 256)
	if diff := cmp.Diff(any(want), weight.tensor.Data()); diff != "" {
		t.Error(diff)
	}
}

package peers

import (
	"bytes"
	"context"
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/owulveryck/onnx-go"
	"github.com/owulveryck/onnx-go/backend/simple"
	"gonum.org/v1/gonum/graph"
	"gorgonia.org/tensor"

	"ysc2onnx"
	"ysc2onnx/onnxbuild"
	"ysc2onnx/onnxbuild/onnxfile"
)

// decoded is what onnx-go builds: its simple graph, with the operators' names and the tensors.
type decoded struct {
	*simple.Graph
	operators []string
}

// ApplyOperation implements onnx.Backend.
func (d *decoded) ApplyOperation(o onnx.Operation, _ ...graph.Node) error {
	d.operators = append(d.operators, o.Name)
	return nil
}

// NewNode implements onnx.Backend.
func (d *decoded) NewNode() graph.Node { return &carrier{Node: d.Graph.NewNode()} }

// carrier is a node that has a tensor.
type carrier struct {
	graph.Node
	tensor tensor.Tensor
}

// SetTensor implements onnx.DataCarrier.
func (c *carrier) SetTensor(t tensor.Tensor) error {
	c.tensor = t
	return nil
}

// GetTensor implements onnx.DataCarrier.
func (c *carrier) GetTensor() tensor.Tensor { return c.tensor }

// TestOnnxGo: onnx-go, a reader in Go with a protobuf library of its own, finds the nodes and the elements.
func TestOnnxGo(t *testing.T) {
	g := onnxbuild.New("scaled")
	size := onnxbuild.Sym(onnxbuild.Symbol{Name: "height", Unit: 1})
	x := g.Input("x", onnxbuild.Float32, onnxbuild.Shape{onnxbuild.D(1), onnxbuild.D(256), size, onnxbuild.D(4)})
	b := g.Build()
	elements := slices.Repeat([]float32{1, 2, 3, 4}, 256)
	weight := b.Initializer("weight", onnxbuild.FloatTensor([]int64{256, 1, 4}, elements))
	g.Output("y", b.Mul(b.Sigmoid(x), weight))
	if err := g.TakeErr(); err != nil {
		t.Fatal(err)
	}
	w, err := g.AtOpset(13)
	if err != nil {
		t.Fatal(err)
	}
	layout, err := onnxfile.Plan(w, onnxfile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	if err := layout.Write(context.Background(), &file, nil, nil); err != nil {
		t.Fatal(err)
	}
	d := &decoded{Graph: simple.NewSimpleGraph()}
	m := onnx.NewModel(d)
	if err := m.UnmarshalBinary(file.Bytes()); err != nil {
		t.Fatal(err)
	}
	slices.Sort(d.operators)
	if diff := cmp.Diff([]string{"Mul", "Sigmoid"}, d.operators); diff != "" {
		t.Error(diff)
	}
	n, ok := m.GetNodeByName("weight")
	if !ok {
		t.Fatal("there is no weight")
	}
	found, ok := n.(*carrier)
	if !ok || found.tensor == nil {
		t.Fatalf("the weight is %T without a tensor", n)
	}
	if diff := cmp.Diff(tensor.Shape{256, 1, 4}, found.tensor.Shape()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(any(elements), found.tensor.Data()); diff != "" {
		t.Error(diff)
	}
}

// TestOnnxGoDecodes: onnx-go, which panics on many files, decodes every node of the default exports of the ScConv models.
func TestOnnxGoDecodes(t *testing.T) {
	for _, name := range []string{"yolov5s_ScConv", "yolov5s_ScConv_replace", "yolov5s_C3ScConv"} {
		yaml, err := os.Open("../../examples/" + name + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		var file bytes.Buffer
		r, err := ysc2onnx.Convert(context.Background(), ysc2onnx.Input{Name: name, YAML: yaml}, ysc2onnx.Options{Writer: &file, Height: 64, Width: 96})
		_ = yaml.Close() // it was only read
		if err != nil {
			t.Fatal(err)
		}
		d := &decoded{Graph: simple.NewSimpleGraph()}
		if err := onnx.NewModel(d).UnmarshalBinary(file.Bytes()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if len(d.operators) != r.Nodes {
			t.Errorf("%s: %d operators were decoded of %d", name, len(d.operators), r.Nodes)
		}
	}
}

package ysc2onnx_test

import (
	"bytes"
	"context"
	"testing"

	"github.com/owulveryck/onnx-go"
	"github.com/owulveryck/onnx-go/backend/simple"
	"gonum.org/v1/gonum/graph"

	"ysc2onnx"
)

// backend takes what onnx-go decodes, and counts the operators.
type backend struct {
	*simple.Graph
	operators int
}

// ApplyOperation implements onnx.Backend.
func (b *backend) ApplyOperation(_ onnx.Operation, _ ...graph.Node) error {
	b.operators++
	return nil
}

// TestOnnxGoDecodes: onnx-go, an independent reader that panics on many files, decodes every node of the default exports
// of the ScConv models.
func TestOnnxGoDecodes(t *testing.T) {
	for _, name := range []string{"yolov5s_ScConv.yaml", "yolov5s_ScConv_replace.yaml", "yolov5s_C3ScConv.yaml"} {
		var file bytes.Buffer
		r, err := ysc2onnx.Convert(context.Background(), example(t, name), ysc2onnx.Options{Writer: &file, Height: 64, Width: 96})
		if err != nil {
			t.Fatal(err)
		}
		b := &backend{Graph: simple.NewSimpleGraph()}
		if err := onnx.NewModel(b).UnmarshalBinary(file.Bytes()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if b.operators != r.Nodes {
			t.Errorf("%s: %d operators were decoded of %d", name, b.operators, r.Nodes)
		}
	}
}

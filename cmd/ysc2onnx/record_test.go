package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"ysc2onnx/internal/npz"
	"ysc2onnx/verify"
	"ysc2onnx/verify/engine"
	"ysc2onnx/verify/ort"
)

// record runs a model and writes an archive as verify/parity.py does, so that scripts have something to compare
// with. It is not an oracle: what the comparison is worth is tested in package verify.
func record(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 || len(args) > 3 {
		ts.Fatalf("usage: record MODEL.onnx REF.npz [ERROR]")
	}
	offset := 0.0
	if len(args) == 3 {
		var err error
		offset, err = strconv.ParseFloat(args[2], 32)
		ts.Check(err)
	}
	values, err := evaluate(context.Background(), ts.MkAbs(args[0]), ts.Getenv("ORT_LIB"))
	ts.Check(err)
	for _, v := range values {
		if strings.HasPrefix(v.Name, "output") {
			for i := range v.Floats {
				v.Floats[i] += float32(offset)
			}
		}
	}
	var archive bytes.Buffer
	ts.Check(writeNPZ(&archive, values))
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), archive.Bytes(), 0o600))
}

// evaluate gives a model's input, its outputs and its first layer.
func evaluate(ctx context.Context, path, library string) (values []engine.Tensor, err error) {
	found, err := ort.Find(library)
	if err != nil {
		return nil, err
	}
	rt, err := ort.Open(found)
	if err != nil {
		return nil, err
	}
	facts, err := verify.Structure(ctx, path)
	if err != nil {
		return nil, err
	}
	layer, ok := facts.Value(facts.Layers[0].Value)
	if !ok {
		return nil, fmt.Errorf("%s does not say what layer 0 gives", path)
	}
	session, err := rt.Open(ctx, path, engine.SessionOptions{Expose: []engine.IO{layer}})
	if err != nil {
		return nil, err
	}
	defer func() { _ = session.Close() }()
	input := engine.Tensor{Name: facts.Inputs[0].Name, Shape: facts.Inputs[0].Dims}
	count := int64(1)
	for _, d := range input.Shape {
		count *= d
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range count {
		input.Floats = append(input.Floats, random.Float32())
	}
	outputs, err := session.Run(ctx, []engine.Tensor{input})
	if err != nil {
		return nil, err
	}
	input.Name = "input"
	values = []engine.Tensor{input}
	for _, out := range outputs {
		if out.Name == layer.Name {
			out.Name = "layer.0"
		}
		values = append(values, out)
	}
	return values, nil
}

// writeNPZ writes tensors in NumPy's format.
func writeNPZ(w io.Writer, values []engine.Tensor) error {
	archive := npz.NewWriter(w)
	for _, v := range values {
		if err := archive.Write(v.Name, npz.Array{Shape: v.Shape, Floats: v.Floats}); err != nil {
			return err
		}
	}
	return archive.Close()
}

// Command buildgraph builds a small graph by hand, writes it as an ONNX file and runs it: an edge detector after Sobel
// and Feldman (1968), √(gx² + gy²) of an image of 5x6 pixels.
//
//	go run ./examples/buildgraph edges.onnx
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"ysc2onnx/onnxbuild"
	"ysc2onnx/onnxbuild/onnxfile"
	"ysc2onnx/verify/engine"
	"ysc2onnx/verify/ort"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: buildgraph FILE.onnx")
		os.Exit(2)
	}
	if err := run(context.Background(), os.Stdout, os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "buildgraph:", err)
		os.Exit(1)
	}
}

const height, width = 5, 6

// sobel is the graph: image [1, 1, 5, 6] -> edges [1, 1, 3, 4]. No operator's result is looked at on the way: the first
// error stays with the graph, and TakeErr gives it.
func sobel() (*onnxbuild.Graph, error) {
	g := onnxbuild.New("sobel")
	image := g.Input("image", onnxbuild.Float32, onnxbuild.ShapeOf(1, 1, height, width))

	b := g.Build().In("sobel") // the scope of the nodes' names
	kernels := b.Constant("kernels", onnxbuild.FloatTensor([]int64{2, 1, 3, 3}, []float32{
		-1, 0, 1, -2, 0, 2, -1, 0, 1, // gx
		-1, -2, -1, 0, 0, 0, 1, 2, 1, // gy
	}))
	window := onnxbuild.Window{Kernel: []int64{3, 3}, Stride: []int64{1, 1}, Dilation: []int64{1, 1}}
	gradients := b.Conv(image, kernels, nil, window, 1)
	edges := b.Sqrt(b.ReduceSum(b.Mul(gradients, gradients), 1))

	g.Output("edges", edges)
	err := g.TakeErr()
	return g, err
}

// run writes the graph to path, runs the file on an image whose right half is white, and prints what comes out to w.
func run(ctx context.Context, w io.Writer, path string) (err error) {
	g, err := sobel()
	if err != nil {
		return err
	}
	model, err := g.AtOpset(onnxbuild.DefaultOpset)
	if err != nil {
		return err
	}
	info, err := onnxfile.WriteFile(ctx, path, model, onnxfile.FileOptions{})
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "%s: %d nodes, %d bytes\n", path, len(model.Nodes), info.Size)

	library, err := ort.Find("")
	if err != nil {
		return err
	}
	runtime, err := ort.Open(library)
	if err != nil {
		return err
	}
	session, err := runtime.Open(ctx, path, engine.SessionOptions{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, session.Close()) }()

	image := engine.Tensor{Name: "image", Shape: []int64{1, 1, height, width}}
	for range height {
		image.Floats = append(image.Floats, 0, 0, 0, 1, 1, 1)
	}
	outputs, err := session.Run(ctx, []engine.Tensor{image})
	if err != nil {
		return err
	}
	edges := outputs[0]
	fmt.Fprintf(w, "%s %v\n", edges.Name, edges.Shape)
	for columns := int(edges.Shape[3]); len(edges.Floats) > 0; edges.Floats = edges.Floats[columns:] {
		fmt.Fprintln(w, edges.Floats[:columns])
	}
	return nil
}

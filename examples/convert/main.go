// Command convert turns a YOLOv5 model YAML into an ONNX file with the library, and has ONNX Runtime check it:
//
//	go run ./examples/convert examples/yolov5n.yaml yolov5n.onnx
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"

	"ysc2onnx"
	"ysc2onnx/verify/ort"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: convert MODEL.yaml MODEL.onnx")
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := convert(ctx, os.Stdout, os.Args[1], os.Args[2])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "convert:", err)
		os.Exit(1)
	}
}

// convert writes the model of yamlPath to onnxPath, and to w what it did.
func convert(ctx context.Context, w io.Writer, yamlPath, onnxPath string) error {
	yaml, err := os.Open(yamlPath)
	if err != nil {
		return err
	}
	defer func() { _ = yaml.Close() }() // nothing is lost with a file that was only read

	options := ysc2onnx.Options{Height: 320, Width: 320, Output: onnxPath}

	// The library itself needs no ONNX Runtime: without one, only the file's structure is checked.
	if library, err := ort.Find(""); err != nil {
		fmt.Fprintln(w, "the file will not be run:", err)
	} else if options.Runtime, err = ort.Open(library); err != nil {
		return err
	}

	result, err := ysc2onnx.Convert(ctx, ysc2onnx.Input{Name: yamlPath, YAML: yaml}, options)
	if err != nil { // a *diag.Diagnostics where the YAML is at fault: it prints every mistake with its place
		return err
	}
	if err := result.Warnings.Format(w, false); err != nil {
		return err
	}
	fmt.Fprintf(w, "%s: %d layers, %d parameters, opset %d\n", onnxPath, result.Summary.Layers, result.Summary.Parameters, result.Opset)
	for _, check := range result.Checks.Checks {
		verdict := "ok"
		if !check.OK {
			verdict = "FAILED"
		}
		fmt.Fprintf(w, "%-9s %s  %s\n", check.Name, verdict, check.Detail)
	}
	if !result.Checks.OK() {
		return errors.New(onnxPath + " was written, but it is wrong")
	}
	return nil
}

// Command go finds objects in a picture with this project's library:
//
//	go run ./examples/deploy/go MODEL.onnx PICTURE                  prints them as JSON
//	go run ./examples/deploy/go MODEL.onnx --tensor INPUT OUTPUT    runs the model alone: float32 values, little-endian, in files
package main

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"ysc2onnx/detect"
	"ysc2onnx/verify/engine"
	"ysc2onnx/verify/ort"
)

func main() {
	args := os.Args[1:]
	var err error
	switch {
	case len(args) == 2 && args[1] != "--tensor":
		err = objects(context.Background(), args[0], args[1])
	case len(args) == 4 && args[1] == "--tensor":
		err = tensor(context.Background(), args[0], args[2], args[3])
	default:
		fmt.Fprintln(os.Stderr, "usage: go MODEL.onnx PICTURE\n       go MODEL.onnx --tensor INPUT OUTPUT")
		os.Exit(2)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "go:", err)
		os.Exit(1)
	}
}

// runtime is the ONNX Runtime that `ysc2onnx runtime install` got, or one that the system has.
func runtime() (engine.Runtime, error) {
	library, err := ort.Find("")
	if err != nil {
		return nil, err
	}
	return ort.Open(library)
}

// objects prints the objects in a picture.
func objects(ctx context.Context, model, picture string) error {
	rt, err := runtime()
	if err != nil {
		return err
	}
	detector, err := detect.Open(ctx, rt, model, detect.DefaultOptions())
	if err != nil {
		return err
	}
	defer func() { _ = detector.Close() }() // nothing is lost with it

	file, err := os.Open(picture)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }() // it was only read
	pixels, _, err := detect.Decode(file)
	if err != nil {
		return fmt.Errorf("%s: %w", picture, err)
	}
	result, err := detector.Detect(ctx, pixels)
	if err != nil {
		return err
	}
	text, err := json.MarshalIndent(result.Detections, "", " ")
	if err != nil {
		return err
	}
	fmt.Println(string(text))
	return nil
}

// tensor writes output0 for the values of images, [1, 3, height, width].
func tensor(ctx context.Context, model, input, output string) error {
	rt, err := runtime()
	if err != nil {
		return err
	}
	session, err := rt.Open(ctx, model, engine.SessionOptions{})
	if err != nil {
		return err
	}
	defer func() { _ = session.Close() }()

	images := engine.Tensor{Name: "images", Shape: session.Inputs()[0].Dims}
	data, err := os.ReadFile(input)
	if err != nil {
		return err
	}
	images.Floats = make([]float32, len(data)/4)
	if _, err := binary.Decode(data, binary.LittleEndian, images.Floats); err != nil {
		return err
	}
	results, err := session.Run(ctx, []engine.Tensor{images})
	if err != nil {
		return err
	}
	file, err := os.Create(output)
	if err != nil {
		return err
	}
	return errors.Join(binary.Write(file, binary.LittleEndian, results[0].Floats), file.Close())
}

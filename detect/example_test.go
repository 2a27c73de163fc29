package detect_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"

	"ysc2onnx/detect"
	"ysc2onnx/verify/ort"
)

// Find the objects in a picture. It is compiled, and not run: best.onnx and bus.jpg stand for files of your own.
func Example() {
	if err := find(context.Background(), "best.onnx", "bus.jpg"); err != nil {
		log.Fatal(err)
	}
}

func find(ctx context.Context, model, path string) (err error) {
	library, err := ort.Find("")
	if err != nil {
		return err
	}
	runtime, err := ort.Open(library)
	if err != nil {
		return err
	}
	detector, err := detect.Open(ctx, runtime, model, detect.DefaultOptions())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, detector.Close()) }()

	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	picture, _, err := detect.Decode(file)
	if err != nil {
		return err
	}
	found, err := detector.Detect(ctx, picture)
	if err != nil {
		return err
	}
	for _, d := range found.Detections {
		fmt.Printf("%s %.2f at %.0f\n", d.Name, d.Score, d.Box)
	}
	return nil
}

package detect_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"ysc2onnx/detect"
	"ysc2onnx/verify/ort"
)

// Find the objects in a picture. It is compiled, and not run: best.onnx and bus.jpg stand for files of your own.
func Example() {
	library, err := ort.Find("")
	if err != nil {
		log.Fatal(err)
	}
	runtime, err := ort.Open(library)
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	detector, err := detect.Open(ctx, runtime, "best.onnx", detect.DefaultOptions())
	if err != nil {
		log.Fatal(err)
	}
	defer detector.Close()

	file, err := os.Open("bus.jpg")
	if err != nil {
		log.Fatal(err)
	}
	defer file.Close()
	picture, _, err := detect.Decode(file)
	if err != nil {
		log.Fatal(err)
	}
	found, err := detector.Detect(ctx, picture)
	if err != nil {
		log.Fatal(err)
	}
	for _, d := range found.Detections {
		fmt.Printf("%s %.2f at %.0f\n", d.Name, d.Score, d.Box)
	}
}

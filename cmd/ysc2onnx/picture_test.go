package main

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"strconv"

	"github.com/rogpeppe/go-internal/testscript"
)

// drawPicture writes a picture of a size, JPEG or PNG by its ending, for scripts.
func drawPicture(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: picture FILE WIDTH HEIGHT")
	}
	width, err := strconv.Atoi(args[1])
	ts.Check(err)
	height, err := strconv.Atoi(args[2])
	ts.Check(err)
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			img.SetRGBA(x, y, color.RGBA{uint8(5 * x), uint8(7 * y), uint8(x * y), 0xff})
		}
	}
	var file bytes.Buffer
	if filepath.Ext(args[0]) == ".png" {
		ts.Check(png.Encode(&file, img))
	} else {
		ts.Check(jpeg.Encode(&file, img, nil))
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), file.Bytes(), 0o600))
}

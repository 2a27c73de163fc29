//go:build peers

package peers

import (
	"context"
	"encoding/binary"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"ysc2onnx/onnxbuild"
	"ysc2onnx/onnxbuild/onnxfile"
)

// writeByHand writes a model that gives the same eight rows for every picture, and a picture of 64x32 pixels. In the model's
// input of 32x32 it is half as large and begins 8 pixels below the top. Returned are the objects that there have to be,
// worked out by hand: a dropped box drops no other, classes do not hide each other, corners stay in the picture, and
// what only reaches a confidence of 25 % is none. The names have all that Python quotes in its own ways.
func writeByHand(t *testing.T, folder string) (model, picture string, objects []object) {
	t.Helper()
	rows := []float32{ // centre, size, objectness, three classes
		10, 16, 8, 8, 0.9, 0.9, 0.1, 0.1, // x from 6 to 14, y from 12 to 20: 0.81
		13, 16, 8, 8, 0.8, 0.9, 0.1, 0.1, // 3 further on: 40 pixels of 88 are common to both, 0.4545, so dropped
		6.5, 16, 8, 8, 0.5, 0.9, 0.1, 0.1, // 3.5 before the first: 36 of 92, 0.39
		16, 16, 8, 8, 0.6, 0.9, 0.1, 0.1, // 3 behind the second, which is not there; 16 of 112 with the first
		10, 16, 8, 8, 0.9, 0.1, 0.8, 0.1, // the first one's place, another class
		16, 24, 8, 8, 0.24, 1, 0, 0, // too little objectness
		24, 24, 8, 8, 0.5, 0.1, 0.1, 0.5, // 0.25 is not over 0.25
		1, 8, 6, 8, 0.7, 0.1, 0.1, 0.8, // x from -2 to 4, y from 4 to 12
	}
	objects = []object{
		{0, "it's", 0.81, [4]float64{12, 8, 28, 24}},
		{1, `a "b"`, 0.72, [4]float64{12, 8, 28, 24}},
		{2, `列\车`, 0.56, [4]float64{0, 0, 8, 8}},
		{0, "it's", 0.54, [4]float64{24, 8, 40, 24}},
		{0, "it's", 0.45, [4]float64{5, 8, 21, 24}},
	}

	const side, columns = 32, 8
	count := int64(len(rows))
	g := onnxbuild.New("byhand")
	g.Properties = []onnxbuild.Property{
		{Key: "stride", Value: "32"}, {Key: "imgsz", Value: "[32, 32]"}, {Key: "names", Value: `{0: "it's", 1: 'a "b"', 2: '列\\车'}`},
	}
	images := g.Input("images", onnxbuild.Float32, onnxbuild.ShapeOf(1, 3, side, side))
	b := g.Build().In("model")
	nothing := b.Constant("weight", onnxbuild.FloatTensor([]int64{count, 3, side, side}, make([]float32, count*3*side*side)))
	bias := b.Constant("bias", onnxbuild.FloatTensor([]int64{count}, rows))
	window := onnxbuild.Window{Kernel: []int64{side, side}, Stride: []int64{1, 1}, Dilation: []int64{1, 1}}
	shape := b.Constant("shape", onnxbuild.IntTensor([]int64{3}, []int64{1, count / columns, columns}))
	g.Output("output0", b.Reshape(b.Conv(images, nothing, bias, window, 1), shape))
	if err := g.TakeErr(); err != nil {
		t.Fatal(err)
	}
	written, err := g.AtOpset(onnxbuild.DefaultOpset)
	if err != nil {
		t.Fatal(err)
	}
	model = filepath.Join(folder, "byhand.onnx")
	if _, err := onnxfile.WriteFile(context.Background(), model, written, onnxfile.FileOptions{}); err != nil {
		t.Fatal(err)
	}

	picture = filepath.Join(folder, "byhand.png")
	file, err := os.Create(picture)
	if err != nil {
		t.Fatal(err)
	}
	if err := png.Encode(file, image.NewRGBA(image.Rect(0, 0, 2*side, side))); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	return model, picture, objects
}

// turn writes a photograph that is to be turned by a quarter when it is shown, as its EXIF data says.
func turn(t *testing.T, photograph, path string) {
	t.Helper()
	data, err := os.ReadFile(photograph)
	if err != nil {
		t.Fatal(err)
	}
	exif := []byte("Exif\x00\x00MM\x00*\x00\x00\x00\x08" + // TIFF, its first directory at byte 8
		"\x00\x01" + "\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00" + // one entry: Orientation, a short, is 6
		"\x00\x00\x00\x00") // no other directory
	out := append([]byte{}, data[:2]...)
	out = append(out, 0xff, 0xe1)
	out = binary.BigEndian.AppendUint16(out, uint16(len(exif)+2))
	out = append(append(out, exif...), data[2:]...)
	if err := os.WriteFile(path, out, 0o644); err != nil {
		t.Fatal(err)
	}
}

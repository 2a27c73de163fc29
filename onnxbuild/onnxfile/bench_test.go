package onnxfile_test

import (
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"ysc2onnx/onnxbuild"
	"ysc2onnx/onnxbuild/onnxfile"
)

// ramp is a FloatSource that costs as good as nothing, so that the writer is what is measured.
type ramp struct{}

func (ramp) ReadFloats(dst []float32, off int64) error {
	x := float32(off)
	for i := range dst {
		dst[i] = x
	}
	return nil
}

// BenchmarkWrite writes 350 MB in 100 tensors. ratio is its best time over the best of a plain copy of the same file,
// made in turn with it: the best, since the system writes to the disk when it likes.
func BenchmarkWrite(b *testing.B) {
	lengths := make([]int64, 100)
	for i := range lengths {
		lengths[i] = 875_000
	}
	w := sum(source{}, lengths...)
	for _, v := range w.Initializers {
		if v.DType == onnxbuild.Float32 {
			v.Const.Floats = ramp{}
		}
	}
	dir := b.TempDir()
	path := filepath.Join(dir, "model.onnx")
	info := write(b, path, w, onnxfile.FileOptions{})
	b.SetBytes(info.Size)
	b.ReportAllocs()
	ours, plain := time.Hour, time.Hour
	for b.Loop() {
		remove(b, path)
		start := time.Now()
		write(b, path, w, onnxfile.FileOptions{})
		ours = min(ours, time.Since(start))

		b.StopTimer()
		start = time.Now()
		copyFile(b, path, filepath.Join(dir, "copy.onnx"))
		plain = min(plain, time.Since(start))
		remove(b, filepath.Join(dir, "copy.onnx"))
		b.StartTimer()
	}
	b.ReportMetric(ours.Seconds()/plain.Seconds(), "ratio")
}

// copyFile copies through memory, as programs do where the file system does not share blocks, to a new file.
func copyFile(b *testing.B, from, to string) {
	b.Helper()
	in, err := os.Open(from)
	if err != nil {
		b.Fatal(err)
	}
	out, err := os.Create(to)
	if err != nil {
		b.Fatal(err)
	}
	buf := make([]byte, 1<<20)
	if _, err := io.CopyBuffer(struct{ io.Writer }{out}, struct{ io.Reader }{in}, buf); err != nil {
		b.Fatal(err)
	}
	for _, f := range []*os.File{in, out} {
		if err := f.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// remove makes room for the next round: both write a new file, since to replace one costs more.
func remove(b *testing.B, path string) {
	b.Helper()
	if err := os.Remove(path); err != nil {
		b.Fatal(err)
	}
}

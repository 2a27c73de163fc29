package verify

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ysc2onnx/internal/npz"
	"ysc2onnx/verify/engine"
)

// archived is an archive of arrays under these names.
func archived(t *testing.T, names []string, arrays ...npz.Array) []byte {
	t.Helper()
	var file bytes.Buffer
	w := npz.NewWriter(&file)
	for i, name := range names {
		if err := w.Write(name, arrays[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

// TestNPZNamesItsFile: an array that cannot be read is named with its archive.
func TestNPZNamesItsFile(t *testing.T) {
	const path = "../internal/npz/testdata/fortran.npz"
	z, err := OpenNPZ(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = z.Close() }()
	want := path + `: array "a": the array is in Fortran order; save it with numpy.ascontiguousarray`
	if _, err := z.Read("a"); err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

// TestNPZRounding: an array that says how far another one is from float64 is part of it, and no value of its own.
func TestNPZRounding(t *testing.T) {
	half, tiny := npz.Array{Shape: []int64{2}, Floats: []float32{0.5, 2}}, npz.Array{Shape: []int64{2}, Floats: []float32{1.0 / (1 << 28), -1.0 / (1 << 28)}}
	data := archived(t, []string{"layer.0", "layer.0.rounding", "lone.rounding", "layer.1"}, half, tiny, tiny, half)
	z, err := NewNPZ(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"layer.0", "lone.rounding", "layer.1"}, z.Names()); diff != "" {
		t.Error(diff)
	}
	got, err := z.Read("layer.0")
	if diff := cmp.Diff(engine.Tensor{Name: "layer.0", Shape: []int64{2}, Floats: []float32{0.5, 2}, Exact: []float64{0.5 + 1.0/(1<<28), 2 - 1.0/(1<<28)}}, got); err != nil || diff != "" {
		t.Error(err, diff)
	}
	if got, err := z.Read("layer.1"); err != nil || got.Exact != nil {
		t.Error(err, got)
	}
	data = archived(t, []string{"layer.0", "layer.0.rounding"}, half, npz.Array{Shape: []int64{1}, Floats: []float32{0}})
	if z, err = NewNPZ(bytes.NewReader(data), int64(len(data))); err != nil {
		t.Fatal(err)
	}
	want := `array "layer.0": its layer.0.rounding.npy has the shape 1; 2 of floating-point numbers was expected`
	if _, err := z.Read("layer.0"); err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

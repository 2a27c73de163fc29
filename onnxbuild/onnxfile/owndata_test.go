package onnxfile

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

func readModel(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestDataOf reads of files that ONNX's own package wrote who made them, and where their elements are.
func TestDataOf(t *testing.T) {
	isSample := func(name string) bool { return name == "sample.data" }
	for name, want := range map[string]string{"sample.onnx": "", "outside.onnx": "sample.data"} {
		b := readModel(t, name)
		producer, location, err := dataOf(bytes.NewReader(b), int64(len(b)), isSample)
		if producer != Producer || location != want || err != nil {
			t.Errorf("%s is by %q, its data in %q, %v", name, producer, location, err)
		}
	}
	b := readModel(t, "outside.onnx")
	if _, _, err := dataOf(bytes.NewReader(b), int64(len(b))-1, isSample); err == nil {
		t.Error("a file that was cut off is read")
	}
}

func FuzzDataOf(f *testing.F) {
	f.Add(readModel(f, "sample.onnx"))
	f.Add(readModel(f, "outside.onnx"))
	f.Fuzz(func(t *testing.T, b []byte) {
		_, location, err := dataOf(bytes.NewReader(b), int64(len(b)), func(name string) bool { return isDataName(name, "m.onnx") })
		if err == nil && location != "" && !isDataName(location, "m.onnx") {
			t.Errorf("the data is in %q", location)
		}
	})
}

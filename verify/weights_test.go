package verify

import (
	"context"
	"encoding/binary"
	"errors"
	"math"
	"os"
	"path/filepath"
	"testing"

	"ysc2onnx/verify/engine"
	"ysc2onnx/verify/internal/tiny"
)

// floatBytes encodes as the file has it.
func floatBytes(list ...float32) []byte {
	var b []byte
	for _, f := range list {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(f))
	}
	return b
}

// held is a Weight with its bytes in memory.
func held(name string, t engine.DType, dims []int64, data []byte) Weight {
	return Weight{name, t, dims, func(dst []byte, off int64, _ []float32) error {
		copy(dst, data[off*t.Size():])
		return nil
	}}
}

// TestWeights compares initializers in the file and beside it, of more than one block, and names the first wrong element.
func TestWeights(t *testing.T) {
	dir := t.TempDir()
	large := make([]float32, 3*weightBlock/4+5)
	for i := range large {
		large[i] = float32(i)
	}
	rows := int64(len(large))
	beside := append([]byte("four"), floatBytes(1, 2, 3)...)
	path := filepath.Join(dir, "m.onnx")
	write(t, filepath.Join(dir, "m.data"), beside)
	write(t, path, tiny.Model{
		Inputs:  []tiny.Value{{Name: "x", Type: 1, Dims: []any{1}}},
		Outputs: []tiny.Value{{Name: "y", Type: 1, Dims: []any{1}}},
		Nodes:   []tiny.Node{{Op: "Fake", In: []string{"x", "large", "ints", "outside", "listed"}, Out: []string{"y"}}},
		Weights: []tiny.Weight{
			{Name: "large", Dims: []int64{rows, 1}, Floats: large},
			{Name: "ints", Type: int64(engine.Int64), Dims: []int64{2}, Raw: binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(nil, 7), 1<<40)},
			{Name: "outside", Dims: []int64{3}, Place: map[string]string{"location": "m.data", "offset": "4", "length": "12"}},
			{Name: "half", Type: int64(engine.Float16), Dims: []int64{1}, Raw: []byte{0, 0x3c}},
			{Name: "listed", Dims: []int64{1}, Ints: []int64{1}},
		},
	}.Bytes())
	facts, err := Structure(context.Background(), path)
	if err != nil {
		t.Fatal(err)
	}
	weights := func() []Weight {
		return []Weight{
			held("large", engine.Float32, []int64{rows, 1}, floatBytes(large...)),
			held("ints", engine.Int64, []int64{2}, binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(nil, 7), 1<<40)),
			held("outside", engine.Float32, []int64{3}, floatBytes(1, 2, 3)),
			held("half", engine.Float16, []int64{1}, []byte{0, 0x3c}),
		}
	}
	facts.Initializers = 4 // all but the one that is not stored as bytes
	if err := compareWeights(context.Background(), path, facts, weights()); err != nil {
		t.Errorf("equal weights: %v", err)
	}
	for name, test := range map[string]struct {
		spoil func(w []Weight) []Weight
		want  string
	}{
		"two elements of a large one": {func(w []Weight) []Weight {
			wrong := floatBytes(large...)
			wrong[4*70_000] ^= 1
			wrong[4*190_000] ^= 1
			w[0] = held("large", engine.Float32, []int64{rows, 1}, wrong)
			return w
		}, `initializer "large": element [70000, 0] is 70000 in the file, but 70000.01 was computed`},
		"an integer": {func(w []Weight) []Weight {
			w[1] = held("ints", engine.Int64, []int64{2}, binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(nil, 7), 3))
			return w
		}, `initializer "ints": element [1] is 1099511627776 in the file, but 3 was computed`},
		"beside the model": {func(w []Weight) []Weight {
			w[2] = held("outside", engine.Float32, []int64{3}, floatBytes(1, -2, 3))
			return w
		}, `initializer "outside": element [1] is 2 in the file, but -2 was computed`},
		"a half": {func(w []Weight) []Weight {
			w[3] = held("half", engine.Float16, []int64{1}, []byte{1, 0x3c})
			return w
		}, `initializer "half": element [0] is 0x003c in the file, but 0x013c was computed`},
		"another shape": {func(w []Weight) []Weight { w[2].Dims = []int64{1, 3}; return w }, `initializer "outside": the file does not have it as float32 1x3`},
		"another type":  {func(w []Weight) []Weight { w[2].DType = engine.Int32; return w }, `initializer "outside": the file does not have it as int32 3`},
		"another name":  {func(w []Weight) []Weight { w[2].Name = "inside"; return w }, `initializer "inside": the file does not have it as float32 3`},
		"in a list of numbers": {func(w []Weight) []Weight {
			w[2].Name, w[2].Dims = "listed", []int64{1}
			return w
		}, `initializer "listed": the file does not have it as float32 1`},
		"too few": {func(w []Weight) []Weight { return w[:3] }, "the file has 4 initializers, expected 3"},
		"a recipe that fails": {func(w []Weight) []Weight {
			w[1].Encode = func([]byte, int64, []float32) error { return errors.New("the checkpoint is gone") }
			return w
		}, `initializer "ints": the checkpoint is gone`},
	} {
		t.Run(name, func(t *testing.T) {
			if err := compareWeights(context.Background(), path, facts, test.spoil(weights())); err == nil || err.Error() != test.want {
				t.Errorf("got  %v\nwant %s", err, test.want)
			}
		})
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := compareWeights(ctx, path, facts, weights()); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if err := os.Remove(filepath.Join(dir, "m.data")); err != nil {
		t.Fatal(err)
	}
	if err := compareWeights(context.Background(), path, facts, weights()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("without the data file: %v", err)
	}
}

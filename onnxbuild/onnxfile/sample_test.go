package onnxfile_test

import (
	"bytes"
	"context"
	"math"
	"os"
	"path/filepath"
	"testing"

	"ysc2onnx/onnxbuild"
	"ysc2onnx/onnxbuild/onnxfile"
	"ysc2onnx/verify"
)

// sample is the graph of testdata/record.py.
func sample() *onnxbuild.Written {
	height := onnxbuild.Sym(onnxbuild.Symbol{Name: "height", Unit: 32})
	eighth, _ := height.FloorDiv(8)
	g := onnxbuild.New("sample")
	g.Input("x", onnxbuild.Float32, onnxbuild.Shape{onnxbuild.D(1), eighth, onnxbuild.D(4)})
	g.Outputs = []*onnxbuild.Value{
		{Name: "y", DType: onnxbuild.Float32},
		{Name: "z", DType: onnxbuild.Int64, Shape: onnxbuild.ShapeOf(2)},
	}
	g.Properties = []onnxbuild.Property{{Key: "stride", Value: "32"}, {Key: "names", Value: "{0: 'Größe'}"}}
	b := g.Build()
	floats := make([]float32, 512)
	for i := range floats {
		floats[i] = float32(i)*0.5 - 3
	}
	return &onnxbuild.Written{
		Graph: g, Opset: 17, IRVersion: 8,
		Nodes: []onnxbuild.WireNode{
			{
				Op: "Shape", Name: "/m/first", Inputs: []string{"x", "", "big"}, Outputs: []string{"a"},
				Attrs: []onnxbuild.Attr{
					{Name: "axes", Value: []int64{1, -2, 300}}, {Name: "factor", Value: float32(0.25)},
					{Name: "mode", Value: "nearest"}, {Name: "rates", Value: []float32{0.5, -1.5}},
					{Name: "start", Value: int64(-7)},
				},
			},
			{Op: "Mix", Name: "/m/second", Inputs: []string{"a", "one", "counts", "flags"}, Outputs: []string{"y", "z"}},
		},
		Initializers: []*onnxbuild.Value{
			b.Initializer("big", onnxbuild.FloatTensor([]int64{8, 64}, floats)),
			b.Initializer("one", onnxbuild.FloatTensor(nil, []float32{1.5})),
			b.Initializer("counts", onnxbuild.IntTensor([]int64{3}, []int64{-1, 2, 1 << 40})),
			b.Initializer("flags", &onnxbuild.Tensor{DType: onnxbuild.Bool, Shape: []int64{2}, Ints: []int64{1, 0}}),
		},
		Inner: []onnxbuild.InnerValue{
			{Name: "a", Type: onnxbuild.Type{DType: onnxbuild.Bool, Shape: onnxbuild.Shape{onnxbuild.D(2), eighth}}},
		},
	}
}

// source is a FloatSource whose element i is seed + i modulo 2^20, with a hook that may stop it.
type source struct {
	seed int64
	hook func(off int64) error
}

func (s source) ReadFloats(dst []float32, off int64) error {
	if s.hook != nil {
		if err := s.hook(off); err != nil {
			return err
		}
	}
	for i := range dst {
		dst[i] = float32((s.seed + off + int64(i)) & (1<<20 - 1))
	}
	return nil
}

// sum is a model that adds tensors of the given lengths, with elements from sources, to its input and to each other.
func sum(src source, lengths ...int64) *onnxbuild.Written {
	g := onnxbuild.New("sum")
	b := g.Build()
	v := g.Input("x", onnxbuild.Float32, onnxbuild.ShapeOf(1))
	for _, n := range lengths {
		v = b.Add(v, b.Constant("w", &onnxbuild.Tensor{DType: onnxbuild.Float32, Shape: []int64{n, 1}, Floats: src}))
		v = b.ReduceSum(v, 0)
	}
	g.Output("y", v)
	if err := g.TakeErr(); err != nil {
		panic(err)
	}
	w, err := g.AtOpset(17)
	if err != nil {
		panic(err)
	}
	return w
}

func recorded(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// written is both files of a model.
func written(t testing.TB, w *onnxbuild.Written, opts onnxfile.Options) (model, data []byte) {
	t.Helper()
	l, err := onnxfile.Plan(w, opts)
	if err != nil {
		t.Fatal(err)
	}
	var m, d bytes.Buffer
	if err := l.Write(context.Background(), &m, &d, nil); err != nil {
		t.Fatal(err)
	}
	if l.Size() != int64(m.Len()) || l.DataSize() != int64(d.Len()) {
		t.Errorf("planned %d and %d bytes, wrote %d and %d", l.Size(), l.DataSize(), m.Len(), d.Len())
	}
	return m.Bytes(), d.Bytes()
}

// initializer is one that was read from a file, by the reader of package verify, which shares no code with the writer.
type initializer struct {
	name string
	verify.Stored
}

// initializers reads those of a model, in order. Its data file may be of any size.
func initializers(t testing.TB, model []byte) (list []initializer) {
	t.Helper()
	anySize := func(string) (int64, error) { return math.MaxInt64, nil }
	facts, err := verify.StructureReader(t.Context(), bytes.NewReader(model), int64(len(model)), anySize)
	if err != nil || !facts.OK() {
		t.Fatal(err, facts.Err())
	}
	for _, name := range facts.Tensors() {
		stored, _ := facts.Stored(name)
		list = append(list, initializer{name, stored})
	}
	return list
}

package passes_test

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"ysc2onnx/onnxbuild"
	"ysc2onnx/onnxbuild/passes"
)

// watched is a source that counts how often it is read, and may be broken.
type watched struct {
	onnxbuild.FloatSource
	reads int
	err   error
}

func (w *watched) ReadFloats(dst []float32, off int64) error {
	w.reads++
	if w.err != nil {
		return w.err
	}
	return w.FloatSource.ReadFloats(dst, off)
}

// folded builds a Conv of two channels and a BatchNormalization of the given variance, folds them and returns the
// initializers, of which weight and bias are first, and the sources that they read.
func folded(t *testing.T, variance ...float32) (weight, bias *onnxbuild.Value, sources []*watched) {
	t.Helper()
	g := onnxbuild.New("test")
	b := bench{g.Build()}
	watch := func(name string, shape []int64, elements ...float32) *onnxbuild.Value {
		tensor := onnxbuild.FloatTensor(shape, elements)
		w := &watched{FloatSource: tensor.Floats}
		tensor.Floats = w
		sources = append(sources, w)
		return b.Initializer(name, tensor)
	}
	two := []int64{2}
	x := b.Conv(b.in(1, 3, 4, 4), watch("a.weight", []int64{2, 3, 1, 1}, 1, 2, 3, 4, 5, 6), nil, square(1, 1, 0), 1)
	b.out(b.BatchNormalization(x, watch("scale", two, 2, 3), watch("shift", two, 0.5, -1), watch("mean", two, 10, 20), watch("variance", two, variance...), 0))
	if err := g.TakeErr(); err != nil {
		t.Fatal(err)
	}
	if err := passes.FoldBatchNorm(g); err != nil {
		t.Fatal(err)
	}
	list := g.Initializers()
	if len(list) != 2 || list[0].Name != "a.weight" || list[1].Name != "a.bias" {
		t.Fatalf("%d initializers are left", len(list))
	}
	return list[0], list[1], sources
}

// TestFoldedRecipe: nothing is read before an element is asked for; then all elements are those of the formula, whichever
// way they are cut, and the parameters are read once.
func TestFoldedRecipe(t *testing.T) {
	weight, bias, sources := folded(t, 4, 0.25)
	for _, s := range sources {
		if s.reads != 0 {
			t.Fatal("a weight was read while the graph was folded")
		}
	}
	want := []float32{1, 2, 3, 24, 30, 36} // factors 2/√4 = 1 and 3/√0.25 = 6
	r := rand.New(rand.NewPCG(1, 1))
	for range 100 {
		from := r.IntN(6)
		to := from + r.IntN(7-from)
		got := make([]float32, to-from)
		if err := weight.Const.Floats.ReadFloats(got, int64(from)); err != nil || !slices.Equal(got, want[from:to]) {
			t.Fatalf("elements %d to %d are %v, %v; want %v", from, to, got, err, want[from:to])
		}
	}
	got, err := bias.Const.ReadAll()
	if want := []float32{0.5 - 10, -1 - 120}; err != nil || !slices.Equal(got, want) {
		t.Errorf("the bias is %v, %v; want %v", got, err, want)
	}
	for i, s := range sources[1:] {
		if s.reads != 1 {
			t.Errorf("parameter %d of the normalisation was read %d times", i, s.reads)
		}
	}
}

func TestFoldedRecipeErrors(t *testing.T) {
	for _, variance := range [][]float32{{1, -1}, {1, 0}} {
		weight, bias, _ := folded(t, variance...)
		for _, v := range []*onnxbuild.Value{weight, bias} {
			_, err := v.Const.ReadAll()
			want := "/BatchNormalization: channel 1 has the variance " + map[float32]string{-1: "-1", 0: "0"}[variance[1]] + ": its sum with epsilon must be positive"
			if err == nil || err.Error() != want {
				t.Errorf("got %v, want %s", err, want)
			}
		}
	}
	gone := errors.New("it is gone")
	for i, want := range []string{"it is gone", "/BatchNormalization: scale: it is gone", "/BatchNormalization: bias: it is gone",
		"/BatchNormalization: mean: it is gone", "/BatchNormalization: variance: it is gone"} {
		weight, _, sources := folded(t, 4, 0.25)
		sources[i].err = gone
		if _, err := weight.Const.ReadAll(); !errors.Is(err, gone) || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// TestRunFailsOnUnreadableConstants, and names them.
func TestRunFailsOnUnreadableConstants(t *testing.T) {
	g := onnxbuild.New("test")
	b := bench{g.Build()}
	broken := &watched{err: errors.New("it is gone")}
	b.out(b.Relu(b.Initializer("model.0.weight", &onnxbuild.Tensor{DType: onnxbuild.Float32, Shape: []int64{3}, Floats: broken})))
	want := "pass share-initializers: model.0.weight: it is gone"
	if err := passes.Run(g); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

package heads_test

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ysc2onnx/heads"
	"ysc2onnx/internal/npz"
	"ysc2onnx/modules"
	"ysc2onnx/onnxbuild"
	"ysc2onnx/onnxbuild/reference"
	"ysc2onnx/yamlcfg"
)

// recorded is what testdata/record.py wrote: maps, and what PyTorch decodes from them.
type recorded struct {
	x, want  npz.Array
	anchors  [][]float32
	strides  []int64
	classes  int
	masks    int
	landmark int // columns of landmarks
}

func read(t *testing.T, path string) (r recorded) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }() // it was only read
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	archive, err := npz.New(f, info.Size())
	if err != nil {
		t.Fatal(err)
	}
	array := func(name string) npz.Array {
		a, err := archive.Read(name)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	r.x, r.want = array("x"), array("output0")
	r.anchors = slices.Collect(slices.Chunk(array("anchors").Floats, 4))
	r.strides = array("strides").Ints
	counts := array("counts").Ints
	r.classes, r.masks, r.landmark = int(counts[0]), int(counts[1]), int(counts[2])
	return r
}

// Class is a class of its own.
func (r *recorded) Class() *modules.Class { return &modules.Class{Path: "test.Maps"} }

// Forward gives the recorded maps: the image, times 1 so that it is a value of its own, and a part of it.
func (r *recorded) Forward(s *modules.Scope, inputs []*onnxbuild.Value) *modules.Raw {
	part := s.Slice(s.Slice(inputs[0], 2, 1, 4), 3, 2, 8)
	return &modules.Raw{
		Maps: []*onnxbuild.Value{s.Mul(inputs[0], s.Scalar("one", 1)), part}, Anchors: r.anchors, Strides: r.strides, Classes: r.classes, Masks: r.masks, Landmarks: r.landmark,
	}
}

// TestDecodedIsPyTorchs decodes the recorded maps, of fixed and of open sizes, by the operators' definitions in float64.
func TestDecodedIsPyTorchs(t *testing.T) {
	for name, meaning := range map[string]string{
		"detect":    "boxes 4, objectness 1, scores 3 along axis 2",
		"segment":   "boxes 4, objectness 1, scores 3, masks 4 along axis 2",
		"landmarks": "boxes 4, objectness 1, landmarks 10, scores 3 along axis 2",
	} {
		for _, open := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, open sizes %t", name, open), func(t *testing.T) {
				r := read(t, filepath.Join("testdata", name+".npz"))
				model := lower(t, &r, open, heads.Decoded)
				if got := model.Outputs[0].String(); got != meaning {
					t.Errorf("output0 is %s, want %s", got, meaning)
				}
				got := run(t, model.Graph, r.x)
				if !slices.Equal(got.Shape, r.want.Shape) {
					t.Fatalf("the shape is %v, want %v", got.Shape, r.want.Shape)
				}
				for i, want := range r.want.Floats { // rounded to float32, 6e-8 of itself
					if want := float64(want); math.Abs(got.Data[i]-want) > 1e-7*max(1, math.Abs(want)) {
						columns := int(r.want.Shape[2])
						t.Fatalf("row %d, column %d: got %g, want %g", i/columns, i%columns, got.Data[i], want)
					}
				}
			})
		}
	}
}

// lower makes the graph of a model that is nothing but the recorded maps, decoded.
func lower(t *testing.T, r *recorded, open bool, stage modules.Stage) *modules.Model {
	t.Helper()
	registry := modules.NewRegistry()
	err := registry.Add(modules.Spec{
		Name: "Maps", Class: r.Class(), Wiring: modules.Ends, Doc: "the recorded maps", Head: func(*modules.Args) modules.Head { return r },
	})
	if err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf("nc: %d\nch: %d\ndepth_multiple: 1.0\nwidth_multiple: 1.0\nanchors: 2\nbackbone: []\nhead: [[[-1], 1, Maps, []]]\n", r.classes, r.x.Shape[1])
	cfg, diags := yamlcfg.Parse("maps.yaml", strings.NewReader(text))
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	net, diags := modules.Parse(cfg, modules.ParseOptions{Registry: registry})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	opt := modules.Options{Weights: modules.Seeded(0), Stage: stage}
	for i, d := range []*onnxbuild.Dim{&opt.Batch, nil, &opt.Height, &opt.Width} {
		switch {
		case d == nil:
		case open:
			*d = onnxbuild.Sym(onnxbuild.Symbol{Name: []string{"batch", "", "height", "width"}[i], Unit: []int64{1, 0, 6, 10}[i]})
		default:
			*d = onnxbuild.D(r.x.Shape[i])
		}
	}
	model, diags := modules.Lower(context.Background(), net, opt)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return model
}

// run computes output0, or other outputs.
func run(t *testing.T, g *onnxbuild.Graph, x npz.Array) *reference.Array {
	t.Helper()
	return runAll(t, g, x, "output0")["output0"]
}

func runAll(t *testing.T, g *onnxbuild.Graph, x npz.Array, names ...string) map[string]*reference.Array {
	t.Helper()
	image := &reference.Array{DType: onnxbuild.Float32, Shape: x.Shape}
	for _, v := range x.Floats {
		image.Data = append(image.Data, float64(v))
	}
	values, err := reference.Run(context.Background(), g, map[string]*reference.Array{"images": image}, names)
	if err != nil {
		t.Fatal(err)
	}
	return values
}

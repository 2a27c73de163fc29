package ysc2onnx_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ysc2onnx"
	"ysc2onnx/internal/pipeline"
	"ysc2onnx/modules"
	"ysc2onnx/onnxbuild"
	"ysc2onnx/onnxbuild/passes"
	"ysc2onnx/onnxbuild/reference"
	"ysc2onnx/verify"
	"ysc2onnx/verify/engine"
	"ysc2onnx/verify/ort/orttest"
)

// oneWeight are the models in which single weights are changed, and the convolutions whose largest weight need not be found,
// since the layer shows no more of it than of rounding: PyTorch in float64 says that no channel of the layer moves by more than
// 1e-4 of the layer's root mean square, and five times what its float32 is off there is as much.
var oneWeight = []struct {
	pt, recording string // without a recording: the reference interpreter's values
	hidden        []string
}{
	{"calibrated/insert.pt", "calibrated/insert.npz", []string{
		"model.8.m.0.cv2.conv", "model.24.cv1.conv", "model.24.cv2.conv", "model.24.m.0.cv1.conv", "model.24.m.0.cv2.conv",
	}},
	{pt: "calibrated/replace.pt", recording: "calibrated/replace.npz"},
	{pt: "data/yolov5n-coco.pt"},
}

// TestOneWeight changes one weight by 2 %, in each convolution in turn, and demands that the comparison names its layer as the
// first to differ. Of each convolution it is the weight of largest magnitude; with -update one drawn at random is changed as
// well, and how many are found is said: of many the layer shows less than of rounding.
func TestOneWeight(t *testing.T) {
	t.Parallel()
	rt := orttest.Runtime(t)
	for _, test := range oneWeight {
		t.Run(filepath.Base(test.pt), func(t *testing.T) {
			t.Parallel()
			found, drawn := 0, 0
			m := exportedWeights(t, rt, test.pt, test.recording)
			for _, name := range m.convolutions {
				largest, random := m.pick(t, name)
				says := m.changed(t, name, largest)
				if says == "" {
					found++
				} else if !slices.Contains(test.hidden, strings.TrimSuffix(name, ".weight")) {
					t.Errorf("%s: %s", name, says)
				}
				if *update && m.changed(t, name, random) == "" {
					drawn++
				}
			}
			all := len(m.convolutions)
			if all < 60 {
				t.Errorf("only %d convolutions", all)
			}
			t.Logf("of %d convolutions, the layer is named for the largest weight of %d, for a random one of %d", all, found, drawn)
		})
	}
}

// weighed is an exported model whose weights are changed on the disk.
type weighed struct {
	rt           engine.Runtime
	path         string
	bytes        []byte
	facts        *verify.Facts
	ref          verify.Reference
	convolutions []string
	random       *rand.Rand
}

// exportedWeights exports a checkpoint for the size of its recording. Without one it is compared with the reference interpreter,
// on every fifth pixel of the photograph of the bus.
func exportedWeights(t *testing.T, rt engine.Runtime, pt, recording string) *weighed {
	t.Helper()
	ctx := context.Background()
	name := "data/yolov5n-coco.bus.npz"
	if recording != "" {
		name = recording
	}
	npz, err := verify.OpenNPZ(shared(t, filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = npz.Close() })
	input, err := npz.Read("input")
	if err != nil {
		t.Fatal(err)
	}
	if recording == "" {
		input = thinned(input, 5)
	}
	opt := ysc2onnx.Options{Height: int(input.Shape[2]), Width: int(input.Shape[3]), Batch: 1, Runtime: rt, Output: filepath.Join(t.TempDir(), "model.onnx"), Check: ysc2onnx.CheckNone}
	if _, err := ysc2onnx.Convert(ctx, openCheckpoint(t, shared(t, filepath.FromSlash(pt))), opt); err != nil {
		t.Fatal(err)
	}
	m, err := ysc2onnx.Lower(ctx, openCheckpoint(t, shared(t, filepath.FromSlash(pt))), &opt, func(g *onnxbuild.Graph, opt *ysc2onnx.Options) (*onnxbuild.Written, error) {
		if err := passes.Run(g); err != nil {
			return nil, err
		}
		return g.AtOpset(opt.Opset)
	})
	if err != nil {
		t.Fatal(err)
	}
	w := &weighed{rt: rt, path: opt.Output, bytes: read(t, opt.Output), ref: npz, random: rand.New(rand.NewPCG(8, 2))}
	for _, n := range m.Graph.Nodes {
		if n.Op.Name == "Conv" {
			w.convolutions = append(w.convolutions, n.Inputs[1].Name)
		}
	}
	if w.facts, err = verify.Structure(ctx, w.path); err != nil {
		t.Fatal(err)
	}
	exact := computed(t, m, input)
	if w.ref = exact; recording != "" {
		w.ref = besides{npz, exact}
	}
	return w
}

// thinned takes every k-th pixel of an image.
func thinned(t engine.Tensor, k int64) engine.Tensor {
	out := engine.Tensor{Name: t.Name, Shape: []int64{1, 3, t.Shape[2] / k, t.Shape[3] / k}}
	for c := range int64(3) {
		for y := range out.Shape[2] {
			for x := range out.Shape[3] {
				out.Floats = append(out.Floats, t.Floats[(c*t.Shape[2]+y*k)*t.Shape[3]+x*k])
			}
		}
	}
	return out
}

// interpreted are values of the reference interpreter, under the names of a recording.
type interpreted map[string]engine.Tensor

func (r interpreted) Names() (names []string) {
	for name := range r {
		names = append(names, name)
	}
	return names
}

func (r interpreted) Read(name string) (engine.Tensor, error) {
	v := r[name]
	v.Exact = nil // these are not a float32 program's
	return v, nil
}

// besides is a recording with what float64 gives, as parity.py makes one.
type besides struct {
	verify.Reference
	exact interpreted
}

func (r besides) Read(name string) (engine.Tensor, error) {
	v, err := r.Reference.Read(name)
	v.Exact = r.exact[name].Exact
	return v, err
}

// computed runs the reference interpreter on the graph as it was lowered.
func computed(t *testing.T, m *pipeline.Model, input engine.Tensor) interpreted {
	t.Helper()
	image := &reference.Array{DType: onnxbuild.Float32, Shape: input.Shape}
	for _, x := range input.Floats {
		image.Data = append(image.Data, float64(x))
	}
	names := map[string]string{"output0": "output0"} // by what the graph calls the values
	for i := range len(m.Summary.Rows) - 1 {
		names[m.Graph.Marked(modules.LayerName(i)).Name] = fmt.Sprintf("layer.%d", i)
	}
	found, err := reference.Run(context.Background(), m.Graph, map[string]*reference.Array{"images": image}, slices.Collect(maps.Keys(names)))
	if err != nil {
		t.Fatal(err)
	}
	ref := interpreted{"input": input}
	for value, a := range found {
		v := engine.Tensor{Name: names[value], Shape: a.Shape, Exact: a.Data}
		for _, x := range a.Data {
			v.Floats = append(v.Floats, float32(x))
		}
		ref[v.Name] = v
	}
	return ref
}

// pick gives the places of a convolution's weight of largest magnitude, and of one drawn at random.
func (w *weighed) pick(t *testing.T, name string) (largest, random int) {
	t.Helper()
	stored, ok := w.facts.Stored(name)
	if !ok || stored.Offset < 0 || stored.Length%4 != 0 {
		t.Fatalf("%s is not in the file as it is", name)
	}
	for i := range int(stored.Length / 4) {
		if math.Abs(w.weight(stored, i)) > math.Abs(w.weight(stored, largest)) {
			largest = i
		}
	}
	return largest, w.random.IntN(int(stored.Length / 4))
}

func (w *weighed) weight(s verify.Stored, i int) float64 {
	return float64(math.Float32frombits(binary.LittleEndian.Uint32(w.bytes[s.Offset+4*int64(i):])))
}

// changed changes one weight of the file by 2 %, and compares. "" says that the weight's layer is the first to differ.
func (w *weighed) changed(t *testing.T, name string, i int) string {
	t.Helper()
	s, _ := w.facts.Stored(name)
	data := append([]byte{}, w.bytes...)
	binary.LittleEndian.PutUint32(data[s.Offset+4*int64(i):], math.Float32bits(float32(w.weight(s, i)*1.02)))
	if err := os.WriteFile(w.path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := verify.Against(context.Background(), w.rt, w.path, w.ref, verify.AgainstOptions{})
	if err != nil {
		t.Fatal(err)
	}
	layer := strings.Join(strings.SplitN(name, ".", 3)[:2], ".")
	if c.FirstBad == layer || strings.HasPrefix(c.FirstBad, "output0") && layer == fmt.Sprintf("model.%d", c.Layers) {
		return ""
	}
	return c.Summary()
}

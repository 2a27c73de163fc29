package ysc2onnx

import (
	"bytes"
	"context"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ysc2onnx/onnxbuild"
	"ysc2onnx/onnxbuild/onnxfile"
	"ysc2onnx/onnxbuild/passes"
	"ysc2onnx/verify"
	"ysc2onnx/verify/ort/orttest"
)

// fault is something that goes wrong on the way from the lowering to the file.
type fault struct {
	name  string
	opt   Options
	graph func(g *onnxbuild.Graph)   // in the passes: systematic, at every size
	form  func(w *onnxbuild.Written) // in the form of the opset: systematic, too
	write func(w *onnxbuild.Written) // in what is written, against what was meant
	file  func(t *testing.T, path string)

	threshold int64 // of the size from which there is a data file

	check, problem string // which check fails, and with what text
}

// report exports a model with the fault and checks the file.
func (f *fault) report(t *testing.T, model string) *verify.Report {
	t.Helper()
	ctx := context.Background()
	text, err := os.ReadFile(filepath.Join("examples", model))
	if err != nil {
		t.Fatal(err)
	}
	opt := f.opt
	opt.Height, opt.Width, opt.Runtime, opt.Output = 96, 64, orttest.Runtime(t), filepath.Join(t.TempDir(), "model.onnx")
	m, err := Lower(ctx, Input{Name: model, YAML: bytes.NewReader(text)}, &opt, func(g *onnxbuild.Graph, opt *Options) (*onnxbuild.Written, error) {
		if err := passes.Run(g); err != nil {
			return nil, err
		}
		if f.graph != nil {
			f.graph(g)
		}
		w, err := g.AtOpset(opt.Opset)
		if err == nil && f.form != nil {
			f.form(w)
		}
		return w, err
	})
	if err != nil {
		t.Fatal(err)
	}
	w, err := m.Written(m.Model, m.Size)
	if err != nil {
		t.Fatal(err)
	}
	other := *w
	if f.write != nil {
		other.Nodes = slices.Clone(w.Nodes)
		f.write(&other)
	}
	if _, err := onnxfile.WriteFile(ctx, opt.Output, &other, onnxfile.FileOptions{Version: Version, ExternalThreshold: f.threshold}); err != nil {
		t.Fatal(err)
	}
	if f.file != nil {
		f.file(t, opt.Output)
	}
	rep, err := SelfCheck(ctx, m, w, &opt)
	if err != nil {
		t.Fatal(err)
	}
	return rep
}

// changed is a recipe whose elements pass through a function.
type changed struct {
	onnxbuild.FloatSource
	f func(x float32, i int64) float32
}

// ReadFloats implements [onnxbuild.FloatSource].
func (c changed) ReadFloats(dst []float32, off int64) error {
	err := c.FloatSource.ReadFloats(dst, off)
	for i, x := range dst {
		dst[i] = c.f(x, off+int64(i))
	}
	return err
}

// initializer finds one by its name.
func initializer(g *onnxbuild.Graph, name string) *onnxbuild.Value {
	list := g.Initializers()
	return list[slices.IndexFunc(list, func(v *onnxbuild.Value) bool { return v.Name == name })]
}

// recast changes the elements of an initializer.
func recast(name string, f func(x float32, i int64) float32) func(g *onnxbuild.Graph) {
	return func(g *onnxbuild.Graph) {
		v := initializer(g, name)
		t := *v.Const
		t.Floats = changed{t.Floats, f}
		v.Const = &t
	}
}

// flip flips a bit of the first element of an initializer in the file.
func flip(name string, bit uint) func(t *testing.T, path string) {
	return func(t *testing.T, path string) {
		facts, err := verify.Structure(context.Background(), path)
		if err != nil {
			t.Fatal(err)
		}
		place, ok := facts.Stored(name)
		if !ok {
			t.Fatalf("the file has no %s", name)
		}
		if place.File != "" {
			path = filepath.Join(filepath.Dir(path), place.File)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		data[place.Offset+int64(bit/8)] ^= 1 << (bit % 8)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// node is the index of the node of that name.
func node(w *onnxbuild.Written, name string) int {
	return slices.IndexFunc(w.Nodes, func(n onnxbuild.WireNode) bool { return n.Name == name })
}

const weight = "model.4.cv3.conv.weight"

// TestFaultsAreCaught puts faults into the way to the file, and reads in the report which check finds them, and where.
func TestFaultsAreCaught(t *testing.T) {
	t.Parallel()
	for _, f := range []fault{
		{
			name: "none",
		}, {
			name:  "fold with another epsilon in the root",
			graph: recast("model.2.cv1.conv.weight", func(x float32, _ int64) float32 { return float32(float64(x) * math.Sqrt(1.001) / math.Sqrt(1.00001)) }),
			check: "numbers", problem: "layer 2 (C3) is the first to differ: ",
		}, {
			name:  "fold without the scale of a channel",
			graph: recast("model.7.conv.weight", func(x float32, i int64) float32 { return x * (1 + 0.01*float32(i/(256*9)%2)) }),
			check: "numbers", problem: "layer 7 (Conv) is the first to differ: ",
		}, {
			name:  "fold without a bias",
			graph: recast("model.24.m.1.bias", func(float32, int64) float32 { return 0 }),
			check: "numbers", problem: "layer 24 (Detect), output0 boxes is the first to differ: ",
		}, {
			name: "a weight as rows by columns of the kernel, exchanged",
			graph: func(g *onnxbuild.Graph) {
				v := initializer(g, "model.3.conv.weight")
				t := *v.Const
				floats, _ := t.ReadAll()
				turned := slices.Clone(floats)
				for i := range floats {
					turned[i-i%9+i%9%3*3+i%9/3] = floats[i]
				}
				v.Const = onnxbuild.FloatTensor(t.Shape, turned)
			},
			check: "numbers", problem: "layer 3 (Conv) is the first to differ: ",
		}, {
			name: "a weight rounded to half precision",
			graph: recast(weight, func(x float32, _ int64) float32 {
				return math.Float32frombits((math.Float32bits(x) + 1<<12) &^ (1<<13 - 1))
			}),
			check: "numbers", problem: "layer 4 (C3) is the first to differ: ",
		}, {
			name: "concat in another order",
			form: func(w *onnxbuild.Written) {
				n := &w.Nodes[node(w, "/model.12/Concat")]
				n.Inputs = []string{n.Inputs[1], n.Inputs[0]}
			},
			check: "numbers", problem: "layer 12 (Concat) is the first to differ: ",
		}, {
			name: "resize by the centres of pixels",
			opt:  Options{Opset: 11},
			form: func(w *onnxbuild.Written) {
				n := &w.Nodes[node(w, "/model.11/Resize")]
				n.Attrs = []onnxbuild.Attr{{Name: "mode", Value: "linear"}}
			},
			check: "numbers", problem: "layer 11 (Upsample) is the first to differ: ",
		}, {
			name: "weights of two nodes exchanged in the file",
			write: func(w *onnxbuild.Written) {
				a, b := &w.Nodes[node(w, "/model.4/cv1/conv/Conv")], &w.Nodes[node(w, "/model.4/cv2/conv/Conv")]
				x, y := slices.Clone(a.Inputs), slices.Clone(b.Inputs)
				x[1], y[1] = y[1], x[1]
				a.Inputs, b.Inputs = x, y
			},
			check: "numbers", problem: `(Conv "/model.4/cv1/conv/Conv"): input 1 is "model.4.cv2.conv.weight", expected "model.4.cv1.conv.weight"`,
		}, {
			name: "an attribute changed in the file",
			write: func(w *onnxbuild.Written) {
				n := &w.Nodes[node(w, "/model.9/m/MaxPool")]
				n.Attrs = slices.Clone(n.Attrs)
				for i, a := range n.Attrs {
					if a.Name == "pads" {
						n.Attrs[i].Value = []int64{2, 2, 2, 1}
					}
				}
			},
			check: "numbers", problem: `(MaxPool "/model.9/m/MaxPool"): its attributes are not the expected ones`,
		}, {
			name: "the lowest bit of an element flipped on the disk",
			file: flip(weight, 0), check: "weights", problem: `initializer "` + weight + `": element [0, 0, 0, 0] is `,
		}, {
			name: "the sign of an element flipped on the disk",
			file: flip(weight, 31), check: "numbers", problem: "layer 4 (C3) is the first to differ: ",
		},
	} {
		t.Run(f.name, func(t *testing.T) {
			rep := f.report(t, "yolov5n.yaml")
			if f.check == "" {
				if !rep.OK() || rep.Numbers == nil {
					t.Errorf("without a fault: %+v", rep.Failed())
				}
				return
			}
			for _, c := range rep.Failed() {
				t.Logf("%s: %s", c.Name, c.Detail)
				if c.Name == f.check && strings.Contains(c.Detail, f.problem) {
					return
				}
			}
			t.Errorf("expected of %s: %s\ngot %+v", f.check, f.problem, rep.Failed())
		})
	}
}

// TestDataFile: of a model in two files, the weights are compared, and the numbers made, from the second.
func TestDataFile(t *testing.T) {
	t.Parallel()
	f := fault{threshold: 1 << 20}
	if rep := f.report(t, "yolov5n.yaml"); !rep.OK() || len(rep.Facts.External) != 1 || rep.Numbers == nil {
		t.Errorf("failed: %+v, data in %q", rep.Failed(), rep.Facts.External)
	}
	f.file = flip("model.0.conv.weight", 30)
	var failed []string
	for _, c := range f.report(t, "yolov5n.yaml").Failed() {
		failed = append(failed, c.Name)
		t.Log(c.Detail)
	}
	if !slices.Equal(failed, []string{"weights", "numbers"}) {
		t.Errorf("failed: %q", failed)
	}
}

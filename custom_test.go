package ysc2onnx_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"ysc2onnx"
	"ysc2onnx/heads/roles"
	"ysc2onnx/modules"
	"ysc2onnx/onnxbuild"
	"ysc2onnx/verify/ort/orttest"
)

// double is a module of a library's user: y = scale·x, with a parameter for each channel. It counts what is done with it.
type double struct {
	channels int
	forwards *[]string // the shapes that it was applied to
}

var doubleClass = modules.Class{Path: "mine.Double"}

func (d *double) Class() *modules.Class { return &doubleClass }

func (d *double) Forward(s *modules.Scope, x *onnxbuild.Value) *onnxbuild.Value {
	*d.forwards = append(*d.forwards, x.Shape.String())
	return s.Mul(x, s.Param("scale", modules.Constant(2), int64(d.channels), 1, 1))
}

// registry has YOLOv5's modules and Double, [-1, 1, Double, []]. constructed counts how often one is made.
func registry(t *testing.T, constructed *int, forwards *[]string) *modules.Registry {
	t.Helper()
	r := modules.Builtin()
	err := r.Add(modules.Spec{
		Name: "Double", Class: &doubleClass, Wiring: modules.Keeps, Doc: "twice its input",
		New: func(a *modules.Args) modules.Module {
			*constructed++
			return &double{a.C1, forwards}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// sizes is a head of a library's user: the sigmoid of each map.
func sizes(s *modules.Scope, raw *modules.Raw) []modules.Output {
	var outputs []modules.Output
	for i, m := range raw.Maps {
		outputs = append(outputs, modules.Output{Output: roles.Of([]string{"small", "large"}[i], roles.Raw), Value: s.Sigmoid(m)})
	}
	return outputs
}

const customYAML = `
nc: 2
depth_multiple: 1.0
width_multiple: 1.0
anchors: [[10, 13, 16, 30], [30, 61, 62, 45]]
backbone:
  - [-1, 1, Conv, [16, 3, 2]]
  - [-1, 1, Conv, [16, 3, 2]]
  - [-1, 1, Double, []]
  - [-1, 1, Conv, [16, 3, 2]]
head:
  - [[2, 3], 1, Detect, [nc, anchors]]
`

// TestModuleAndHeadFromOutside adds a module and a head through the public API, and converts and checks a model of both.
// Its rows are resolved once, and it is lowered once for each size: 256x256 and one more stride for the strides, the one that was
// asked for, one as small as the stride to count its operations, and the sample's.
func TestModuleAndHeadFromOutside(t *testing.T) {
	rt := orttest.Runtime(t)
	for _, test := range []struct {
		name    string
		head    modules.Stage
		dynamic ysc2onnx.Dynamic
		outputs string
		sizes   string
	}{
		{"YOLOv5's head", nil, ysc2onnx.Static, "output0", "1x16x64x64 1x16x66x66 1x16x24x32 1x16x8x8 2x16x4x6"},
		{"an own head", sizes, ysc2onnx.Static, "small large", "1x16x64x64 1x16x66x66 1x16x24x32 1x16x8x8 2x16x4x6"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var constructed int
			var forwards []string
			in := ysc2onnx.Input{Name: "custom.yaml", YAML: strings.NewReader(customYAML)}
			r, err := ysc2onnx.Convert(context.Background(), in, ysc2onnx.Options{
				Modules: registry(t, &constructed, &forwards), Head: test.head, Dynamic: test.dynamic,
				Height: 96, Width: 128, Output: filepath.Join(t.TempDir(), "model.onnx"), Runtime: rt,
			})
			if err != nil {
				t.Fatal(err)
			}
			if !r.Checks.OK() {
				t.Errorf("the checks: %+v", r.Checks)
			}
			if constructed != 1 {
				t.Errorf("the module was made %d times, expected once", constructed)
			}
			if got := strings.Join(forwards, " "); got != test.sizes {
				t.Errorf("the model was lowered for %s, expected %s", got, test.sizes)
			}
			var outputs []string
			for _, o := range r.Checks.Facts.Outputs {
				outputs = append(outputs, o.Name)
			}
			if got := strings.Join(outputs, " "); got != test.outputs {
				t.Errorf("the outputs are %s, expected %s", got, test.outputs)
			}
		})
	}
}

package ysc2onnx_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"ysc2onnx"
	"ysc2onnx/diag"
	"ysc2onnx/verify/ort/orttest"
)

func example(t testing.TB, name string) ysc2onnx.Input {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("examples", name))
	if err != nil {
		t.Fatal(err)
	}
	return ysc2onnx.Input{Name: name, YAML: bytes.NewReader(text)}
}

// widths is the line of a YAML that multiplies channels.
var widths = regexp.MustCompile(`(?m)^width_multiple: \S+`)

// narrow is an example of yolov5n's width, for tests that export one many times: at any width it has the same operators.
func narrow(t testing.TB, name string) ysc2onnx.Input {
	t.Helper()
	in := example(t, name)
	text, err := io.ReadAll(in.YAML)
	if err != nil || len(widths.FindAll(text, -1)) != 1 {
		t.Fatalf("%s: found the lines %q, %v", name, widths.FindAll(text, -1), err)
	}
	in.YAML = bytes.NewReader(widths.ReplaceAll(text, []byte("width_multiple: 0.25")))
	return in
}

// convert exports to a file in a folder of its own and fails where a check fails.
func convert(t *testing.T, in ysc2onnx.Input, opt ysc2onnx.Options) *ysc2onnx.Result {
	t.Helper()
	opt.Output = filepath.Join(t.TempDir(), "model.onnx")
	r, err := ysc2onnx.Convert(context.Background(), in, opt)
	if err != nil {
		t.Fatal(err)
	}
	if opt.Runtime != nil && !r.Checks.OK() {
		t.Errorf("%s%s: %+v", in.Name, in.WeightsName, r.Checks.Failed())
	}
	return r
}

// TestEveryOpset checks the three ScConv models in ONNX Runtime at every opset, as lowered and optimised.
func TestEveryOpset(t *testing.T) {
	t.Parallel()
	rt := orttest.Runtime(t)
	models := []string{"yolov5s_ScConv.yaml", "yolov5s_ScConv_replace.yaml", "yolov5s_C3ScConv.yaml"} // they have the same operators
	for opset := ysc2onnx.MinOpset; opset <= ysc2onnx.MaxOpset; opset++ {
		for i, raw := range []bool{false, true} {
			name := models[(opset+i)%len(models)]
			t.Run(fmt.Sprintf("%s-%d/unfused=%t", name, opset, raw), func(t *testing.T) {
				r := convert(t, narrow(t, name), ysc2onnx.Options{Opset: opset, Height: 32, Width: 64, Runtime: rt, NoOptimize: raw})
				if r.Opset != opset {
					t.Errorf("opset %d was asked, %d written", opset, r.Opset)
				}
			})
		}
	}
}

// TestDynamic checks models with open sizes at two sizes and two batches.
func TestDynamic(t *testing.T) {
	t.Parallel()
	rt := orttest.Runtime(t)
	for i, dynamic := range []ysc2onnx.Dynamic{ysc2onnx.DynamicBatch, ysc2onnx.DynamicAll} {
		for j, name := range []string{"yolov5n.yaml", "yolov5s_C3ScConv.yaml", "yolov5s_ScConv.yaml"} {
			r := convert(t, narrow(t, name), ysc2onnx.Options{Dynamic: dynamic, NoOptimize: (i+j)%2 == 1, Height: 64, Width: 96, Runtime: rt})
			var names []string
			for _, c := range r.Checks.Checks {
				names = append(names, c.Name)
			}
			if got := strings.Join(names, " "); !strings.Contains(got, "batch") || dynamic == ysc2onnx.DynamicAll && !strings.Contains(got, "size") {
				t.Errorf("%s: only %s were checked", name, got)
			}
		}
	}
}

// TestSameBytes: the same input gives the same file, another seed another one of the same size.
func TestSameBytes(t *testing.T) {
	export := func(seed uint64) []byte {
		var b bytes.Buffer
		if _, err := ysc2onnx.Convert(context.Background(), example(t, "yolov5n.yaml"), ysc2onnx.Options{Writer: &b, Seed: seed}); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	first := export(0)
	if !bytes.Equal(first, export(0)) {
		t.Error("two exports of one model differ")
	}
	if other := export(1); bytes.Equal(first, other) || len(first) != len(other) {
		t.Errorf("another seed gives %d bytes (%d), equal: %t", len(other), len(first), bytes.Equal(first, other))
	}
}

// TestFewNodes: PyTorch writes the C3_ScConv model with 780 nodes.
func TestFewNodes(t *testing.T) {
	r, err := ysc2onnx.Convert(context.Background(), example(t, "yolov5s_C3ScConv.yaml"), ysc2onnx.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if r.Nodes > 400 {
		t.Errorf("%d nodes, at most 400 are wanted", r.Nodes)
	}
}

// TestLayersAreNamed: the file says where each layer reads from, what class it is, and which value it gives.
func TestLayersAreNamed(t *testing.T) {
	r := convert(t, example(t, "yolov5s_ScConv.yaml"), ysc2onnx.Options{Height: 64, Width: 64})
	facts := r.Checks.Facts
	if want := `[[[-1],"Conv","/model.0/act/Mul_output_0"],[[-1],"Conv","/model.1/act/Mul_output_0"],[[-1],"C3","/model.2/cv3/act/Mul_output_0"],` +
		`[[-1],"Conv","/model.3/act/Mul_output_0"],[[-1],"C3","/model.4/cv3/act/Mul_output_0"],[[-1],"Conv","/model.5/act/Mul_output_0"],` +
		`[[-1],"C3","/model.6/cv3/act/Mul_output_0"],[[-1],"Conv","/model.7/act/Mul_output_0"],[[-1],"C3","/model.8/cv3/act/Mul_output_0"],` +
		`[[-1],"ScConv","/model.9/CRU/Add_1_output_0"],[[-1],"SPPF","/model.10/cv2/act/Mul_output_0"],[[-1],"Conv","/model.11/act/Mul_output_0"],` +
		`[[-1],"Upsample","/model.12/Resize_output_0"],[[-1,6],"Concat","/model.13/Concat_output_0"],[[-1],"C3","/model.14/cv3/act/Mul_output_0"],` +
		`[[-1],"Conv","/model.15/act/Mul_output_0"],[[-1],"Upsample","/model.16/Resize_output_0"],[[-1,4],"Concat","/model.17/Concat_output_0"],` +
		`[[-1],"C3","/model.18/cv3/act/Mul_output_0"],[[-1],"Conv","/model.19/act/Mul_output_0"],[[-1,14],"Concat","/model.20/Concat_output_0"],` +
		`[[-1],"C3","/model.21/cv3/act/Mul_output_0"],[[-1],"Conv","/model.22/act/Mul_output_0"],[[-1,10],"Concat","/model.23/Concat_output_0"],` +
		`[[-1],"C3","/model.24/cv3/act/Mul_output_0"],[[18,21,24],"Detect"]]`; facts.Metadata["layers"] != want {
		t.Errorf("got  %s\nwant %s", facts.Metadata["layers"], want)
	}
	if len(facts.Layers) != 26 || facts.Layers[9].Module != "ScConv" || !slices.Equal(facts.Layers[13].From, []int{-1, 6}) {
		t.Errorf("read as %v", facts.Layers)
	}
}

// TestSizeIsRoundedUp to the stride that the model turns out to have.
func TestSizeIsRoundedUp(t *testing.T) {
	r, err := ysc2onnx.Convert(context.Background(), example(t, "yolov5n.yaml"), ysc2onnx.Options{Height: 600, Width: 33})
	if err != nil {
		t.Fatal(err)
	}
	if r.Height != 608 || r.Width != 64 {
		t.Errorf("600x33 became %dx%d, expected 608x64", r.Height, r.Width)
	}
	text := `
nc: 2
depth_multiple: 1.0
width_multiple: 0.25
anchors: 3
backbone:
  - [-1, 1, Conv, [64, 3, 8]]
  - [-1, 1, Conv, [64, 3, 8]]
  - [-1, 1, nn.Upsample, [None, 8, 'nearest']]
  - [[-1, 0], 1, Concat, [1]]
head:
  - [[3, 1], 1, Detect, [nc, anchors]]
`
	in := ysc2onnx.Input{Name: "stride64.yaml", YAML: strings.NewReader(text)}
	r, err = ysc2onnx.Convert(context.Background(), in, ysc2onnx.Options{Height: 96, Width: 128})
	if err != nil {
		t.Fatal(err)
	}
	if r.Height != 128 || r.Width != 128 || r.Summary.Stride != 64 {
		t.Errorf("96x128 became %dx%d at stride %d, expected 128x128 at 64", r.Height, r.Width, r.Summary.Stride)
	}
}

// TestRefusals: errors say what is wrong, and leave no file.
func TestRefusals(t *testing.T) {
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	for _, test := range []struct {
		name string
		ctx  context.Context
		yaml io.Reader
		opt  ysc2onnx.Options
		want string
	}{
		{"no YAML", context.Background(), nil, ysc2onnx.Options{}, "there is no YAML to read"},
		{"opset", context.Background(), strings.NewReader(""), ysc2onnx.Options{Opset: 9}, "opset 9 is not supported: choose 11 to 26"},
		{"size", context.Background(), strings.NewReader(""), ysc2onnx.Options{Height: 99999}, "the height is 99999, expected 1 to 16384"},
		{"dynamic", context.Background(), strings.NewReader(""), ysc2onnx.Options{Dynamic: 7}, "dynamic is 7, expected Static, DynamicBatch or DynamicAll"},
		{"cancelled", cancelled, example(t, "yolov5n.yaml").YAML, ysc2onnx.Options{}, "context canceled"},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.opt.Output = filepath.Join(t.TempDir(), "model.onnx")
			_, err := ysc2onnx.Convert(test.ctx, ysc2onnx.Input{Name: "model.yaml", YAML: test.yaml}, test.opt)
			if err == nil || err.Error() != test.want {
				t.Errorf("got %v, expected %s", err, test.want)
			}
			if left, _ := os.ReadDir(filepath.Dir(test.opt.Output)); len(left) > 0 {
				t.Errorf("files were left: %v", left)
			}
		})
	}
}

// TestStrict: the half-shifted indices of the tutorial's first model are warnings, and errors where asked.
func TestStrict(t *testing.T) {
	r, err := ysc2onnx.Convert(context.Background(), example(t, "yolov5s_ScConv.yaml"), ysc2onnx.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if n := r.Warnings.Count(diag.Warning); n < 2 {
		t.Errorf("%d warnings, expected those of both indices:\n%v", n, r.Warnings)
	}
	_, err = ysc2onnx.Convert(context.Background(), example(t, "yolov5s_ScConv.yaml"), ysc2onnx.Options{Strict: true})
	var diags *diag.Diagnostics
	if !errors.As(err, &diags) || !diags.HasErrors() {
		t.Errorf("expected diagnostics, got %v", err)
	}
}

// BenchmarkRows builds models of 1,000 and 5,000 rows; ns/row is the same where building is linear.
func BenchmarkRows(b *testing.B) {
	for _, rows := range []int{1000, 5000} {
		b.Run(fmt.Sprint(rows), func(b *testing.B) {
			var text strings.Builder
			text.WriteString("nc: 2\ndepth_multiple: 1.0\nwidth_multiple: 1.0\nanchors: 3\nbackbone:\n  - [-1, 1, Conv, [16, 3, 2]]\n")
			for i := range rows - 2 {
				module := []string{"Conv, [16, 3]", "C3, [16]", "C3_ScConv, [32]", "Conv, [16]"}[i%4]
				fmt.Fprintf(&text, "  - [-1, 1, %s]\n", module)
			}
			fmt.Fprintf(&text, "head:\n  - [[%d], 1, Detect, [nc, anchors]]\n", rows-2)
			for b.Loop() {
				in := ysc2onnx.Input{Name: "rows.yaml", YAML: strings.NewReader(text.String())}
				if _, err := ysc2onnx.Convert(context.Background(), in, ysc2onnx.Options{Height: 64, Width: 64}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(rows), "ns/row")
		})
	}
}

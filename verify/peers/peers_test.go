//go:build peers

package peers

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"ysc2onnx/verify/ort/orttest"
)

// models are the files of examples/ that every peer is asked about: the three ScConv models and one stock model.
var models = []string{"yolov5s_ScConv", "yolov5s_ScConv_replace", "yolov5s_C3ScConv", "yolov5n"}

// opsets are the opsets at which every model is compared with PyTorch: the ends of the range, and those around which
// an op's form changes.
var opsets = []int{11, 13, 17, 18, 22}

// pythons remembers which Python has some modules: to import them takes seconds.
var pythons = map[string]string{}

// python returns a Python that has the modules: of $PYTHON, the one on PATH, and the system's, the first one.
func python(t *testing.T, modules ...string) string {
	t.Helper()
	wanted := strings.Join(modules, ", ")
	if path := pythons[wanted]; path != "" {
		return path
	}
	var tried []string
	for _, name := range []string{os.Getenv("PYTHON"), "python3", "/usr/bin/python3"} {
		path, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		if exec.Command(path, "-c", "import "+wanted).Run() == nil {
			pythons[wanted] = path
			return path
		}
		tried = append(tried, path)
	}
	orttest.Missing(t, "no Python with %s was found (tried %s); Debian has python3-torch, python3-yaml, python3-onnx and python3-opencv",
		wanted, strings.Join(tried, ", "))
	return ""
}

// bench is where the tests of one run keep the program and its exports.
var bench struct {
	once   sync.Once
	folder string
	err    error
}

func TestMain(m *testing.M) {
	code := m.Run()
	if bench.folder != "" {
		_ = os.RemoveAll(bench.folder)
	}
	os.Exit(code)
}

// tool returns the program, built once, and makes sure that it has ONNX Runtime.
func tool(t *testing.T) string {
	t.Helper()
	bench.once.Do(func() {
		if bench.folder, bench.err = os.MkdirTemp("", "ysc2onnx-peers"); bench.err != nil {
			return
		}
		build := exec.Command("go", "-C", "../..", "build", "-o", filepath.Join(bench.folder, "ysc2onnx"), "ysc2onnx/cmd/ysc2onnx")
		if out, err := build.CombinedOutput(); err != nil {
			bench.err = fmt.Errorf("go build: %w\n%s", err, out)
		}
	})
	if bench.err != nil {
		t.Fatal(bench.err)
	}
	path := filepath.Join(bench.folder, "ysc2onnx")
	if code, out := run(t, path, "runtime", "path"); code != 0 {
		orttest.Missing(t, "ONNX Runtime is not installed (make runtime): %s", out)
	}
	return path
}

// run runs a program and returns its exit code and what it wrote to stdout and stderr.
func run(t *testing.T, name string, args ...string) (int, string) {
	t.Helper()
	var out bytes.Buffer
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("%s: %v", name, err)
	}
	return cmd.ProcessState.ExitCode(), out.String()
}

// want runs a program and demands an exit code.
func want(t *testing.T, code int, name string, args ...string) string {
	t.Helper()
	got, out := run(t, name, args...)
	if got != code {
		t.Fatalf("%s %s: exit code %d, want %d\n%s", filepath.Base(name), strings.Join(args, " "), got, code, out)
	}
	return out
}

// example returns the path of a model's YAML.
func example(model string) string {
	return filepath.Join("..", "..", "examples", model+".yaml")
}

// export writes a model into the test's folder and returns the path.
func export(t *testing.T, folder, file, model string, flags ...string) string {
	t.Helper()
	path := filepath.Join(folder, file)
	want(t, 0, tool(t), append([]string{example(model), "-o", path, "--quiet", "--no-verify"}, flags...)...)
	return path
}

// TestEveryLayerEqualsPyTorch loads the weights that an unfused file holds into PyTorch and compares each layer with
// what ONNX Runtime computes from the file: unfused and fused, at every opset, with batch 2 and a map that is not square.
func TestEveryLayerEqualsPyTorch(t *testing.T) {
	py := python(t, "numpy", "torch", "yaml")
	for _, model := range models {
		t.Run(model, func(t *testing.T) {
			folder := t.TempDir()
			size := []string{"--imgsz", "96x128", "--batch-size", "2"}
			raw := export(t, folder, "raw.onnx", model, append(size, "--no-optimize")...)
			reference := filepath.Join(folder, "ref.npz")
			out := want(t, 0, py, "../parity.py", example(model), raw, "-o", reference, "--ysc2onnx", tool(t))
			if !strings.Contains(out, "parity: equal: "+raw+" against PyTorch ") {
				t.Errorf("no verdict in:\n%s", out)
			}
			for _, opset := range opsets {
				for _, form := range [][]string{nil, {"--no-optimize"}} {
					flags := append(append([]string{"--opset", fmt.Sprint(opset)}, size...), form...)
					path := export(t, folder, "model.onnx", model, flags...)
					layers(t, want(t, 0, tool(t), "verify", path, "--against", reference))
				}
			}
			path := export(t, folder, "model.onnx", model, "--dynamic")
			layers(t, want(t, 0, tool(t), "verify", path, "--against", reference))
		})
	}
}

// layers demands that a comparison that went well was one of all layers, beside a recording's float64 or with another file.
func layers(t *testing.T, out string) {
	t.Helper()
	if !verdict.MatchString(out) {
		t.Errorf("not all layers were compared:\n%s", out)
	}
}

// verdict is what such a comparison says of its 24 or 25 layers.
var verdict = regexp.MustCompile(`(?m)^2[45] layers, (at most \S+ from float64|largest error \S+), at (model\.|output0)`)

// TestONNXChecker has onnx's own checker, with shape inference, accept every form of every model at the opsets that it
// knows, and say so of those that it does not.
func TestONNXChecker(t *testing.T) {
	py := python(t, "onnx")
	for _, model := range models {
		t.Run(model, func(t *testing.T) {
			folder := t.TempDir()
			args := []string{"check_model.py"}
			for _, opset := range opsets {
				for i, form := range [][]string{nil, {"--no-optimize"}, {"--dynamic"}, {"--dynamic=batch"}} {
					name := fmt.Sprintf("opset%d-%d.onnx", opset, i)
					args = append(args, export(t, folder, name, model, append([]string{"--opset", fmt.Sprint(opset), "--imgsz", "96x128"}, form...)...))
				}
			}
			code, out := run(t, py, args...)
			accepted, skipped := strings.Count(out, ": ok: "), strings.Count(out, ": skipped: ")
			if (code != 0 && code != 4) || accepted+skipped != len(args)-1 {
				t.Errorf("exit code %d, %d of %d files were accepted and %d skipped:\n%s", code, accepted, len(args)-1, skipped, out)
			}
			t.Logf("%d files were accepted; of an opset that this onnx does not know were %d", accepted, skipped)
			if accepted < 8 {
				t.Errorf("%d files were accepted; even onnx 1.8 knows two of the opsets, at four files each", accepted)
			}
		})
	}
}

// TestPyTorchsExport checks PyTorch's own export of the same weights against PyTorch, and ours against it. It has no values
// called model.<i>: that the layers read off its nodes' names are the right ones, the comparison with PyTorch shows.
func TestPyTorchsExport(t *testing.T) {
	py := python(t, "numpy", "torch", "yaml")
	for _, model := range models {
		t.Run(model, func(t *testing.T) {
			folder := t.TempDir()
			raw := export(t, folder, "raw.onnx", model, "--imgsz", "96x128", "--no-optimize")
			path := export(t, folder, "model.onnx", model, "--imgsz", "96x128")
			reference, theirs := filepath.Join(folder, "ref.npz"), filepath.Join(folder, "torch.onnx")
			want(t, 0, py, "../parity.py", example(model), raw, "-o", reference, "--record-only")
			want(t, 0, py, "torch_export.py", example(model), raw, "-o", theirs, "--imgsz", "96", "128")
			layers(t, want(t, 0, tool(t), "verify", theirs, "--against", reference))
			out := want(t, 0, tool(t), "verify", path, "--against", theirs)
			layers(t, out)
			if !strings.Contains(out, "layers of "+theirs+" were inferred from the names of its nodes") {
				t.Errorf("not said that layers were inferred:\n%s", out)
			}
		})
	}
}

// TestOpenCV runs the default export, but for its size, in OpenCV's DNN module, against PyTorch's and ONNX Runtime's values.
// At full size TestClients does, against ONNX Runtime's.
func TestOpenCV(t *testing.T) {
	py := python(t, "numpy", "torch", "yaml", "cv2")
	for _, model := range models {
		t.Run(model, func(t *testing.T) {
			folder := t.TempDir()
			raw := export(t, folder, "raw.onnx", model, "--imgsz", "256x320", "--no-optimize")
			path := export(t, folder, "model.onnx", model, "--imgsz", "256x320")
			reference := filepath.Join(folder, "ref.npz")
			want(t, 0, py, "../parity.py", example(model), path, "-o", reference, "--weights-from", raw, "--ysc2onnx", tool(t))
			t.Log(want(t, 0, py, "opencv_run.py", path, "--npz", reference))
		})
	}
}

// TestNodeNames: every convolution, and every Concat, MaxPool and Resize outside of the head and ScConv, has the names that
// PyTorch gives its node and its value.
func TestNodeNames(t *testing.T) {
	py := python(t, "numpy", "torch", "yaml", "onnx")
	const list = "import onnx, sys\nfor n in onnx.load(sys.argv[1]).graph.node: print(n.op_type, n.name, n.output[0])"
	for _, model := range models {
		t.Run(model, func(t *testing.T) {
			folder := t.TempDir()
			raw := export(t, folder, "raw.onnx", model, "--imgsz", "96x128", "--no-optimize")
			path := export(t, folder, "model.onnx", model, "--imgsz", "96x128")
			theirs := filepath.Join(folder, "torch.onnx")
			want(t, 0, py, "torch_export.py", example(model), raw, "-o", theirs, "--imgsz", "96", "128")
			given, convolutions := map[string]bool{}, 0
			for line := range strings.Lines(want(t, 0, py, "-c", list, theirs)) {
				given[line] = true
				if strings.HasPrefix(line, "Conv ") {
					convolutions++
				}
			}
			for line := range strings.Lines(want(t, 0, py, "-c", list, path)) {
				op, _, _ := strings.Cut(line, " ")
				own := strings.HasSuffix(line, " output0\n") || strings.Contains(line, "RU/") // the head's Concat, SRU and CRU
				if op == "Conv" || (op == "Concat" || op == "MaxPool" || op == "Resize") && !own {
					if !given[line] {
						t.Errorf("PyTorch's export has no %s", line)
					}
				}
				if op == "Conv" {
					convolutions--
				}
			}
			if convolutions != 0 {
				t.Errorf("PyTorch's export has %d convolutions more", convolutions)
			}
		})
	}
}

// TestOpenCVBatches: each image of a batch comes out right. OpenCV mixes them up, or fails, where a file has tensors of five
// dimensions.
func TestOpenCVBatches(t *testing.T) {
	py, model := python(t, "numpy", "torch", "yaml", "cv2"), "yolov5n"
	for _, batch := range []string{"2", "3", "4", "8"} {
		t.Run(batch, func(t *testing.T) {
			folder, size := t.TempDir(), []string{"--imgsz", "96x128", "--batch-size", batch}
			raw := export(t, folder, "raw.onnx", model, append(size, "--no-optimize")...)
			path := export(t, folder, "model.onnx", model, size...)
			reference := filepath.Join(folder, "ref.npz")
			want(t, 0, py, "../parity.py", example(model), path, "-o", reference, "--weights-from", raw, "--ysc2onnx", tool(t))
			out := want(t, 0, py, "opencv_run.py", path, "--npz", reference)
			if !strings.Contains(out, ": equal: ") || !strings.Contains(out, ", batch "+batch+": ") {
				t.Errorf("no verdict on %s images in:\n%s", batch, out)
			}
			t.Log(out)
		})
	}
}

// TestOpenCVRunsHeads: OpenCV computes what PyTorch recorded of models with other heads than Detect, two images at once, whatever form
// an opset gives the operators.
func TestOpenCVRunsHeads(t *testing.T) {
	py := python(t, "numpy", "cv2")
	for _, head := range []string{"face", "decoupled", "asff", "iaux", "classify"} {
		opencvAgrees(t, py, filepath.Join("..", "..", "testdata", "heads", head), "64x96")
	}
}

// TestOpenCVRunsForkBlocks: the same of the modules of forks. OpenCV 4.6 does not read what norms.yaml, windows.yaml and
// deformable.yaml need: LayerNormalization or its parts, sums of more than one axis, DeformConv.
func TestOpenCVRunsForkBlocks(t *testing.T) {
	py := python(t, "numpy", "cv2")
	for _, model := range []string{"attention", "backbones", "fusion", "stem", "transformers"} {
		opencvAgrees(t, py, filepath.Join("..", "..", "testdata", "blocks", model), "32x64")
	}
}

// opencvAgrees compares the exports of a checkpoint with what PyTorch recorded beside it.
func opencvAgrees(t *testing.T, py, base, size string) {
	t.Helper()
	for _, opset := range []string{"12", "17"} {
		path := filepath.Join(t.TempDir(), "model.onnx")
		want(t, 0, tool(t), base+".pt", "-o", path, "--quiet", "--no-verify", "--imgsz", size, "--batch-size", "2", "--opset", opset)
		out := want(t, 0, py, "opencv_run.py", path, "--npz", base+".npz")
		if !strings.Contains(out, ": equal: ") || !strings.Contains(out, ", batch 2: ") {
			t.Errorf("%s, opset %s: no verdict in:\n%s", base, opset, out)
		}
		t.Log(out)
	}
}

// TestOpenCVRefusesPyTorchsExport shows that what TestOpenCV reads is a gain: of the same model and weights, OpenCV
// cannot read what PyTorch exports, valid as it is.
func TestOpenCVRefusesPyTorchsExport(t *testing.T) {
	py, folder, model := python(t, "numpy", "torch", "yaml", "onnx", "cv2"), t.TempDir(), "yolov5s_C3ScConv"
	raw := export(t, folder, "raw.onnx", model, "--imgsz", "96x128", "--no-optimize")
	reference, theirs := filepath.Join(folder, "ref.npz"), filepath.Join(folder, "torch.onnx")
	want(t, 0, py, "../parity.py", example(model), raw, "-o", reference, "--record-only")
	want(t, 0, py, "torch_export.py", example(model), raw, "-o", theirs, "--imgsz", "96", "128")
	want(t, 0, py, "check_model.py", theirs)
	if out := want(t, 1, py, "opencv_run.py", theirs, "--npz", reference); !strings.Contains(out, ": failed: ") {
		t.Errorf("no reason in:\n%s", out)
	}
}

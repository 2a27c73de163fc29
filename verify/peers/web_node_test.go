//go:build peers

package peers

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"ysc2onnx/verify/ort/orttest"
)

// built is the folder of the page, made once by make web.
var built = sync.OnceValues(func() (string, error) {
	out, err := exec.Command("make", "-C", filepath.Join("..", ".."), "web").CombinedOutput()
	return string(out), err
})

// webFolder is the page as make web builds it.
func webFolder(t *testing.T) string {
	t.Helper()
	lookup(t, "npm", "Debian has npm")
	if out, err := built(); err != nil {
		orttest.Missing(t, "make web: %v\n%s", err, out)
	}
	folder, err := filepath.Abs(filepath.Join("..", "..", "bin", "web"))
	if err != nil {
		t.Fatal(err)
	}
	return folder
}

// converted is what testdata/convert.mjs prints.
type converted struct {
	Name, SHA256, Path, Command, Error string
	Size, Largest                      int64
	Files                              int
	Report                             struct {
		Checked bool
		Error   string
		Checks  struct {
			Runtime string
			Checks  []struct{ Name string }
		}
	}
	Diagnostics []diagnostic
}

type diagnostic struct {
	Line, Column int
	Message      string
}

// convertInNode converts with the library under Node.js.
func convertInNode(t *testing.T, options map[string]any, inputs ...any) (got converted) {
	t.Helper()
	node := lookup(t, "node", "Debian has nodejs")
	choices, err := json.Marshal(options)
	if err != nil {
		t.Fatal(err)
	}
	list, err := json.Marshal(inputs)
	if err != nil {
		t.Fatal(err)
	}
	out := want(t, 0, node, filepath.Join("testdata", "convert.mjs"), webFolder(t), string(list), string(choices))
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	return got
}

// sum is the SHA-256 of a file.
func sum(t *testing.T, path string) string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	hash := sha256.New()
	if _, err := io.Copy(hash, f); err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(hash.Sum(nil))
}

// native runs a command that the library gave, in a folder where its files are, with another output, and gives the sum of
// the file.
func native(t *testing.T, command, folder string) string {
	t.Helper()
	words := strings.Fields(command)
	path := filepath.Join(t.TempDir(), "native.onnx")
	cmd := exec.CommandContext(t.Context(), tool(t), append(words[1:], "-o", path, "--quiet", "--no-verify")...)
	cmd.Dir = folder
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", command, err, out)
	}
	return sum(t, path)
}

// TestNodeBytes converts under Node.js and natively: the files are the same, for checkpoints of several kinds, YAMLs, both
// together, and each option.
func TestNodeBytes(t *testing.T) {
	trained, deflated := sharedFile(t, "data", "yolov5n-coco.pt"), filepath.Join("..", "..", "testdata", "fused.pt")
	for _, c := range []struct {
		name    string
		inputs  []string
		options map[string]any
	}{
		{"trained", []string{trained}, nil},
		{"fused", []string{deflated}, nil},
		{"YAML", []string{example("yolov5s_ScConv")}, map[string]any{"imgsz": []int{64, 96}, "seed": 3, "scconv": "mask"}},
		{"YAML and checkpoint", []string{example("yolov5n"), trained}, map[string]any{"imgsz": 128, "opset": 13, "dynamic": "batch", "batchSize": 2}},
		{"not optimized", []string{trained}, map[string]any{"optimize": false, "dynamic": "all"}},
		{"raw", []string{trained}, map[string]any{"head": "raw", "strict": true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			folder := t.TempDir()
			options := map[string]any{"check": "none"}
			for name, value := range c.options {
				options[name] = value
			}
			var inputs []any
			for _, path := range c.inputs {
				path = absolute(t, path)[0]
				inputs = append(inputs, path)
				if err := os.Symlink(path, filepath.Join(folder, filepath.Base(path))); err != nil {
					t.Fatal(err)
				}
			}
			got := convertInNode(t, options, inputs...)
			if got.Error != "" {
				t.Fatal(got.Error)
			}
			if expected := native(t, got.Command, folder); got.SHA256 != expected {
				t.Errorf("%s has SHA-256 %s, natively %s", got.Name, got.SHA256, expected)
			}
			if got.Largest != got.Size {
				t.Errorf("the progress ended at %d of %d bytes", got.Largest, got.Size)
			}
			options["output"] = filepath.Join(folder, "here.onnx")
			if got := convertInNode(t, options, inputs...); got.Error != "" || sum(t, got.Path) != got.SHA256 {
				t.Errorf("the file at %q is not the one that was announced: %s", got.Path, got.Error)
			}
		})
	}
}

// TestNodeChecks has every check made in ONNX Runtime Web, for forms that ask different things of it: open sizes with gates,
// two outputs, raw maps in an open batch, weights in a second file.
func TestNodeChecks(t *testing.T) {
	for _, c := range []struct {
		yaml    string
		options map[string]any
		checks  string
		files   int
	}{
		{"yolov5s_ScConv", map[string]any{"imgsz": 64, "dynamic": "all"}, "structure interface weights numbers load runtime size batch", 1},
		{"yolov5n-seg", map[string]any{"imgsz": 64}, "structure interface weights numbers load runtime", 1},
		{"yolov5n", map[string]any{"imgsz": 64, "head": "raw", "dynamic": "batch", "optimize": false}, "structure interface weights numbers load runtime batch", 1},
		{"yolov5n", map[string]any{"imgsz": 64, "externalData": true}, "structure interface weights numbers load runtime", 2},
	} {
		got := convertInNode(t, c.options, absolute(t, example(c.yaml))[0])
		var made []string
		for _, check := range got.Report.Checks.Checks {
			made = append(made, check.Name)
		}
		if names := strings.Join(made, " "); got.Error != "" || !got.Report.Checked || names != c.checks || got.Files != c.files {
			t.Errorf("%s %v: %s%s; checked %t by %q, expected %q; %d files, expected %d", c.yaml, c.options, got.Error, got.Report.Error, got.Report.Checked, names, c.checks, got.Files, c.files)
		}
		if !strings.HasPrefix(got.Report.Checks.Runtime, "ONNX Runtime Web ") {
			t.Errorf("%s: it ran in %q", c.yaml, got.Report.Checks.Runtime)
		}
	}
}

// TestNodeRefuses gives the library what is no model, half a model, wrong options, and a signal to stop midway: each ends with
// an error that says what is wrong, and leaves nothing behind.
func TestNodeRefuses(t *testing.T) {
	folder := t.TempDir()
	whole, err := os.ReadFile(sharedFile(t, "data", "yolov5n-coco.pt"))
	if err != nil {
		t.Fatal(err)
	}
	truncated, output := filepath.Join(folder, "half.pt"), filepath.Join(folder, "out.onnx")
	if err := os.WriteFile(truncated, whole[:len(whole)/2], 0o644); err != nil {
		t.Fatal(err)
	}
	model := absolute(t, sharedFile(t, "data", "yolov5n-coco.pt"))[0]
	yaml := map[string]any{"name": "wrong.yaml", "text": "nc: 1\ndepth_multiple: 1\nwidth_multiple: 1\nbackbone:\n  - [-1, 1, Cnv, [8]]\nhead: []\n"}
	for _, c := range []struct {
		name    string
		input   any
		options map[string]any
		message string
	}{
		{"truncated", truncated, nil, "ConversionError: half.pt: "},
		{"TorchScript", absolute(t, "../../checkpoint/testdata/torchscript.pt")[0], nil, "ConversionError: torchscript.pt: it is TorchScript"},
		{"YAML", yaml, nil, "ConversionError: wrong.yaml: "},
		{"option", model, map[string]any{"colour": "red"}, "TypeError: convert knows no option colour; there are imgsz, "},
		{"value", model, map[string]any{"dynamic": "both"}, `TypeError: convert's option dynamic cannot be "both"; it is one of none, batch, all`},
		{"opset", model, map[string]any{"opset": 99}, "ConversionError: --opset 99: this version writes opset 11 to 26"},
		{"stop", model, map[string]any{"abortAt": 1 << 20}, "AbortError: "},
	} {
		t.Run(c.name, func(t *testing.T) {
			options := map[string]any{"output": output, "check": "none"}
			for name, value := range c.options {
				options[name] = value
			}
			got := convertInNode(t, options, c.input)
			if !strings.HasPrefix(got.Error, c.message) {
				t.Errorf("the error is %q, expected to begin with %q", got.Error, c.message)
			}
			if c.name == "YAML" && !slices.ContainsFunc(got.Diagnostics, func(d diagnostic) bool { return d.Line == 5 && d.Column == 13 }) {
				t.Errorf("the diagnostics are %v, expected one at line 5, column 13", got.Diagnostics)
			}
			entries, err := os.ReadDir(folder)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range entries {
				if e.Name() != "half.pt" {
					t.Errorf("%s is left behind", e.Name())
				}
			}
		})
	}
}

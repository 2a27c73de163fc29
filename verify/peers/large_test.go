//go:build peers && linux

package peers

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// maxMemory bounds the resident set of an export, in bytes, however large the model is.
const maxMemory = 100 << 20

// childMemory runs a command and prints its largest resident set in kilobytes. Linux counts for a process also what it had
// before it became the program, which is what its parent has: so the parent has to be small, and a test that has run models
// is not.
const childMemory = `
import resource, subprocess, sys
code = subprocess.run(sys.argv[1:]).returncode
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(code)
`

// exportMemory exports a YAML and gives the largest resident set of the process in bytes.
func exportMemory(t *testing.T, yaml, path string) int64 {
	t.Helper()
	out := want(t, 0, python(t, "resource"), "-c", childMemory, tool(t), yaml, "-o", path, "--imgsz", "64", "--no-verify", "--quiet")
	kilobytes, err := strconv.ParseInt(strings.TrimSpace(out), 10, 64)
	if err != nil {
		t.Fatalf("%v in %q", err, out)
	}
	return kilobytes << 10
}

// TestMemoryDoesNotGrow exports yolov5x, 347 MB, and a wider model of over 2 GB, whose weights go to a second file. Both
// take the same small memory, and ONNX Runtime loads and runs the large one.
func TestMemoryDoesNotGrow(t *testing.T) {
	folder := t.TempDir()
	if used := exportMemory(t, example("yolov5x"), filepath.Join(folder, "x.onnx")); used > maxMemory {
		t.Errorf("yolov5x took %d bytes of memory, at most %d are wanted", used, maxMemory)
	}
	text, err := os.ReadFile(example("yolov5x"))
	if err != nil {
		t.Fatal(err)
	}
	wide := strings.Replace(string(text), "width_multiple: 1.25", "width_multiple: 3.2", 1)
	yaml, path := filepath.Join(folder, "wide.yaml"), filepath.Join(folder, "wide.onnx")
	if err := os.WriteFile(yaml, []byte(wide), 0o644); err != nil {
		t.Fatal(err)
	}
	if used := exportMemory(t, yaml, path); used > maxMemory {
		t.Errorf("the wide model took %d bytes of memory, at most %d are wanted", used, maxMemory)
	}
	data, err := filepath.Glob(path + ".*.data")
	if err != nil || len(data) != 1 {
		t.Fatalf("data files %v, %v", data, err)
	}
	if info, err := os.Stat(data[0]); err != nil || info.Size() < 2_000_000_000 {
		t.Errorf("the data file: %v, %v", info, err)
	}
	if out := want(t, 0, tool(t), "verify", path); !strings.Contains(out, "runtime    ok") {
		t.Errorf("the wide model was not run:\n%s", out)
	}
}

//go:build peers

package peers

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// faults are what is wrong with the files of foreign.py, as the verdict begins.
var faults = map[string]string{
	"weight":  `model\.6\.m\.1\.cv1\.conv\.weight with its batch norm: 1 of 4096 elements differ; `,
	"bias":    `model\.8\.cv3\.conv\.bias with its batch norm: 1 of 256 elements differ; `,
	"concat":  `model\.12 \(Concat\) is the first to differ: `,
	"relu":    `model\.5 \(Conv\) is the first to differ: `,
	"pool":    `model\.9 \(SPPF\) is the first to differ: `,
	"anchor":  `output0 boxes \(Detect\) is the first to differ: `,
	"epsilon": `model\.4\.cv1\.conv\.weight with its batch norm: `,
}

// TestForeign judges what PyTorch exports of a trained model, as it is, under other names and in float16, and with faults planted
// into it: right files are called right, and what is wrong with the others is named. YOLOv5's code stays out of this project.
func TestForeign(t *testing.T) {
	checkout := os.Getenv("YOLOV5")
	if checkout == "" {
		t.Skip("*** SKIPPED, in CI too: no file of YOLOv5's own exporter was judged; set YOLOV5 to a checkout of it ***")
	}
	py, folder := python(t, "torch", "onnx"), t.TempDir()
	checkpoint := sharedFile(t, "data", "yolov5n-coco.pt")
	want(t, 0, py, "foreign.py", checkout, checkpoint, folder)
	files, err := filepath.Glob(filepath.Join(folder, "*.onnx"))
	if err != nil || len(files) < 27 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, path := range files {
		name := strings.TrimSuffix(filepath.Base(path), ".onnx")
		kind, rest, _ := strings.Cut(name, "-")
		if kind == "right" {
			want(t, 0, tool(t), "verify", path, "--quiet")
			out := want(t, 0, tool(t), "verify", path, "--against", checkpoint)
			for _, line := range []string{`  weights   ok      60 of 60 convolutions`, `  layers    ok      24 of 24, found by the `, `  outputs   ok      output0 boxes `} {
				if !strings.Contains(out, line) {
					t.Errorf("%s: %q is not printed:\n%s", name, line, out)
				}
			}
			continue
		}
		fault, _, _ := strings.Cut(rest, "-")
		out := want(t, 3, tool(t), "verify", path, "--against", checkpoint, "--quiet")
		if !regexp.MustCompile(`does not compute what .* computes: ` + faults[fault]).MatchString(out) {
			t.Errorf("%s: got %s\nwant %s", name, out, faults[fault])
		}
	}
}

package ysc2onnx_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"ysc2onnx/verify"
	"ysc2onnx/verify/engine"
	"ysc2onnx/verify/ort/orttest"
)

// The table of distances from float64 stands between these lines of docs/verification.md.
const (
	accuracyBegins = "<!-- Made by go test . -run AccuracyInDocs -update -->\n"
	accuracyEnds   = "<!-- end of distances -->\n"
)

// accuracies are the recordings of which the table says how far PyTorch and the file are from float64.
var accuracies = []struct{ pt, recording string }{
	{"fixtures/insert.pt", "fixtures/insert.npz"},
	{"fixtures/replace.pt", "fixtures/replace.npz"},
	{"fixtures/c3.pt", "fixtures/c3.npz"},
	{"fixtures/c3-noinsert.pt", "fixtures/c3-noinsert.npz"},
	{"calibrated/insert.pt", "calibrated/insert.npz"},
	{"calibrated/replace.pt", "calibrated/replace.npz"},
	{"calibrated/c3.pt", "calibrated/c3.npz"},
	{"calibrated/c3-noinsert.pt", "calibrated/c3-noinsert.npz"},
	{"data/yolov5n-coco.pt", "data/yolov5n-coco.bus.npz"},
	{"data/yolov5n-coco.pt", "data/yolov5n-coco.zidane.npz"},
}

// TestAccuracyInDocs judges each file beside PyTorch's own distance from float64, on the processor at hand; the documentation
// has a row for each, measured on the processor that it names.
func TestAccuracyInDocs(t *testing.T) {
	t.Parallel()
	rt := orttest.Runtime(t)
	path := filepath.Join("docs", "verification.md")
	before, rest, begins := strings.Cut(string(read(t, path)), accuracyBegins)
	table, after, ends := strings.Cut(rest, accuracyEnds)
	if !begins || !ends {
		t.Fatalf("%s has no place for the table of distances", path)
	}
	var rows strings.Builder
	for _, test := range accuracies {
		name := strings.TrimSuffix(test.recording, ".npz")
		if !strings.Contains(table, "\n| "+name+" |") && !*update {
			t.Errorf("%s has no row of %s: -update makes it", path, name)
		}
		m := exportedWeights(t, rt, test.pt, test.recording)
		c, err := verify.Against(context.Background(), rt, m.path, m.ref, verify.AgainstOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if !c.OK() {
			t.Errorf("%s: %s", name, c.Summary())
		}
		row := "| " + name + " |" + distances(t, c)
		t.Log(row)
		rows.WriteString(row + "\n")
	}
	if *update {
		text := before + accuracyBegins + accuracyTable(t, rt, rows.String()) + accuracyEnds + after
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// accuracyTable puts a head on rows.
func accuracyTable(t *testing.T, rt engine.Runtime, rows string) string {
	t.Helper()
	return fmt.Sprintf("\nMeasured on %s, %s. Left ours, right PyTorch's.\n\n"+
		"| recording | layers, of the largest value | channels, root mean square | boxes, of their size | boxes, pixels | scores |\n|---|---|---|---|---|---|\n%s\n",
		processor(), rt.Version(), rows)
}

// distances are the cells of a comparison: the largest of all layers, and those of the outputs.
func distances(t *testing.T, c *verify.Comparison) string {
	t.Helper()
	both := func(ours, own float64) string { return fmt.Sprintf(" %.1e · %.1e |", ours, own) }
	var layers, own verify.Own
	text := " – | – |"
	for i := range c.Rows {
		row := &c.Rows[i]
		if row.Own == nil || !row.FromExact {
			t.Fatalf("%s is not judged by float64", row.Name)
		}
		if i < c.Layers {
			layers.MaxRel, own.MaxRel = max(layers.MaxRel, row.MaxRel), max(own.MaxRel, row.Own.MaxRel)
			layers.RMS, own.RMS = max(layers.RMS, row.RMS), max(own.RMS, row.Own.RMS)
			text = both(layers.MaxRel, own.MaxRel) + both(layers.RMS, own.RMS)
			continue
		}
		text += both(row.MaxRel, row.Own.MaxRel)
		if row.Unit == verify.OfBox {
			text += both(row.MaxAbs, row.Own.MaxAbs)
		}
	}
	return text
}

var vectors = regexp.MustCompile(`\b(avx2|avx512f|asimd|sve)\b`)

// processor names the one at hand, and its vector instructions.
func processor() string {
	name, seen := "a processor that does not say its name", map[string]bool{}
	if f, err := os.Open("/proc/cpuinfo"); err == nil {
		defer func() { _ = f.Close() }()
		for lines := bufio.NewScanner(f); lines.Scan(); {
			key, value, _ := strings.Cut(lines.Text(), ":")
			switch strings.TrimSpace(key) {
			case "model name":
				name = strings.TrimSpace(value)
			case "flags", "Features":
				for _, v := range vectors.FindAllString(value, -1) {
					seen[v] = true
				}
			}
		}
	}
	text := "an " + name + " (" + runtime.GOARCH
	for _, v := range []string{"avx2", "avx512f", "asimd", "sve"} {
		if seen[v] {
			text += ", " + v
		}
	}
	return text + ")"
}

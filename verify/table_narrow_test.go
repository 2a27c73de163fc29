package verify

import (
	"strings"
	"testing"
)

// TestNarrowTable: 80 columns at most, the first value that differs marked, and the verdict left to the error.
func TestNarrowTable(t *testing.T) {
	row := func(name string, ok bool) Row {
		return Row{Name: name, Module: "Bottleneck_ScConv", Shape: []int64{1, 1024, 160, 160}, OK: ok, MaxRel: 1.5e-6, Own: &Own{MaxRel: 2e-6},
			Worst: &Point{Index: []int64{0, 1000, 100, 100}}, Count: 8, Outside: 1}
	}
	c := &Comparison{Rows: []Row{row("model.0", true), row("model.10", false), row("output0 boxes", false)}, Layers: 2}
	for i := range 24 {
		name := "layer." + string(rune('a'+i))
		c.NotCompared = append(c.NotCompared, Skipped{Name: name, Reason: "the reference has no layer"})
	}
	var b strings.Builder
	if err := c.WriteNarrow(&b, false); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
	if len(lines) != 6 {
		t.Errorf("%d lines:\n%s", len(lines), b.String())
	}
	for _, line := range lines {
		if n := len([]rune(line)); n > 80 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
	if !strings.HasSuffix(lines[3], "FAILED first") || !strings.HasSuffix(lines[4], "FAILED") || lines[5] != "not compared: 24 values, layer.a to layer.x (the reference has no layer)" {
		t.Errorf("got\n%s", b.String())
	}
	b.Reset()
	if err := c.WriteNarrow(&b, true); err != nil || !strings.Contains(b.String(), "\x1b[31mFAILED\x1b[0m first") {
		t.Errorf("no colours: %v\n%s", err, b.String())
	}
}

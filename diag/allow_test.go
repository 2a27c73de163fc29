package diag

import (
	"strings"
	"testing"
)

// TestAllow: a comment on the line or on one of its own above it silences the codes that it names, and no others.
func TestAllow(t *testing.T) {
	lines := []string{
		"a: 1  # ysc2onnx: allow stale-from, read-twice",
		"b: 2",
		"# ysc2onnx: allow stale-from",
		"c: 3",
		"d: 4",
		"e: 5  # allow stale-from",
	}
	ds := NewDiagnostics(NewSource("f", []byte(strings.Join(lines, "\n"))))
	for line := range lines {
		at := Span{Pos{line + 1, 1}, Pos{line + 1, 2}}
		ds.Warnf(StaleFrom, at, "stale %d", line+1)
		ds.Warnf(UnusedLayer, at, "unused %d", line+1)
	}
	ds.Errorf(Span{Pos{1, 1}, Pos{1, 2}}, "error 1")
	ds.Allow()
	var left []string
	for _, d := range ds.List {
		left = append(left, d.Message)
	}
	want := "unused 1, stale 2, unused 2, unused 3, unused 4, stale 5, unused 5, stale 6, unused 6, error 1"
	if got := strings.Join(left, ", "); got != want {
		t.Errorf("left are %s, want %s", got, want)
	}
	if got := ds.Count(Warning); got != 9 {
		t.Errorf("counts %d warnings, want 9", got)
	}
	ds.Allow(UnusedLayer, StaleFrom)
	if len(ds.List) != 1 || ds.Count(Warning) != 0 || !ds.HasErrors() {
		t.Errorf("left are %v, want the error", ds)
	}
	(*Diagnostics)(nil).Allow(StaleFrom)
}

// TestCodes: every code that is used is listed once.
func TestCodes(t *testing.T) {
	seen := map[Code]bool{}
	for _, c := range Codes() {
		if seen[c] || !allowed.MatchString("# ysc2onnx: allow "+string(c)) {
			t.Errorf("%s is listed twice, or cannot be named in a comment", c)
		}
		seen[c] = true
	}
}

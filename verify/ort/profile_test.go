//go:build cgo && !js

package ort

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ysc2onnx/verify"
	"ysc2onnx/verify/engine"
)

func TestProfile(t *testing.T) {
	rt, ok := library(t).(verify.Profiler)
	if !ok {
		t.Fatal("ONNX Runtime is not a verify.Profiler")
	}
	temporary := t.TempDir()
	t.Setenv("TMPDIR", temporary)
	m := addRelu()
	m.Nodes[1].Op, m.Nodes[1].Name = "Exp", "/model.1/act/Exp" // which nothing fuses with an Add
	path := save(t, m)
	runs, err := rt.Profile(t.Context(), path, engine.SessionOptions{}, x(1, 2, -3, 0.25), 3)
	if err != nil {
		t.Fatal(err)
	}
	if len(runs) != 3 {
		t.Errorf("%d runs", len(runs))
	}
	for i, run := range runs {
		var names []string
		for _, n := range run {
			names = append(names, n.Op+" "+n.Node)
		}
		if got := strings.Join(names, ", "); got != "Add /add, Exp /model.1/act/Exp" {
			t.Errorf("run %d: %s", i, got)
		}
	}
	if left, err := os.ReadDir(temporary); err != nil || len(left) > 0 {
		t.Errorf("%v is left, %v", left, err)
	}

	if _, err := rt.Profile(t.Context(), path, engine.SessionOptions{}, nil, 3); err == nil || err.Error() != path+`: input "x" is missing` {
		t.Errorf("without an input: %v", err)
	}
	if _, err := rt.Profile(t.Context(), filepath.Join(temporary, "none.onnx"), engine.SessionOptions{}, nil, 3); err == nil {
		t.Error("a file that is not there is profiled")
	}
	if left, err := os.ReadDir(temporary); err != nil || len(left) > 0 {
		t.Errorf("%v is left, %v", left, err)
	}
}

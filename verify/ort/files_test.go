package ort_test

import (
	"path/filepath"
	"strings"
	"testing"

	"ysc2onnx/verify"
	"ysc2onnx/verify/ort/orttest"
)

// TestAlone checks files of many kinds, most of which this project never writes; verify/testdata/make_files.py says what
// their names mean.
func TestAlone(t *testing.T) {
	rt := orttest.Runtime(t)
	paths, err := filepath.Glob("../testdata/files/*.onnx")
	if err != nil || len(paths) < 90 {
		t.Fatalf("%d files, %v", len(paths), err)
	}
	for _, path := range paths {
		name := strings.TrimSuffix(filepath.Base(path), ".onnx")
		t.Run(name, func(t *testing.T) {
			rep, err := verify.Alone(t.Context(), rt, path)
			if err != nil {
				t.Fatal(err)
			}
			sound, unrun := strings.HasPrefix(name, "ok_"), strings.HasSuffix(name, "_notrun")
			if rep.OK() != sound || (rep.NotRun != "") != unrun {
				t.Errorf("OK is %v, not run: %q; failed: %v", rep.OK(), rep.NotRun, rep.Failed())
			}
			if ran := rep.Checks[len(rep.Checks)-1].Name; sound && !unrun && ran != "runtime" && ran != "batch" {
				t.Errorf("the last check is of the %s", ran)
			}
		})
	}
}

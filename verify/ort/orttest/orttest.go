// Package orttest gives tests ONNX Runtime, and ends those that lack what they need.
package orttest

import (
	"os"
	"testing"

	"ysc2onnx/verify/engine"
	"ysc2onnx/verify/ort"
)

// Runtime is the ONNX Runtime of this machine. Where there is none, [Missing] ends the test.
func Runtime(t testing.TB) engine.Runtime {
	t.Helper()
	lib, err := ort.Find("")
	if err == nil {
		var rt engine.Runtime
		if rt, err = ort.Open(lib); err == nil {
			return rt
		}
	}
	Missing(t, "ONNX Runtime is needed: %v", err)
	return nil
}

// Trained is why a test is skipped that needs checkpoints which are too large to be kept in the repository.
const Trained = "trained models are needed, in a folder shared beside the checkout"

// Missing ends a test that lacks what it needs, since what it checks was not checked: as a failure in CI, as a skip
// elsewhere, whose reason make test repeats in its last line.
func Missing(t testing.TB, format string, args ...any) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}

// Package orttest gives tests ONNX Runtime, and ends those that lack a requirement.
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

// Trained is the reason for skipping a test that needs checkpoints too large for the repository.
const Trained = "trained models are needed, in a folder shared beside the checkout"

// Missing ends a test that lacks a requirement: as a failure in CI, since something was not checked, as a skip elsewhere,
// whose reason make test repeats in its last line.
func Missing(t testing.TB, format string, args ...any) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}

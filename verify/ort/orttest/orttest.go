// Package orttest gives tests ONNX Runtime.
package orttest

import (
	"os"
	"testing"

	"ysc2onnx/verify"
	"ysc2onnx/verify/ort"
)

// Runtime is the ONNX Runtime of this machine. Where there is none, the test fails in CI, and is loudly skipped elsewhere.
func Runtime(t testing.TB) verify.Runtime {
	t.Helper()
	lib, err := ort.Find("")
	if err == nil {
		var rt verify.Runtime
		if rt, err = ort.Open(lib); err == nil {
			return rt
		}
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("ONNX Runtime is needed: %v", err)
	}
	t.Skipf("*** SKIPPED, not checked: %v ***", err)
	return nil
}

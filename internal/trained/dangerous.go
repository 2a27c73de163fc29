package trained

import (
	"fmt"

	"github.com/dustin/go-humanize/english"

	"ysc2onnx/checkpoint"
	"ysc2onnx/diag"
)

// dangerousNames says which names in a checkpoint's pickle would run programs or code if Python loaded the file; "" where
// there are none. Here they were read, and nothing was looked up.
func dangerousNames(f *checkpoint.File) string {
	names := f.Risky(checkpoint.Dangerous)
	if len(names) == 0 {
		return ""
	}
	more := ""
	if n := len(names) - 1; n > 0 {
		more = " and " + english.Plural(n, "other dangerous name", "")
	}
	return fmt.Sprintf("its pickle names %s%s, which loading it with Python may run; it was read as data here, and nothing was run", names[0], more)
}

// warnDangerous says that the checkpoint is dangerous to load with Python.
func (t *Model) warnDangerous(diags *diag.Diagnostics) {
	if t.dangerous != "" {
		diags.Warnf(diag.DangerousNames, diag.Span{}, "%s: %s (ysc2onnx inspect lists the names)", t.name, t.dangerous)
	}
}

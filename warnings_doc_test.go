package ysc2onnx

import (
	"os"
	"strings"
	"testing"

	"ysc2onnx/diag"
)

// TestWarningsInDocs: docs/warnings.md has a line for each code, in order, with its meaning, and none for others.
func TestWarningsInDocs(t *testing.T) {
	text, err := os.ReadFile("docs/warnings.md")
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "| `") {
			lines = append(lines, line)
		}
	}
	if len(lines) != len(diag.Codes()) {
		t.Fatalf("%d codes are documented, there are %d", len(lines), len(diag.Codes()))
	}
	for i, code := range diag.Codes() {
		if want := "| `" + string(code) + "` | " + code.Meaning() + " | "; !strings.HasPrefix(lines[i], want) {
			t.Errorf("docs/warnings.md says %q, want it to begin with %q", lines[i], want)
		}
	}
}

package ysc2onnx_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// pageTest runs the page's cases with the tests of package modules.
const pageTest = `package modules_test

import "testing"

func TestPage(t *testing.T) { runCases(t, %q, 4) }
`

// TestAddingAModule follows docs/adding-a-module.md: its modules are put beside those of the project, give in ONNX Runtime
// what PyTorch gave for its cases (docs/testdata/record_page.py), and its model is converted and checked.
func TestAddingAModule(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("docs/adding-a-module.md")
	if err != nil {
		t.Fatal(err)
	}
	code := regexp.MustCompile("(?s)\n```go\n(.*?\n)```\n").FindAllStringSubmatch(string(text), -1)
	names := regexp.MustCompile("(?m)^`modules/(\\w+\\.go)` ").FindAllStringSubmatch(string(text), -1)
	model := regexp.MustCompile("(?s)\n```yaml\n(.*?\n)```\n").FindStringSubmatch(string(text))
	list, err := os.ReadFile("modules/builtin.go")
	if err != nil || len(names) != 3 || len(code) != 4 || model == nil {
		t.Fatalf("found %d names and %d blocks of code, expected three files and the line, and a model (%v)", len(names), len(code), err)
	}
	cases, err := filepath.Abs("docs/testdata/*.npz")
	if err != nil {
		t.Fatal(err)
	}
	const begins = "var builtin = []Spec{\n"
	files := map[string]string{
		"builtin.go":   strings.Replace(string(list), begins, begins+code[3][1], 1),
		"page_test.go": fmt.Sprintf(pageTest, cases),
	}
	for i, name := range names {
		files[name[1]] = code[i][1]
	}
	dir, replace := t.TempDir(), map[string]string{}
	for name, text := range files {
		target, err := filepath.Abs(filepath.Join("modules", name))
		if err != nil {
			t.Fatal(err)
		}
		replace[target] = filepath.Join(dir, name)
		if err := os.WriteFile(replace[target], []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	path, yaml := filepath.Join(dir, "overlay.json"), filepath.Join(dir, "model.yaml")
	for name, text := range map[string]string{path: string(overlay), yaml: model[1]} {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := exec.Command("gofmt", "-l", dir).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("gofmt would change %s (%v)", out, err)
	}
	for _, command := range [][]string{
		{"vet", "-overlay", path, "./modules"},
		{"test", "-overlay", path, "-run", "^TestPage$", "./modules"},
		{"run", "-overlay", path, "./cmd/ysc2onnx", yaml, "-o", filepath.Join(dir, "model.onnx")},
	} {
		if out, err := exec.Command("go", command...).CombinedOutput(); err != nil {
			t.Errorf("go %s: %v\n%s", strings.Join(command, " "), err, out)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "model.onnx")); err != nil {
		t.Error(err)
	}
}

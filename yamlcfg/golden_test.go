package yamlcfg

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the expected diagnostics in testdata/diag; read the difference before committing it")

// TestDiagnostics compares all that Parse and Lint say about testdata/diag/NAME.yaml with NAME.txt, to the letter.
func TestDiagnostics(t *testing.T) {
	for _, path := range files(t, "testdata/diag/*.yaml") {
		name := strings.TrimSuffix(filepath.Base(path), ".yaml")
		t.Run(name, func(t *testing.T) {
			m, ds := Parse(filepath.Base(path), bytes.NewReader(read(t, path)))
			if m != nil {
				ds.Append(m.Lint())
			}
			ds.Sort()
			golden := strings.TrimSuffix(path, ".yaml") + ".txt"
			if *update {
				if err := os.WriteFile(golden, []byte(ds.Error()+"\n"), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(string(read(t, golden)), ds.Error()+"\n"); diff != "" {
				t.Errorf("diagnostics differ (-want +got):\n%s", diff)
			}
		})
	}
}

// TestCleanModels holds the parser and the lint to silence on the forms of head that YOLOv5 and its hub use.
func TestCleanModels(t *testing.T) {
	for _, path := range files(t, "testdata/clean/*.yaml") {
		m, ds := Parse(filepath.Base(path), bytes.NewReader(read(t, path)))
		if m == nil || len(ds.List) > 0 {
			t.Errorf("%s: not silent:\n%v", path, ds)
			continue
		}
		if warnings := m.Lint(); len(warnings.List) > 0 {
			t.Errorf("%s: the lint is not silent:\n%v", path, warnings)
		}
	}
}

func files(t *testing.T, pattern string) []string {
	t.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil || len(paths) == 0 {
		t.Fatalf("no test files %s: %v", pattern, err)
	}
	return paths
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

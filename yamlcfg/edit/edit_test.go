package edit_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ysc2onnx/yamlcfg"
	"ysc2onnx/yamlcfg/edit"
)

func parse(t *testing.T, name, text string) *yamlcfg.Model {
	t.Helper()
	m, diags := yamlcfg.Parse(name, strings.NewReader(text))
	if err := diags.Err(); err != nil {
		t.Fatal(err)
	}
	return m
}

// TestLayouts: a change keeps layout and comments, in the block form, in YOLOv5's own form of brackets, and in one line.
func TestLayouts(t *testing.T) {
	for _, path := range files(t, "testdata/*.txt") {
		t.Run(filepath.Base(path), func(t *testing.T) {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			parts := strings.Split(string(text), "----\n")
			if len(parts) != 3 {
				t.Fatalf("%s has %d parts, want text, changes and outcome", path, len(parts))
			}
			e := edit.New(parse(t, "m.yaml", parts[0]))
			for line := range strings.Lines(parts[1]) {
				if err := change(e, strings.Fields(line)); err != nil {
					t.Fatal(err)
				}
			}
			done, err := e.Apply()
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(parts[2], string(done.Text)); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

// change makes a change as a line of testdata words it.
func change(e *edit.Editor, words []string) error {
	number := func(i int) int {
		n, err := strconv.Atoi(words[i])
		if err != nil {
			panic(err)
		}
		return n
	}
	switch words[0] {
	case "before", "behind", "reroute":
		return e.Insert(edit.Insertion{Row: strings.Join(words[2:], " "), At: number(1), Behind: words[0] == "behind", Reroute: words[0] == "reroute"})
	case "replace":
		var rows []int
		for i := range words[3:] {
			rows = append(rows, number(3+i))
		}
		return e.Replace(words[1], words[2], rows)
	case "remove":
		return e.Remove(number(1))
	case "p2":
		return e.AppendP2()
	}
	return fmt.Errorf("%s is not a change", words[0])
}

func files(t *testing.T, pattern string) []string {
	t.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil || len(paths) == 0 {
		t.Fatalf("no test files %s: %v", pattern, err)
	}
	return paths
}

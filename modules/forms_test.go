package modules_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ysc2onnx/modules"
	"ysc2onnx/yamlcfg"
)

// TestForms builds the YAMLs of testdata/forms, whose ways of writing a model are met in published files: what PyTorch counts
// for each (testdata/oracle/record_forms.py), or an error where it raises one. What is said of them is compared to the letter with
// the .txt beside the YAML, which is not there where nothing is said.
func TestForms(t *testing.T) {
	data, err := os.ReadFile("testdata/oracle/forms.json")
	if err != nil {
		t.Fatal(err)
	}
	var forms []struct {
		YAML       string
		Error      string
		Layers     int
		Parameters int64
		Rows       []struct {
			Params     int64
			Type, Args string
		}
	}
	files, err := filepath.Glob("testdata/forms/*.yaml")
	if json.Unmarshal(data, &forms) != nil || err != nil || len(forms) < 11 || len(forms) != len(files) {
		t.Fatalf("%d forms are recorded of %d files, %v", len(forms), len(files), err)
	}
	for _, want := range forms {
		t.Run(want.YAML, func(t *testing.T) {
			path := filepath.Join("testdata", "forms", want.YAML)
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			cfg, said := yamlcfg.Parse(want.YAML, strings.NewReader(string(text)))
			if cfg == nil {
				t.Fatal(said)
			}
			said.Append(cfg.Lint())
			blocks := modules.BlocksAssumed
			if strings.HasPrefix(want.YAML, "plain_") {
				blocks = modules.BlocksPlain
			}
			m, built := buildWired(cfg, blocks, 1, 64, 64)
			said.Append(built)
			said.Sort()
			checkSaid(t, strings.TrimSuffix(path, ".yaml")+".txt", said.Error())
			if said.HasErrors() != (want.Error != "") {
				t.Fatalf("PyTorch raises %q, and here:\n%v", want.Error, said)
			}
			if m == nil {
				return
			}
			got := m.Summary
			if got.Layers != want.Layers || got.Parameters != want.Parameters || len(got.Rows) != len(want.Rows) {
				t.Fatalf("%d layers, %d parameters, %d rows; PyTorch counts %d, %d, %d",
					got.Layers, got.Parameters, len(got.Rows), want.Layers, want.Parameters, len(want.Rows))
			}
			for i, w := range want.Rows {
				if r := got.Rows[i]; r.Params != w.Params || r.Module != w.Type || r.Arguments != w.Args {
					t.Errorf("row %d: %d %s %s, PyTorch has %d %s %s", i, r.Params, r.Module, r.Arguments, w.Params, w.Type, w.Args)
				}
			}
		})
	}
}

// checkSaid compares a text with a golden file; no file stands for no text.
func checkSaid(t *testing.T, golden, got string) {
	t.Helper()
	if got != "" {
		got += "\n"
	}
	if *update {
		_ = os.Remove(golden)
		if got != "" {
			if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("the diagnostics differ (-want +got):\n%s", diff)
	}
}

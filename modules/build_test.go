package modules_test

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ysc2onnx/diag"
	"ysc2onnx/heads"
	"ysc2onnx/modules"
	"ysc2onnx/onnxbuild"
	"ysc2onnx/yamlcfg"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestDiagnostics holds the whole text of what is said of each testdata/diag/*.yaml to the .txt beside it.
func TestDiagnostics(t *testing.T) {
	files, err := filepath.Glob("testdata/diag/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			_, diags := build(parseFile(t, file), 1, 64, 64)
			got := diags.Error() + "\n"
			golden := strings.TrimSuffix(file, ".yaml") + ".txt"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("the diagnostics differ (-want +got):\n%s", diff)
			}
		})
	}
}

// build resolves the rows of a YAML and lowers them with untrained weights.
func build(cfg *yamlcfg.Model, batch, height, width int64) (*modules.Model, *diag.Diagnostics) {
	return buildWired(cfg, modules.BlocksRepeat, batch, height, width)
}

// buildWired is build for a wiring of C3_ScConv.
func buildWired(cfg *yamlcfg.Model, blocks modules.BlockWiring, batch, height, width int64) (*modules.Model, *diag.Diagnostics) {
	net, diags := modules.Parse(cfg, modules.ParseOptions{Blocks: blocks})
	m, found := modules.Lower(context.Background(), net, modules.Options{
		Batch: onnxbuild.D(batch), Height: onnxbuild.D(height), Width: onnxbuild.D(width), Weights: modules.Seeded(0), Stage: heads.Decoded,
	})
	diags.Append(found)
	diags.Sort()
	if diags.HasErrors() {
		return nil, diags
	}
	m.CountOperations()
	return m, diags
}

// FuzzBuild lowers whatever parses: an error or a graph, never a panic.
func FuzzBuild(f *testing.F) {
	for _, pattern := range []string{"testdata/diag/*.yaml", "../examples/yolov5s*.yaml"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(string(text))
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		cfg, parsed := yamlcfg.Parse("fuzz.yaml", strings.NewReader(text))
		if cfg == nil || len(cfg.Rows) > 200 {
			return
		}
		for i := range cfg.Rows {
			if cfg.Rows[i].Number > 50 {
				return
			}
		}
		m, diags := build(cfg, 1, 64, 96)
		if !parsed.HasErrors() && (m == nil) != diags.HasErrors() {
			t.Errorf("model %v, diagnostics %v", m, diags)
		}
	})
}

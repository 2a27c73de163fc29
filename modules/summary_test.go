package modules_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ysc2onnx/modules"
	"ysc2onnx/yamlcfg"
)

// recorded is what PyTorch counts for a model; testdata/oracle/record_models.py made it.
type recorded struct {
	YAML       string  `json:"yaml"`
	NC         int     `json:"nc"`
	Width      float64 `json:"width_multiple"`
	Layers     int     `json:"layers"`
	Parameters int64   `json:"parameters"`
	GFLOPs     float64 `json:"gflops"`
	Strides    []int64 `json:"strides"`
	Rows       []struct {
		From   json.RawMessage `json:"from"`
		N      int             `json:"n"`
		Params int64           `json:"params"`
		Type   string          `json:"type"`
		Args   string          `json:"args"`
		Shape  []int64         `json:"shape"`
	} `json:"rows"`
}

func parseFile(t *testing.T, path string) *yamlcfg.Model {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	cfg, diags := yamlcfg.Parse(filepath.Base(path), f)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return cfg
}

func buildAt(t *testing.T, cfg *yamlcfg.Model, batch, height, width int64) *modules.Model {
	t.Helper()
	m, diags := build(cfg, batch, height, width)
	if m == nil {
		t.Fatal(diags)
	}
	return m
}

// TestCountsArePyTorchs compares every row of every recorded model: from, n, parameters, class, arguments, shape; and
// the totals.
func TestCountsArePyTorchs(t *testing.T) {
	data, err := os.ReadFile("testdata/oracle/models.json")
	if err != nil {
		t.Fatal(err)
	}
	var models []recorded
	if err := json.Unmarshal(data, &models); err != nil || len(models) != 11 {
		t.Fatalf("%d models, %v", len(models), err)
	}
	for _, want := range models {
		t.Run(fmt.Sprintf("%s-%d-%g", want.YAML, want.NC, want.Width), func(t *testing.T) {
			cfg := parseFile(t, filepath.Join("..", "examples", want.YAML))
			cfg.WidthMultiple = want.Width
			if cfg.NC != want.NC { // the number of classes reaches Detect as an argument
				head := &cfg.Rows[len(cfg.Rows)-1]
				cfg.NC, head.Args[0].Int = want.NC, int64(want.NC)
			}
			small, full := buildAt(t, cfg, 2, 96, 128), buildAt(t, cfg, 1, 640, 640)
			got := full.Summary
			if got.Layers != want.Layers || got.Parameters != want.Parameters {
				t.Errorf("%d layers, %d parameters; PyTorch counts %d, %d", got.Layers, got.Parameters, want.Layers, want.Parameters)
			}
			if math.Abs(got.GFLOPs-want.GFLOPs) > 1e-12*want.GFLOPs {
				t.Errorf("%g GFLOPs, PyTorch counts %g", got.GFLOPs, want.GFLOPs)
			}
			for i, s := range want.Strides {
				if full.Strides[i] != s {
					t.Errorf("strides %v, PyTorch's are %v", full.Strides, want.Strides)
				}
			}
			if len(small.Summary.Rows) != len(want.Rows) {
				t.Fatalf("%d rows, PyTorch has %d", len(small.Summary.Rows), len(want.Rows))
			}
			for i, r := range small.Summary.Rows {
				w := want.Rows[i]
				from := pythonText(t, w.From)
				if r.From != from || r.N != w.N || r.Params != w.Params || r.Module != w.Type || r.Arguments != w.Args {
					t.Errorf("row %d is %+v, PyTorch prints %s %d %d %s %s", i, r, from, w.N, w.Params, w.Type, w.Args)
				}
				if !equalSizes(r.Shape, w.Shape) {
					t.Errorf("row %d gives %v, PyTorch %v", i, r.Shape, w.Shape)
				}
			}
		})
	}
}

func equalSizes(a, b []int64) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// pythonText prints a JSON integer or list of integers as Python does.
func pythonText(t *testing.T, raw json.RawMessage) string {
	t.Helper()
	var n json.Number
	if json.Unmarshal(raw, &n) == nil {
		return n.String()
	}
	var list []int
	if err := json.Unmarshal(raw, &list); err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(fmt.Sprint(list), " ", ", ")
}

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

// recorded is what PyTorch counts for a model; testdata/oracle/record_models.py made it, for stock.json without GFLOPs.
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
	for file, c := range map[string]struct {
		models        int
		height, width int64
	}{"models.json": {11, 96, 128}, "stock.json": {23, 128, 256}} {
		data, err := os.ReadFile("testdata/oracle/" + file)
		if err != nil {
			t.Fatal(err)
		}
		var models []recorded
		if err := json.Unmarshal(data, &models); err != nil || len(models) != c.models {
			t.Fatalf("%s: %d models, %v", file, len(models), err)
		}
		for _, want := range models {
			t.Run(fmt.Sprintf("%s-%d-%g", want.YAML, want.NC, want.Width), func(t *testing.T) {
				want.compare(t, c.height, c.width)
			})
		}
	}
}

// compare builds the model for two images of the given size, and for one of 640 pixels.
func (want recorded) compare(t *testing.T, height, width int64) {
	path := filepath.Join("..", "examples", want.YAML)
	if _, err := os.Stat(path); err != nil {
		path = filepath.Join("testdata", "stock", want.YAML)
	}
	cfg := parseFile(t, path)
	cfg.WidthMultiple = want.Width
	if cfg.NC != want.NC { // the number of classes reaches Detect as an argument
		head := &cfg.Rows[len(cfg.Rows)-1]
		cfg.NC, head.Args[0].Int = want.NC, int64(want.NC)
	}
	small, full := buildAt(t, cfg, 2, height, width), buildAt(t, cfg, 1, 640, 640)
	got := full.Summary
	if got.Layers != want.Layers || got.Parameters != want.Parameters {
		t.Errorf("%d layers, %d parameters; PyTorch counts %d, %d", got.Layers, got.Parameters, want.Layers, want.Parameters)
	}
	if want.GFLOPs != 0 && math.Abs(got.GFLOPs-want.GFLOPs) > 1e-12*want.GFLOPs {
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

// TestSharedParametersCountOnce: the parser makes one instance of the default activation, and PyTorch counts its parameter
// once. YOLOv5 v7.0 says 42 layers and 4,757 parameters of this file.
func TestSharedParametersCountOnce(t *testing.T) {
	got := buildAt(t, parseFile(t, "testdata/shared/prelu.yaml"), 1, 64, 64).Summary
	if got.Layers != 42 || got.Parameters != 4757 {
		t.Errorf("%d layers, %d parameters; PyTorch counts 42, 4757", got.Layers, got.Parameters)
	}
}

package ysc2onnx_test

import (
	"path/filepath"
	"strings"
	"testing"

	"ysc2onnx"
	"ysc2onnx/onnxbuild"
	"ysc2onnx/onnxbuild/onnxfile"
	"ysc2onnx/onnxbuild/passes"
	"ysc2onnx/verify"
	"ysc2onnx/verify/engine"
	"ysc2onnx/verify/ort/orttest"
)

// gated are the flavours of ScConv with discontinuous gates.
var gated = []ysc2onnx.ScConv{ysc2onnx.ScConvMask, ysc2onnx.ScConvNormMask, ysc2onnx.ScConvWhere}

// checkGated exports a model of a flavour with a mistake in what is written, and makes the check of the numbers.
func checkGated(t *testing.T, rt engine.Runtime, flavour ysc2onnx.ScConv, seed uint64, plant func(w *forming)) *verify.Report {
	t.Helper()
	yaml := strings.Replace(string(read(t, subjectPath("c3", ".yaml"))), "width_multiple: 0.125", "width_multiple: 0.25", 1)
	in := ysc2onnx.Input{Name: "c3.yaml", YAML: strings.NewReader(yaml)}
	opt := ysc2onnx.Options{Height: 64, Width: 96, ScConv: flavour, Seed: seed, Runtime: rt, Output: filepath.Join(t.TempDir(), "model.onnx")}
	m, err := ysc2onnx.Lower(t.Context(), in, &opt, func(g *onnxbuild.Graph, opt *ysc2onnx.Options) (*onnxbuild.Written, error) {
		if err := passes.Run(g); err != nil {
			return nil, err
		}
		w, err := g.AtOpset(opt.Opset)
		if err == nil && plant != nil {
			plant(&forming{t, w})
		}
		return w, err
	})
	if err != nil {
		t.Fatal(err)
	}
	w, err := m.Written(m.Model, m.Size)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := onnxfile.WriteFile(t.Context(), opt.Output, w, onnxfile.FileOptions{}); err != nil {
		t.Fatal(err)
	}
	rep, err := ysc2onnx.SelfCheck(t.Context(), m, w, &opt)
	if err != nil {
		t.Fatal(err)
	}
	return rep
}

// TestGatesOfExports: an untrained model gates values so small that rounding decides many of them, and the check of the
// numbers says which, with no tolerance wider. It would be no test if none were decided otherwise by the runtime.
func TestGatesOfExports(t *testing.T) {
	t.Parallel()
	rt := orttest.Runtime(t)
	flips := 0
	for _, flavour := range gated {
		for seed := range uint64(4) {
			rep := checkGated(t, rt, flavour, seed, nil)
			if !rep.OK() {
				t.Errorf("%s, seed %d: %+v", flavour, seed, rep.Failed())
				continue
			}
			gates := rep.Numbers.Gates
			if gates == nil || gates.Comparisons == 0 {
				t.Fatalf("%s: gates %+v", flavour, gates)
			}
			flips += len(gates.Flips)
			for _, c := range rep.Checks {
				said := strings.Contains(c.Detail, " gates within rounding of their thresholds decided as the reference decides them")
				if c.Name == numbers && said != (len(gates.Flips) > 0) {
					t.Errorf("%s, seed %d: %d flips, and it says %s", flavour, seed, len(gates.Flips), c.Detail)
				}
			}
		}
	}
	if flips == 0 {
		t.Error("no gate was decided otherwise")
	}
}

// TestGatesOfExportsFaults: what is wrong with a gate is not put down to rounding.
func TestGatesOfExportsFaults(t *testing.T) {
	t.Parallel()
	rt := orttest.Runtime(t)
	swap := func(node string, i, j int) func(w *forming) {
		return func(w *forming) { n := w.node(node); n.Inputs[i], n.Inputs[j] = n.Inputs[j], n.Inputs[i] }
	}
	other := func(node, op string) func(w *forming) { return func(w *forming) { w.node(node).Op = op } }
	const sru = "model.2/m/m.0/SRU/"
	for _, test := range []struct {
		what    string
		flavour ysc2onnx.ScConv
		plant   func(w *forming)
	}{
		{"a gate the other way round", ysc2onnx.ScConvMask, other(sru+"GreaterOrEqual", "Less")},
		{"the redundant part gated as the informative one", ysc2onnx.ScConvMask, other(sru+"Less", "GreaterOrEqual")},
		{"the input gated for what is normalised", ysc2onnx.ScConvNormMask, func(w *forming) {
			w.node(sru + "Mul_1").Inputs[1] = w.node(sru + "gn/Reshape").Inputs[0]
		}},
		{"r and 1 swapped", ysc2onnx.ScConvWhere, swap(sru+"Where", 1, 2)},
		{"r and 0 swapped", ysc2onnx.ScConvWhere, swap(sru+"Where_1", 1, 2)},
	} {
		t.Run(test.what, func(t *testing.T) {
			rep := checkGated(t, rt, test.flavour, 1, test.plant)
			if failed := rep.Failed(); len(failed) == 0 || failed[0].Name != numbers || !strings.Contains(failed[0].Detail, "layer 2 (C3_ScConv) is the first to differ") {
				t.Errorf("%+v", rep.Checks)
			}
		})
	}
}

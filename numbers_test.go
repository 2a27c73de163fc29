package ysc2onnx_test

import (
	"flag"
	"fmt"
	"path/filepath"
	"testing"

	"ysc2onnx"
	"ysc2onnx/verify"
	"ysc2onnx/verify/ort/orttest"
)

// seeds widens TestNoFalseAlarm: go test . -run NoFalseAlarm -seeds 50 -timeout 2h
var seeds = flag.Int("seeds", 1, "how many seeds the examples are exported with")

// TestNoFalseAlarm: untrained models of all seeds, at all opsets, fused or not, pass the check of their numbers. Deep maps of
// such models hold numbers of 1e-8, which makes them the hardest ones. The files are written, and small: their size decides
// nothing, since the numbers are those of a sample.
func TestNoFalseAlarm(t *testing.T) {
	t.Parallel()
	rt := orttest.Runtime(t)
	models, err := filepath.Glob("examples/*.yaml")
	if err != nil || len(models) != 18 {
		t.Fatalf("found %d models, %v", len(models), err)
	}
	worst := map[string]float64{}
	for seed := range *seeds {
		for i, path := range models {
			opt := ysc2onnx.Options{
				Height: 96, Width: 64, Seed: uint64(seed), Runtime: rt,
				Opset:      ysc2onnx.MinOpset + (seed*5+i)%(ysc2onnx.MaxOpset-ysc2onnx.MinOpset+1),
				NoOptimize: seed%3 == 2, Dynamic: ysc2onnx.Dynamic((seed + i) / len(models) % 3),
			}
			name := filepath.Base(path)
			t.Run(fmt.Sprintf("%s/seed-%d/opset-%d", name, seed, opt.Opset), func(t *testing.T) {
				in := narrow(t, name)
				if *seeds > 1 { // it takes its time anyway
					in = example(t, name)
				}
				note(t, worst, convert(t, in, opt))
			})
		}
	}
	for kind, largest := range worst {
		t.Logf("%s: largest error %.1e over %d seeds", kind, largest, *seeds)
	}
}

// TestSizesAreNoFault: an image as small as the model takes, whose maps have one or two pixels, the sample's own size turned
// round, and more images than the sample has.
func TestSizesAreNoFault(t *testing.T) {
	t.Parallel()
	rt := orttest.Runtime(t)
	for _, name := range []string{"yolov5n.yaml", "yolov5s_ScConv_replace.yaml", "yolov5s_C3ScConv.yaml"} {
		sizes := [][3]int{{1, 32, 64}, {3, 64, 32}, {2, 96, 64}, {1, 32, 320}}
		if name != "yolov5s_C3ScConv.yaml" { // which has the modules of both others
			sizes = sizes[:2]
		}
		for _, size := range sizes {
			t.Run(fmt.Sprintf("%s/%v", name, size), func(t *testing.T) {
				opt := ysc2onnx.Options{Batch: size[0], Height: size[1], Width: size[2], Runtime: rt}
				note(t, map[string]float64{}, convert(t, narrow(t, name), opt))
			})
		}
	}
}

// note keeps the largest errors of layers, boxes and scores, which have to have been compared.
func note(t *testing.T, worst map[string]float64, r *ysc2onnx.Result) {
	t.Helper()
	if !checked(r.Checks, "weights") || !checked(r.Checks, "numbers") {
		t.Fatalf("only %+v was checked", r.Checks.Checks)
	}
	for _, row := range r.Checks.Numbers.Rows {
		kind := row.Name
		if row.Unit == verify.OfLargest {
			kind = "layers"
			worst["layers, rms"] = max(worst["layers, rms"], row.RMS)
		}
		worst[kind] = max(worst[kind], row.MaxRel)
	}
}

// TestTrainedNumbers: models that were trained pass, too, with the numbers that training leaves.
func TestTrainedNumbers(t *testing.T) {
	t.Parallel()
	rt := orttest.Runtime(t)
	worst := map[string]float64{}
	for _, name := range []string{"data/yolov5n-coco.pt", "fixtures/insert.pt", "fixtures/replace.pt", "fixtures/c3.pt", "fixtures/c3-noinsert.pt",
		"calibrated/insert.pt", "calibrated/replace.pt", "calibrated/c3.pt", "calibrated/c3-noinsert.pt"} {
		for _, opt := range []ysc2onnx.Options{
			{Opset: ysc2onnx.MinOpset}, {Opset: ysc2onnx.MinOpset, Dynamic: ysc2onnx.DynamicAll},
			{Opset: 17}, {Opset: ysc2onnx.MaxOpset, Dynamic: ysc2onnx.DynamicAll},
		} {
			opt.Height, opt.Width, opt.Runtime = 96, 64, rt
			t.Run(fmt.Sprintf("%s/opset-%d/dynamic-%d", filepath.Base(name), opt.Opset, opt.Dynamic), func(t *testing.T) {
				note(t, worst, convert(t, openCheckpoint(t, shared(t, name)), opt))
			})
		}
	}
	for kind, largest := range worst {
		t.Logf("%s: largest error %.1e", kind, largest)
	}
}

// checked reports whether a check was made and held.
func checked(rep *verify.Report, name string) bool {
	for _, c := range rep.Checks {
		if c.Name == name {
			return c.OK
		}
	}
	return false
}

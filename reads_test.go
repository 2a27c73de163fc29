package ysc2onnx_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"ysc2onnx"
	"ysc2onnx/internal/foreign"
	"ysc2onnx/internal/pipeline"
	"ysc2onnx/verify"
	"ysc2onnx/verify/ort/orttest"
)

// readings is a context that counts how often the structure of a file is read: its reader asks once in each graph whether
// to go on.
type readings struct {
	context.Context
	n *atomic.Int64
}

// Err implements [context.Context].
func (r readings) Err() error {
	var callers [8]uintptr
	frames := runtime.CallersFrames(callers[:runtime.Callers(2, callers[:])])
	for more := true; more; {
		var frame runtime.Frame
		frame, more = frames.Next()
		if strings.HasSuffix(frame.Function, "verify.(*checker).graph") {
			r.n.Add(1)
			break
		}
	}
	return r.Context.Err()
}

// TestStructureIsReadOnce: an export with all its checks reads the structure of the file once, and that of the small model
// which is run for the numbers; so does a judgement by a checkpoint, of the two files that it compares.
func TestStructureIsReadOnce(t *testing.T) {
	rt := orttest.Runtime(t)
	yaml, err := os.ReadFile(filepath.Join("examples", "yolov5n.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	count := func(what string, want int64, run func(ctx context.Context) error) {
		t.Helper()
		r := readings{t.Context(), new(atomic.Int64)}
		if err := run(r); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if got := r.n.Load(); got != want {
			t.Errorf("%s: structures were read %d times, want %d", what, got, want)
		}
	}
	path := filepath.Join(t.TempDir(), "m.onnx")
	export := func(opt ysc2onnx.Options) func(context.Context) error {
		return func(ctx context.Context) error {
			opt.Height, opt.Width, opt.Output, opt.Runtime, opt.Check = 64, 96, path, rt, ysc2onnx.CheckFull
			_, err := ysc2onnx.Convert(ctx, ysc2onnx.Input{Name: "yolov5n.yaml", YAML: bytes.NewReader(yaml)}, opt)
			return err
		}
	}
	count("an export of open sizes", 1, export(ysc2onnx.Options{Dynamic: ysc2onnx.DynamicAll}))
	count("an export", 2, export(ysc2onnx.Options{}))
	count("a check without a model", 1, func(ctx context.Context) error {
		_, err := verify.Alone(ctx, rt, path)
		return err
	})
	count("a check of a file alone, and its profile", 1, func(ctx context.Context) error {
		report, err := verify.Alone(ctx, rt, path)
		if err != nil {
			return err
		}
		inputs, err := report.Facts.DrawInputs(64, 96, 0)
		if err != nil {
			return err
		}
		_, err = verify.Measure(ctx, rt, path, report.Facts, inputs, 1)
		return err
	})
	count("a comparison of two files", 2, func(ctx context.Context) error {
		_, err := verify.AgainstFile(ctx, rt, path, path, verify.AgainstOptions{})
		return err
	})
	judged := written(t, theirs(t, "fused.onnx"))
	count("a judgement", 2, func(ctx context.Context) error {
		_, err := ysc2onnx.Against(ctx, rt, judged, openCheckpoint(t, filepath.Join("testdata", "changed.pt")), ysc2onnx.AgainstOptions{})
		return err
	})
	count("a judgement by our own export, which is checked in full", 3, func(ctx context.Context) error {
		in := pipeline.Source(openCheckpoint(t, filepath.Join("testdata", "changed.pt")))
		_, err := foreign.Judge(ctx, rt, judged, in, foreign.Options{MaxReference: 1e-9})
		return err
	})
}

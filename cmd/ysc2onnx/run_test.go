package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ysc2onnx"
	"ysc2onnx/modules"
	"ysc2onnx/onnxbuild/onnxfile"
	"ysc2onnx/verify"
)

// differs is how a wrong layer is told of.
const differs = "layer 9 (ScConv) is the first to differ: 1 of 3072 values (0.0326%) are outside the tolerance 2e-05 of the largest value; the worst is at [0, 1, 1, 2]: 0.5, want 0.25"

// failedResult is an export whose file gave other numbers than the reference, and NaN.
var failedResult = ysc2onnx.Result{
	Summary: &modules.Summary{Parameters: 1_872_157, Stride: 32}, Height: 640, Width: 640, Batch: 1, Opset: 17, IRVersion: 8, Nodes: 332,
	Bytes: 7_615_339, Elapsed: 90 * time.Millisecond,
	Checks: &verify.Report{Path: "m.onnx", Runtime: "ONNX Runtime 1.30.0", Checks: []verify.Check{
		{Name: "structure", OK: true, Detail: "332 nodes"},
		{Name: "numbers", Detail: differs},
		{Name: "runtime", Detail: "output0: 3 of 85 values are not finite, the first is NaN at [0, 0, 4]"},
	}},
}

// TestFailedCheck holds what a user sees of a file that failed: the program exits with 3.
func TestFailedCheck(t *testing.T) {
	var stdout, stderr bytes.Buffer
	a := &app{stdout: &stdout, stderr: &stderr, started: true}
	c := conversion{app: a, size: size{640, 640}}
	if code := a.finish(c.report("m.onnx", &failedResult, "")); code != exitUnsound {
		t.Errorf("exit code %d, want %d", code, exitUnsound)
	}
	wantOut := `m.onnx   opset 17, IR 8, 1,872,157 parameters, 7.3 MiB, 0.09 s
  structure  ok   332 nodes
  numbers    FAILED   ` + differs + `
  runtime    FAILED   output0: 3 of 85 values are not finite, the first is NaN at [0, 0, 4]
`
	wantErr := "ysc2onnx: m.onnx is wrong: numbers: " + differs + "; runtime: output0: 3 of 85 values are not finite, the first is NaN at [0, 0, 4]; the file is kept\n"
	if stdout.String() != wantOut {
		t.Errorf("stdout is\n%swant\n%s", stdout.String(), wantOut)
	}
	if stderr.String() != wantErr {
		t.Errorf("stderr is\n%swant\n%s", stderr.String(), wantErr)
	}
}

func TestFailedCheckAsJSON(t *testing.T) {
	var stdout, stderr bytes.Buffer
	a := &app{stdout: &stdout, stderr: &stderr, started: true, json: true}
	c := conversion{app: a, size: size{640, 640}}
	if code := a.finish(c.report("m.onnx", &failedResult, "")); code != exitUnsound {
		t.Errorf("exit code %d, want %d", code, exitUnsound)
	}
	var got struct {
		Output  string
		Checked bool
		Error   string
		Checks  verify.Report
	}
	if err := json.Unmarshal(stdout.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if got.Output != "m.onnx" || got.Checked || got.Checks.OK() || !strings.HasPrefix(got.Error, "m.onnx is wrong: numbers: layer 9 (ScConv) is the first to differ: ") {
		t.Errorf("the document is %+v", got)
	}
	if stderr.Len() > 0 {
		t.Errorf("stderr is %q, want nothing", stderr.String())
	}
}

// TestExternalData holds the line that tells of a second file.
func TestExternalData(t *testing.T) {
	var stdout bytes.Buffer
	c := conversion{app: &app{stdout: &stdout}, size: size{640, 640}}
	r := failedResult
	r.Checks = nil
	r.File = &onnxfile.FileInfo{Path: "out/m.onnx", DataPath: "out/m.onnx.data", DataSize: 3 << 30}
	if err := c.report("m.onnx", &r, "--no-verify was given"); err != nil {
		t.Fatal(err)
	}
	want := "  data       m.onnx.data   the weights, 3.0 GiB; keep it beside the model\n  not checked: --no-verify was given\n"
	if !strings.HasSuffix(stdout.String(), want) {
		t.Errorf("stdout is\n%swant it to end in\n%s", stdout.String(), want)
	}
}

// TestInterrupted ends the context while the model is awaited from a pipe that stays open: the program returns, and
// what was there before is as it was.
func TestInterrupted(t *testing.T) {
	folder := t.TempDir()
	target := filepath.Join(folder, "m.onnx")
	if err := os.WriteFile(target, []byte("before"), 0o600); err != nil {
		t.Fatal(err)
	}
	never, writer := io.Pipe()
	defer func() { _ = writer.Close() }()
	ctx, cancel := context.WithCancel(context.Background())
	var stdout, stderr bytes.Buffer
	time.AfterFunc(10*time.Millisecond, cancel)
	if code := run(ctx, []string{"-", "-o", target}, never, &stdout, &stderr); code != exitFailure {
		t.Errorf("exit code %d, want %d", code, exitFailure)
	}
	if want := "ysc2onnx: interrupted\n"; stderr.String() != want {
		t.Errorf("stderr is %q, want %q", stderr.String(), want)
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(target); err != nil || string(text) != "before" || len(entries) != 1 {
		t.Errorf("the folder holds %v, the file %q (%v); want what was there before", entries, text, err)
	}
}

// TestBrokenOutput holds that a report which cannot be written is a failure.
func TestBrokenOutput(t *testing.T) {
	for _, args := range [][]string{{"version"}, {"version", "--json"}} {
		var stderr bytes.Buffer
		closed, writer := io.Pipe()
		_ = closed.Close() // never fails
		if code := run(context.Background(), args, nil, writer, &stderr); code != exitFailure {
			t.Errorf("%q: exit code %d, want %d", args, code, exitFailure)
		}
	}
}

// TestProgress draws a bar where work is long, and none where it is not.
func TestProgress(t *testing.T) {
	var screen bytes.Buffer
	long := &progress{w: &screen, start: time.Now()}
	long.update("writing", 50, 100)
	long.update("writing", 100, 100)
	long.update("checking", 1, 2)
	long.finish()
	long.finish()
	for _, want := range []string{"writing", "50%", "checking"} {
		if !strings.Contains(screen.String(), want) {
			t.Errorf("the screen has no %q: %q", want, screen.String())
		}
	}
	screen.Reset()
	short := &progress{w: &screen, start: time.Now(), wait: time.Hour}
	short.update("writing", 50, 100)
	short.finish()
	hidden := (&app{stderr: &screen}).newProgress()
	hidden.start = hidden.start.Add(-time.Hour)
	hidden.update("writing", 50, 100)
	hidden.finish()
	if screen.Len() > 0 {
		t.Errorf("the screen shows %q, want nothing", screen.String())
	}
}

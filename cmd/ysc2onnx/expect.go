package main

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"sync"

	"ysc2onnx/verify"
)

// checkAlone checks a file against what it says of itself. A nil rt leaves out running it.
func checkAlone(ctx context.Context, rt verify.Runtime, path string) (*verify.Report, error) {
	facts, err := verify.Structure(ctx, path)
	if err != nil {
		return nil, err
	}
	if err := facts.Err(); err != nil {
		return &verify.Report{Path: path, Facts: facts, Checks: []verify.Check{{Name: "structure", Detail: err.Error()}}}, nil
	}
	want, err := declared(facts)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if rt == nil {
		return verify.File(ctx, nil, path, want)
	}
	recorder := &recorder{Runtime: rt}
	want.OutputDims = func(batch, height, width int) map[string][]int64 {
		return recorder.dims(facts.Outputs, map[string]int{"batch": batch, "height": height, "width": width})
	}
	report, err := verify.File(ctx, recorder, path, want)
	if err == nil && report.NotRun != "" {
		return nil, fmt.Errorf("%s: %s", path, report.NotRun)
	}
	return report, err
}

// declared makes an expectation of what a file declares. Where it leaves sizes open, those that it was exported for
// are in its metadata.
func declared(facts *verify.Facts) (verify.Expect, error) {
	if len(facts.Inputs) != 1 || len(facts.Inputs[0].Dims) != 4 || facts.Inputs[0].Dims[1] < 1 || facts.Inputs[0].DType != verify.Float32 {
		return verify.Expect{}, fmt.Errorf("the model's inputs are %v; one float32 image was expected, [batch, channels, height, width]", facts.Inputs)
	}
	if len(facts.Outputs) == 0 {
		return verify.Expect{}, fmt.Errorf("the model has no outputs")
	}
	dims := facts.Inputs[0].Dims
	height, width := exportedSize(facts.Metadata["imgsz"])
	want := verify.Expect{
		Input: facts.Inputs[0], Outputs: facts.Outputs, DynamicBatch: dims[0] < 0, DynamicSize: dims[2] < 0 || dims[3] < 0,
		Stride: number(facts.Metadata["stride"], 32), Batch: number(facts.Metadata["batch"], 1), Height: height, Width: width,
		OutputDims: func(int, int, int) map[string][]int64 { return nil },
	}
	for i, field := range []*int{&want.Batch, nil, &want.Height, &want.Width} {
		if field != nil && dims[i] > 0 {
			*field = int(dims[i])
		}
	}
	return want, nil
}

// sizeText is how the metadata spell a size: a Python list.
var sizeText = regexp.MustCompile(`^\[(\d{1,5}), (\d{1,5})\]$`)

// exportedSize reads the size from the metadata, 640x640 where it is not there.
func exportedSize(text string) (height, width int) {
	match := sizeText.FindStringSubmatch(text)
	if match == nil {
		return 640, 640
	}
	return number(match[1], 640), number(match[2], 640)
}

// number reads a whole number from 1 on, else gives the default.
func number(text string, otherwise int) int {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > 1<<16 {
		return otherwise
	}
	return n
}

// recorder is a Runtime that remembers the shapes of the last outputs: a file does not say how many boxes a size
// gives, so for that dimension what came out stands for what was expected.
type recorder struct {
	verify.Runtime
	mu   sync.Mutex
	last map[string][]int64
}

// Open implements verify.Runtime.
func (r *recorder) Open(ctx context.Context, path string, opts verify.SessionOptions) (verify.Session, error) {
	session, err := r.Runtime.Open(ctx, path, opts)
	if err != nil {
		return nil, err
	}
	return &recordedSession{session, r}, nil
}

type recordedSession struct {
	verify.Session
	to *recorder
}

// Run implements verify.Session.
func (s *recordedSession) Run(ctx context.Context, inputs []verify.Tensor) ([]verify.Tensor, error) {
	outputs, err := s.Session.Run(ctx, inputs)
	s.to.mu.Lock()
	defer s.to.mu.Unlock()
	s.to.last = map[string][]int64{}
	for _, t := range outputs {
		s.to.last[t.Name] = t.Shape
	}
	return outputs, err
}

// dims gives the outputs' shapes: fixed dimensions as declared, open ones by their name, others as they came out.
func (r *recorder) dims(outputs []verify.IO, sizes map[string]int) map[string][]int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	shapes := map[string][]int64{}
	for _, out := range outputs {
		shape := slices.Clone(out.Dims)
		for i := range shape {
			if shape[i] >= 0 {
				continue
			}
			if i < len(out.DimNames) && sizes[out.DimNames[i]] > 0 {
				shape[i] = int64(sizes[out.DimNames[i]])
			} else if last := r.last[out.Name]; i < len(last) {
				shape[i] = last[i]
			}
		}
		shapes[out.Name] = shape
	}
	return shapes
}

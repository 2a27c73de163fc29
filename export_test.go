package ysc2onnx

import (
	"context"

	"ysc2onnx/onnxbuild"
	"ysc2onnx/verify"
)

// Lowered is a model as it is lowered, before any pass and opset form.
type Lowered = lowered

// Lower gives tests a model as it is lowered, to be exported by a function of their own in the place of passes and form.
func Lower(ctx context.Context, in Input, opt *Options, export func(*onnxbuild.Graph, *Options) (*onnxbuild.Written, error)) (*Lowered, error) {
	if err := opt.complete(); err != nil {
		return nil, err
	}
	model, _, err := build(ctx, in, opt)
	if err == nil {
		model.export = export
	}
	return model, err
}

// Written is the model in the form that its export gives it.
func (m *lowered) Written(opt *Options) (*onnxbuild.Written, error) { return m.written(m.Model, opt) }

// Check makes the checks of an export.
func (m *lowered) Check(ctx context.Context, w *onnxbuild.Written, opt *Options) (*verify.Report, error) {
	return check(ctx, m, w, opt)
}

// SetMaxReference sets up to which work the reference interpreter is asked, and gives what sets it back.
func SetMaxReference(gflops float64) (restore func()) {
	old := maxReference
	maxReference = gflops
	return func() { maxReference = old }
}

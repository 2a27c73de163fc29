package ysc2onnx

import (
	"context"

	"ysc2onnx/internal/pipeline"
	"ysc2onnx/internal/selfcheck"
	"ysc2onnx/onnxbuild"
	"ysc2onnx/verify"
)

// Lower gives tests a model as it is lowered, to be exported by a function of their own in the place of passes and form.
func Lower(ctx context.Context, in Input, opt *Options, form func(*onnxbuild.Graph, *Options) (*onnxbuild.Written, error)) (*pipeline.Model, error) {
	how, err := opt.pipeline()
	if err != nil {
		return nil, err
	}
	opt.Opset = how.Opset
	model, _, err := pipeline.Build(ctx, pipeline.Source(in), how)
	if err == nil {
		model.Form = func(g *onnxbuild.Graph) (*onnxbuild.Written, error) { return form(g, opt) }
	}
	return model, err
}

// SelfCheck makes the checks of an export.
func SelfCheck(ctx context.Context, m *pipeline.Model, w *onnxbuild.Written, opt *Options) (*verify.Report, error) {
	return selfcheck.File(ctx, opt.Output, m, w, selfcheck.Options{Runtime: opt.Runtime, Full: opt.Check == CheckFull, Seed: opt.Seed})
}

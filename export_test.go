package ysc2onnx

import (
	"context"

	"ysc2onnx/onnxbuild"
	"ysc2onnx/verify"
)

// Lowered is a model as it is lowered, before any pass and opset form.
type Lowered = lowered

// Lower gives tests a model as it is lowered.
func Lower(ctx context.Context, in Input, opt *Options) (*Lowered, error) {
	if err := opt.complete(); err != nil {
		return nil, err
	}
	model, _, err := build(ctx, in, opt)
	return model, err
}

// CheckAs makes the checks of an export for a file, opt.Output, of the form w that the function form gives the model, as
// the passes and the opset do by right.
func CheckAs(ctx context.Context, m *Lowered, w *onnxbuild.Written, opt *Options, form func(*onnxbuild.Graph) (*onnxbuild.Written, error)) (*verify.Report, error) {
	want, _ := meant(ctx, m, w, opt)
	if s := want.Sample; s.Model != nil {
		s.Model = func(stored func(string) (verify.Stored, bool)) ([]byte, error) {
			at := *opt
			at.Batch, at.Height, at.Width = s.Batch, s.Height, s.Width
			small, err := form(m.again(ctx, &at).Graph)
			if err != nil {
				return nil, err
			}
			return sharing(ctx, small, w, stored)
		}
	}
	return verify.File(ctx, opt.Runtime, opt.Output, want)
}

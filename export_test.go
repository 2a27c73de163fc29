package ysc2onnx

import (
	"context"

	"ysc2onnx/modules"
)

// Lower gives tests the model as it is lowered, before any pass and opset form.
func Lower(ctx context.Context, in Input, opt *Options) (*modules.Model, error) {
	if err := opt.complete(); err != nil {
		return nil, err
	}
	model, _, _, err := build(ctx, in, opt)
	return model, err
}

package ysc2onnx

import (
	"context"

	"ysc2onnx/diag"
	"ysc2onnx/internal/foreign"
	"ysc2onnx/internal/pipeline"
	"ysc2onnx/verify"
	"ysc2onnx/verify/engine"
)

// AgainstOptions say how [Against] compares.
type AgainstOptions struct {
	Height, Width int    // of the image, where the file leaves its size open; 0 for three by four strides
	Seed          uint64 // of the noise that is the input
	ScConv        ScConv // as in [Options]
	Strict        bool   // as in [Options]

	Compare verify.AgainstOptions // tolerances, and who observes
}

// Verdict is what [Against] finds.
type Verdict struct {
	*verify.Judgement
	Exact    bool              `json:"exact"` // the file was compared with the reference interpreter, in float64
	Assumed  string            `json:"assumed,omitempty"`
	Ours     *verify.Report    `json:"ours,omitempty"`
	Warnings *diag.Diagnostics `json:"warnings,omitempty"`
}

// Against compares the ONNX file at path, which any exporter may have made, with a checkpoint, or with a YAML and its
// weights: the model is lowered for the file's size and computed by the reference interpreter, in float64, and the file's
// weights, layers and outputs are compared with it on seeded noise. See [verify.Judge].
//
// An error says why that could not be done; what differs is in the verdict.
func Against(ctx context.Context, rt engine.Runtime, path string, in Input, opt AgainstOptions) (*Verdict, error) {
	if err := opt.ScConv.check(); err != nil {
		return nil, err
	}
	v, err := foreign.Judge(ctx, rt, path, pipeline.Source(in), foreign.Options{
		Height: opt.Height, Width: opt.Width, Seed: opt.Seed, ScConv: string(opt.ScConv), Strict: opt.Strict, Compare: opt.Compare,
	})
	return (*Verdict)(v), err
}

package ysc2onnx

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ysc2onnx/diag"
	"ysc2onnx/internal/pipeline"
	"ysc2onnx/internal/selfcheck"
	"ysc2onnx/modules"
	"ysc2onnx/onnxbuild"
	"ysc2onnx/onnxbuild/onnxfile"
)

// Convert turns a model YAML into an ONNX file and checks the file. An error of the YAML is a [*diag.Diagnostics]; a
// cancelled context ends the work with its error. After any error the previous file is unchanged.
//
// A file that was written and failed a check is not an error: see [Result.Checks].
func Convert(ctx context.Context, in Input, opt Options) (*Result, error) {
	start := time.Now()
	how, err := opt.pipeline()
	if err != nil {
		return nil, err
	}
	model, warnings, err := pipeline.Build(ctx, pipeline.Source(in), how)
	if err != nil {
		return nil, err
	}
	written, err := model.Written(model.Model, model.Size)
	if err != nil {
		return nil, model.Trained.RefuseNotFinite(ctx, warnings, err)
	}
	r := &Result{
		Summary: &model.Summary, Warnings: warnings, Height: model.Size.Height, Width: model.Size.Width, Batch: model.Size.Batch,
		Opset: written.Opset, IRVersion: written.IRVersion, Nodes: len(written.Nodes), Assumed: model.Trained.Assumed(),
	}
	var exact bool
	if r.Losses, exact, err = pipeline.Losses(ctx, written); err != nil {
		return nil, err
	}
	if err := write(ctx, written, &opt, r); err != nil {
		return nil, model.Trained.RefuseNotFinite(ctx, warnings, err)
	}
	if err := model.Trained.WarnNotFinite(ctx, warnings); err != nil {
		return nil, err
	}
	warnings.Allow(opt.Allow...)
	r.Elapsed = time.Since(start)
	if opt.Output != "" && opt.Check != CheckNone {
		r.Checks, err = selfcheck.File(ctx, opt.Output, model, written, selfcheck.Options{Runtime: opt.Runtime, Full: opt.Check == CheckFull, ExactWeights: exact, Seed: opt.Seed})
	}
	return r, err
}

// Summarize counts a model's layers, parameters and operations, as YOLOv5 prints them when training begins. Of the
// options, Height, Width, Batch, Strict and Allow matter. The diagnostics are the warnings; errors are as in [Convert].
func Summarize(ctx context.Context, in Input, opt Options) (*modules.Summary, *diag.Diagnostics, error) {
	opt.Dynamic = Static
	how, err := opt.pipeline()
	if err != nil {
		return nil, nil, err
	}
	model, warnings, err := pipeline.Build(ctx, pipeline.Source(in), how)
	if err != nil {
		return nil, nil, err
	}
	return &model.Summary, warnings, nil
}

// pipeline is how a model is built with these options.
func (o Options) pipeline() (pipeline.Options, error) {
	how := pipeline.Options{
		Size:  pipeline.Size{Batch: o.Batch, Height: o.Height, Width: o.Width, Dynamic: pipeline.Dynamic(o.Dynamic)},
		Opset: o.Opset, Seed: o.Seed, NoOptimize: o.NoOptimize, Precision: pipeline.Precision(o.Half), Modules: o.Modules, Head: o.Head, ScConv: string(o.ScConv), Strict: o.Strict,
		Allow:  o.Allow,
		Blocks: modules.BlockWiring(o.C3ScConv),
	}
	if o.Half < HalfNone || o.Half > HalfFull {
		return how, fmt.Errorf("half is %d, expected HalfNone, HalfWeights or HalfFull", o.Half)
	}
	return how, errors.Join(how.Complete(), o.ScConv.check(), o.C3ScConv.check())
}

// threshold is the size above which the weights go into a second file; 0 for that of protobuf.
func (o *Options) threshold() int64 {
	if o.ExternalData {
		return 1
	}
	return 0
}

// write puts the model where the options say.
func write(ctx context.Context, w *onnxbuild.Written, opt *Options, r *Result) error {
	progress := func(done, total int64) {
		if opt.Progress != nil {
			opt.Progress("writing", done, total)
		}
	}
	if opt.Output != "" {
		info, err := onnxfile.WriteFile(ctx, opt.Output, w, onnxfile.FileOptions{Version: Version, Sync: opt.Sync, ExternalThreshold: opt.threshold(), Progress: progress})
		if err != nil {
			return err
		}
		r.File, r.Bytes = info, info.Size+info.DataSize
		return nil
	}
	layout, err := onnxfile.Plan(w, onnxfile.Options{Version: Version})
	if err != nil {
		return err
	}
	r.Bytes = layout.Size() + layout.DataSize()
	if opt.Writer == nil {
		return nil
	}
	if layout.DataSize() > 0 {
		return fmt.Errorf("the model has %d bytes, and more than 2 GB cannot be in one stream: write it to a file", r.Bytes)
	}
	return layout.Write(ctx, opt.Writer, nil, progress)
}

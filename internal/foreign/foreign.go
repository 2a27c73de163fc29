// Package foreign judges an ONNX file that any exporter may have made by the checkpoint that it was made from.
package foreign

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"

	"ysc2onnx/diag"
	"ysc2onnx/internal/pipeline"
	"ysc2onnx/internal/selfcheck"
	"ysc2onnx/internal/version"
	"ysc2onnx/modules"
	"ysc2onnx/onnxbuild/onnxfile"
	"ysc2onnx/verify"
	"ysc2onnx/verify/engine"
)

// Options say how [Judge] compares.
type Options struct {
	Height, Width int    // of the image, where the file leaves its size open; 0 for three by four strides
	Seed          uint64 // of the noise that is the input
	ScConv        string // as in [pipeline.Options]
	Strict        bool   // as in [pipeline.Options]

	// MaxReference is the work, in GFLOPs, up to which the reference interpreter computes what the file should; 0 for the usual.
	MaxReference float64

	Compare verify.AgainstOptions // tolerances, and who observes
}

// Verdict is what [Judge] finds.
type Verdict struct {
	*verify.Judgement
	Exact    bool              `json:"exact"` // the file was compared with the reference interpreter, in float64
	Assumed  string            `json:"assumed,omitempty"`
	Ours     *verify.Report    `json:"ours,omitempty"`
	Warnings *diag.Diagnostics `json:"warnings,omitempty"`
}

// maxReference is the work, in GFLOPs, up to which the reference interpreter computes what a file should: a quarter of a
// minute on two cores. Beyond it ONNX Runtime does, on a file of ours that the interpreter checks for a small image.
const maxReference = 25.0

// maxCompare bounds the input: 27 images of 640x640.
const maxCompare = 1 << 25

// Judge compares the ONNX file at path, which any exporter may have made, with a checkpoint, or with a YAML and its
// weights: the model is lowered for the file's size and computed by the reference interpreter, in float64, and the file's
// weights, layers and outputs are compared with it on seeded noise. See [verify.Judge].
//
// An error says why that could not be done; what differs is in the verdict.
func Judge(ctx context.Context, rt engine.Runtime, path string, in pipeline.Source, opt Options) (_ *Verdict, err error) {
	facts, err := verify.Structure(ctx, path)
	if err != nil {
		return nil, err
	}
	size, err := imageOf(facts, path)
	if err != nil {
		return nil, err
	}
	m, warnings, err := sized(ctx, in, size, &opt)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "ysc2onnx-against-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	ours := filepath.Join(dir, "model.onnx")
	written, err := m.Written(m.Model, m.Size)
	if err != nil {
		return nil, err
	}
	if _, err := onnxfile.WriteFile(ctx, ours, written, onnxfile.FileOptions{Version: version.Version}); err != nil {
		return nil, err
	}
	input := engine.Tensor{Name: "input", Shape: []int64{int64(m.Size.Batch), channelsOf(m.Model), int64(m.Size.Height), int64(m.Size.Width)}}
	if n := float64(m.Size.Batch) * float64(input.Shape[1]) * float64(m.Size.Height) * float64(m.Size.Width); n > maxCompare {
		return nil, fmt.Errorf("an input of %s is larger than a comparison allows (%d values)", engine.ShapeText(input.Shape), maxCompare)
	}
	input.Floats = pixels(opt.Seed, input.Shape)
	v := &Verdict{Warnings: warnings, Assumed: m.Trained.Assumed(), Exact: m.Summary.GFLOPs*float64(m.Size.Batch) <= cmp.Or(opt.MaxReference, maxReference)}
	var known verify.Reference
	var read *verify.Facts // of our own file
	if v.Exact {
		known, err = selfcheck.Values(ctx, m.Model, input, nil)
	} else {
		if v.Ours, err = selfcheck.File(ctx, ours, m, written, selfcheck.Options{Runtime: rt, Full: true, Seed: opt.Seed}); err == nil && !v.Ours.OK() {
			return nil, fmt.Errorf("the checkpoint's own export is wrong, so that nothing can be compared with it: %s", v.Ours.Failed()[0].Detail)
		}
		if err == nil {
			read = v.Ours.Facts
			known, err = verify.Computed(ctx, rt, ours, read, input)
		}
	}
	if err != nil {
		return nil, err
	}
	v.Judgement, err = verify.Judge(ctx, rt, path, verify.Known{Path: ours, Values: known, Input: input, Facts: read, Theirs: facts}, opt.Compare)
	return v, err
}

// sized lowers the model for the size that the file takes.
func sized(ctx context.Context, in pipeline.Source, image [4]int, opt *Options) (*pipeline.Model, *diag.Diagnostics, error) {
	const batch, stride = 2, 32
	o := pipeline.Options{
		Size: pipeline.Size{Batch: cmp.Or(image[0], batch), Height: cmp.Or(image[2], opt.Height, 3*stride), Width: cmp.Or(image[3], opt.Width, 4*stride)},
		Seed: opt.Seed, ScConv: opt.ScConv, Strict: opt.Strict, NoOptimize: true,
	}
	if err := o.Complete(); err != nil {
		return nil, nil, err
	}
	m, warnings, err := pipeline.Build(ctx, in, o)
	if err != nil {
		return nil, nil, err
	}
	if image[2] != 0 && m.Size.Height != image[2] || image[3] != 0 && m.Size.Width != image[3] {
		return nil, nil, fmt.Errorf("the file takes images of %dx%d; the checkpoint needs multiples of its stride, %d", image[2], image[3], m.Stride())
	}
	if c := channelsOf(m.Model); image[1] != 0 && int64(image[1]) != c {
		return nil, nil, fmt.Errorf("the file takes images of %d channels; the checkpoint's have %d", image[1], c)
	}
	return m, warnings, nil
}

// channelsOf is how many channels a model's images have.
func channelsOf(m *modules.Model) int64 {
	n, _ := m.Graph.Inputs[0].Shape[1].Static() // a model's channels are fixed
	return n
}

// imageOf gives the batch, channels, height and width of the image that a file takes, 0 where it leaves them open.
func imageOf(facts *verify.Facts, path string) (size [4]int, err error) {
	if err := facts.Err(); err != nil {
		return size, fmt.Errorf("%s: %w", path, err)
	}
	if len(facts.Inputs) != 1 || len(facts.Inputs[0].Dims) != 4 || !facts.Inputs[0].Floating() {
		return size, fmt.Errorf("%s: its inputs are %v; one image of floating-point numbers was expected, [batch, channels, height, width]", path, facts.Inputs)
	}
	for i, d := range facts.Inputs[0].Dims {
		if d > pipeline.MaxPixels {
			return size, fmt.Errorf("%s: its input is %s, which is larger than a comparison allows", path, facts.Inputs[0])
		}
		size[i] = int(max(d, 0))
	}
	return size, nil
}

// pixels draws noise of the values that a pixel has, 0 to 255 of 256, which float16 holds exactly.
func pixels(seed uint64, shape []int64) []float32 {
	n := int64(1)
	for _, d := range shape {
		n *= d
	}
	r := rand.New(rand.NewPCG(seed, 0x706978656c73)) // "pixels"
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(r.IntN(256)) / 256
	}
	return v
}

// Package ysc2onnx turns a YOLOv5 model YAML into an ONNX file, and checks the file by running it.
//
// [Convert] does all of it: the YAML is parsed (package yamlcfg), each row lowered to ONNX nodes (modules, onnxbuild),
// the graph simplified (onnxbuild/passes), written (onnxbuild/onnxfile) and the written file checked (verify). The
// package needs no cgo: a [engine.Runtime], such as verify/ort gives, is passed in.
package ysc2onnx

import (
	"io"
	"time"

	"ysc2onnx/diag"
	"ysc2onnx/internal/pipeline"
	"ysc2onnx/internal/version"
	"ysc2onnx/modules"
	"ysc2onnx/onnxbuild"
	"ysc2onnx/onnxbuild/onnxfile"
	"ysc2onnx/verify"
	"ysc2onnx/verify/engine"
)

// Version is the release, as the ONNX file's producer_version gives it.
const Version = version.Version

// Input is the model to convert: a YAML, a checkpoint, or both.
type Input struct {
	Name string    // as messages show it: the YAML's file name
	YAML io.Reader // the model YAML; nil: the one that the checkpoint carries

	WeightsName string      // as messages show it: the checkpoint's file name
	Weights     io.ReaderAt // a trained checkpoint; nil: untrained weights, from Options.Seed
	WeightsSize int64       // of the checkpoint, in bytes
}

// Dynamic says which dimensions of the input stay open in the file.
type Dynamic int

// The choices for [Options.Dynamic].
const (
	Static       Dynamic = iota // none
	DynamicBatch                // the batch
	DynamicAll                  // batch, height and width
)

// Half says what of a file is float16.
type Half int

// The choices for [Options.Half].
const (
	HalfNone Half = iota
	// HalfWeights stores the weights as float16, in half the bytes. They are cast to float32 once, when the file is loaded;
	// input, arithmetic and outputs are float32.
	HalfWeights
	// HalfFull computes in float16 from a float16 input on, but for what that cannot hold: decoding, sums over maps and what is made of them. The outputs
	// are float32.
	HalfFull
)

// Loss counts what float16 cannot hold of a tensor.
type Loss = pipeline.Loss

// Check says how far a written file is checked.
type Check int

// The choices for [Options.Check].
const (
	// CheckFull checks every initializer against what was computed, and every layer's numbers on a small input against the
	// reference interpreter's, and does what CheckFast does.
	CheckFull Check = iota
	CheckFast       // the file's structure, and a run of it
	CheckNone       // nothing
)

// Options says how to convert. The zero value is YOLOv5's own default: one image of 640x640, opset 17, seed 0, nothing
// dynamic.
type Options struct {
	Height, Width int // of the image in pixels, 640 where 0, 224 of a classifier; rounded up to the model's stride
	Batch         int // 1 where 0
	Opset         int // 11 to 26, onnxbuild.DefaultOpset where 0
	Dynamic       Dynamic
	Seed          uint64            // of the weights where there is no checkpoint
	Half          Half              // what of the file is float16; nothing by default
	NoOptimize    bool              // write the lowering as it is: unfused, initializers under their state_dict names
	Modules       *modules.Registry // what a YAML can name; nil: [modules.Builtin]
	Head          modules.Stage     // makes the outputs; nil: [heads.Decoded]
	C3ScConv      C3ScConv          // how C3_ScConv and its kin are wired, where there is no checkpoint
	ScConv        ScConv            // the formula of ScConv, where no checkpoint's parameters tell
	Strict        bool              // warnings are errors
	Allow         []diag.Code       // kinds of warnings that are silenced

	Output string    // the file to write, replaced only when the new one is whole
	Writer io.Writer // where to write instead, if Output is empty; nil as well: the model is built but not written
	Sync   bool      // the file has reached the disk when Convert returns
	// ExternalData puts the weights into a second file beside Output, as a model of more than 2 GB has to have them.
	ExternalData bool

	Runtime  engine.Runtime                        // runs the written file; nil: it is read, and not run. Needs Output
	Check    Check                                 // how far the written file is checked
	Progress func(stage string, done, total int64) // called from time to time, from one goroutine at a time; may be nil
}

// Result is what [Convert] did.
type Result struct {
	Summary       *modules.Summary
	Warnings      *diag.Diagnostics // nil where there are none
	Height, Width int               // as rounded
	Batch         int
	Opset         int
	IRVersion     int64
	Nodes         int
	File          *onnxfile.FileInfo // nil unless Options.Output was written
	Bytes         int64              // of the model, external data included
	Checks        *verify.Report     // nil where nothing was checked
	Assumed       string             // what the numbers depend on although the checkpoint does not tell it, so that no check proves it; "" for nothing
	Losses        []Loss             // weights that lose more than rounding as float16; nil where there are none
	Elapsed       time.Duration      // without the checks
}

// MaxPixels is the largest height and width that can be asked for.
const MaxPixels = pipeline.MaxPixels

// Opsets that can be asked for.
const (
	MinOpset = onnxbuild.MinOpset
	MaxOpset = onnxbuild.MaxOpset
)

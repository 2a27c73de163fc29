//go:build cgo && !js

package ort

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"

	onnxruntime "github.com/yalue/onnxruntime_go"

	"ysc2onnx/verify"
	"ysc2onnx/verify/engine"
)

// Supported says whether this program can load a shared library at all.
const Supported = true

// loaded is the one library of this process: the binding keeps one environment,
// and the library cannot be unloaded safely.
var loaded struct {
	sync.Mutex
	engine *native
}

// native is ONNX Runtime; it implements engine.Runtime.
type native struct {
	library Library
}

// Open loads the library. A process can use one: opening the same again gives
// the same runtime, opening another is an error. It stays loaded until the
// process ends.
func Open(library Library) (engine.Runtime, error) {
	loaded.Lock()
	defer loaded.Unlock()
	if e := loaded.engine; e != nil {
		if e.library.Path != library.Path {
			return nil, fmt.Errorf("ONNX Runtime: %s cannot be loaded, because this process already uses %s", library.Path, e.library.Path)
		}
		return e, nil
	}
	abs, err := filepath.Abs(library.Path) // so that the loader does not search for it
	if err != nil {
		return nil, fmt.Errorf("ONNX Runtime: %w", err)
	}
	onnxruntime.SetSharedLibraryPath(abs)
	if err := onnxruntime.InitializeEnvironment(onnxruntime.WithLogLevelFatal()); err != nil {
		return nil, fmt.Errorf("ONNX Runtime: cannot load %s (1.%d or newer is needed): %w", library.Path, oldest, plain(err))
	}
	loaded.engine = &native{library}
	return loaded.engine, nil
}

// plain removes the binding's own words from an error of the library.
func plain(err error) error {
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(err) {
		err = inner
	}
	return err
}

func (e *native) Version() string { return "ONNX Runtime " + onnxruntime.GetVersion() }

func (e *native) Library() string { return e.library.Path }

// Open loads a model by its path, so that its weights are read by the library
// alone. Only exposing and flipping inner values needs the bytes here.
func (e *native) Open(ctx context.Context, path string, opts engine.SessionOptions) (engine.Session, error) {
	settings, err := sessionSettings(opts)
	if err != nil {
		return nil, err
	}
	defer func() { _ = settings.Destroy() }() // the session has its own copy
	return load(ctx, path, opts, settings)
}

// load loads a model with settings that the caller made from opts and frees.
func load(ctx context.Context, path string, opts engine.SessionOptions, settings *onnxruntime.SessionOptions) (engine.Session, error) {
	if opts.Inputs == nil || opts.Outputs == nil { // names and types; the library then loads the model once
		facts, err := facts(ctx, path, opts.Model)
		if err != nil {
			return nil, err
		}
		opts.Inputs, opts.Outputs = facts.Inputs, facts.Outputs
	}
	s := &session{inputs: slices.Clone(opts.Inputs)}
	for _, out := range opts.Outputs {
		if !out.Other { // no tensor holds it
			s.outputs = append(s.outputs, out)
		}
	}
	own := len(s.outputs)
	var added []engine.IO // graph outputs that the file does not have
	for _, v := range opts.Expose {
		if _, found := position(s.outputs, v.Name); !found {
			s.outputs = append(s.outputs, v)
			added = append(added, v)
		}
	}
	var err error
	fetch := make([]string, len(s.outputs))
	for i, v := range s.outputs {
		var shims []string
		if fetch[i], shims = readable(v); shims != nil && i < own {
			added = append(added, v)
		}
	}
	if len(s.inputs) == 0 || len(s.outputs) == 0 {
		return nil, fmt.Errorf("%s: the graph has %d inputs and %d outputs; it needs at least one of each", path, len(s.inputs), len(s.outputs))
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	for _, name := range opts.Flip {
		s.inputs = append(s.inputs, engine.IO{Name: name + engine.FlipSuffix, DType: engine.Bool})
	}
	if len(added) == 0 && len(opts.Flip) == 0 && opts.Model == nil {
		s.run, err = onnxruntime.NewDynamicAdvancedSession(path, names(s.inputs), fetch, settings)
	} else {
		s.run, err = openChanged(path, opts.Model, names(s.inputs), fetch, added, opts.Flip, settings)
	}
	if err != nil {
		return nil, fmt.Errorf("ONNX Runtime refuses %s: %w", path, plain(err))
	}
	if err := ctx.Err(); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// facts are what is in a model: the given bytes, or where those are nil, the file at path.
func facts(ctx context.Context, path string, model []byte) (*verify.Facts, error) {
	if model == nil {
		return verify.Structure(ctx, path)
	}
	return verify.StructureReader(ctx, bytes.NewReader(model), int64(len(model)), nil)
}

// openChanged loads a model, or where that is nil the file at path, with more graph outputs than it names itself, and inputs
// that flip values.
func openChanged(path string, model []byte, inputs, outputs []string, added []engine.IO, flip []string, settings *onnxruntime.SessionOptions) (*onnxruntime.DynamicAdvancedSession, error) {
	var err error
	if model == nil {
		if model, err = os.ReadFile(path); err != nil {
			return nil, err
		}
	}
	if len(flip) > 0 {
		if model, err = flippable(model, flip); err != nil {
			return nil, err
		}
	}
	folder, err := filepath.Abs(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	// A model in memory has no folder to look for external data in, unless told.
	if err := settings.AddSessionConfigEntry("session.model_external_initializers_file_folder_path", folder); err != nil {
		return nil, err
	}
	return onnxruntime.NewDynamicAdvancedSessionWithONNXData(slices.Concat(model, moreOutputs(added)), inputs, outputs, settings)
}

// sessionSettings translates options into the library's.
func sessionSettings(opts engine.SessionOptions) (*onnxruntime.SessionOptions, error) {
	settings, err := onnxruntime.NewSessionOptions()
	if err != nil {
		return nil, plain(err)
	}
	level, ok := map[engine.Optimization]onnxruntime.GraphOptimizationLevel{
		engine.OptimizeAll:   onnxruntime.GraphOptimizationLevelEnableAll,
		engine.OptimizeBasic: onnxruntime.GraphOptimizationLevelEnableBasic,
		engine.OptimizeNone:  onnxruntime.GraphOptimizationLevelDisableAll,
	}[opts.Optimization]
	if !ok {
		return nil, errors.Join(fmt.Errorf("there is no optimization level %d", opts.Optimization), settings.Destroy())
	}
	err = errors.Join(
		settings.SetGraphOptimizationLevel(level),
		settings.SetLogSeverityLevel(onnxruntime.LoggingLevelFatal), // errors come back as errors
	)
	if opts.Threads > 0 {
		err = errors.Join(err, settings.SetIntraOpNumThreads(opts.Threads))
	}
	if !opts.Spin {
		err = errors.Join(err, settings.AddSessionConfigEntry("session.intra_op.allow_spinning", "0"))
	}
	if opts.StrictShapes {
		err = errors.Join(err, settings.AddSessionConfigEntry("session.strict_shape_type_inference", "1"))
	}
	if err != nil {
		return nil, errors.Join(err, settings.Destroy())
	}
	return settings, nil
}

// position finds a value by its name.
func position(list []engine.IO, name string) (int, bool) {
	for i, v := range list {
		if v.Name == name {
			return i, true
		}
	}
	return 0, false
}

// names gives the names of values in order.
func names(list []engine.IO) []string {
	out := make([]string, len(list))
	for i, v := range list {
		out[i] = v.Name
	}
	return out
}

//go:build js

package ort

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall/js"

	"github.com/x448/float16"

	"ysc2onnx/verify"
	"ysc2onnx/verify/engine"
)

// Supported says whether this program can load ONNX Runtime at all.
const Supported = true

// host is what JavaScript offers around the program: web/sessions.js implements it.
func host() js.Value { return js.Global().Get("ysc2onnx").Get("sessions") }

// Open loads ONNX Runtime Web, the library's build for browsers and Node.js, which comes with the page.
func Open(Library) (engine.Runtime, error) {
	if host().IsUndefined() {
		return nil, errors.New("the model is too large to be run here")
	}
	version, err := await(host().Call("version"))
	if err != nil {
		return nil, fmt.Errorf("ONNX Runtime Web: %w", err)
	}
	return web(version.String()), nil
}

// web is ONNX Runtime Web of a version; it implements engine.Runtime.
type web string

func (w web) Version() string { return "ONNX Runtime Web " + string(w) }

func (w web) Library() string { return "" }

// running keeps runs apart: the library serves one at a time.
var running sync.Mutex

// levels are the library's names for how far it rewrites a graph.
var levels = map[engine.Optimization]string{engine.OptimizeAll: "all", engine.OptimizeBasic: "basic", engine.OptimizeNone: "disabled"}

// Open has JavaScript read the model, so that its weights are never in this program's memory.
func (w web) Open(ctx context.Context, path string, opts engine.SessionOptions) (engine.Session, error) {
	if opts.Inputs == nil || opts.Outputs == nil {
		var facts *verify.Facts
		var err error
		if opts.Model == nil {
			facts, err = verify.Structure(ctx, path)
		} else {
			facts, err = verify.StructureReader(ctx, bytes.NewReader(opts.Model), int64(len(opts.Model)), nil)
		}
		if err != nil {
			return nil, err
		}
		opts.Inputs, opts.Outputs = facts.Inputs, facts.Outputs
	}
	s := &webSession{inputs: slices.Clone(opts.Inputs)}
	for _, out := range opts.Outputs {
		if !out.Other {
			s.outputs = append(s.outputs, out)
		}
	}
	own := len(s.outputs)
	var added []engine.IO
	for _, v := range opts.Expose {
		if !slices.ContainsFunc(s.outputs, func(o engine.IO) bool { return o.Name == v.Name }) {
			s.outputs = append(s.outputs, v)
			added = append(added, v)
		}
	}
	for i, v := range s.outputs {
		name, shims := readable(v)
		s.fetch = append(s.fetch, name)
		if shims != nil && i < own {
			added = append(added, v)
		}
	}
	for _, name := range opts.Flip {
		s.inputs = append(s.inputs, engine.IO{Name: name + engine.FlipSuffix, DType: engine.Bool})
	}
	model := opts.Model
	if len(opts.Flip) > 0 {
		var err error
		if model == nil {
			if model, err = os.ReadFile(path); err != nil {
				return nil, err
			}
		}
		if model, err = flippable(model, opts.Flip); err != nil {
			return nil, err
		}
	}
	given := js.Null()
	if model != nil {
		given = toJS(model)
	}
	running.Lock()
	defer running.Unlock()
	var err error
	s.session, err = await(host().Call("open", filepath.Base(path), given, toJS(moreOutputs(added)), map[string]any{
		"level": levels[opts.Optimization], "strict": opts.StrictShapes,
	}))
	if err != nil {
		return nil, fmt.Errorf("ONNX Runtime Web refuses %s: %w", path, err)
	}
	return s, nil
}

// webSession is a loaded model; it implements engine.Session.
type webSession struct {
	inputs, outputs []engine.IO
	fetch           []string // names of what is fetched for the outputs
	session         js.Value
	closed          sync.Once
}

func (s *webSession) Inputs() []engine.IO  { return s.inputs }
func (s *webSession) Outputs() []engine.IO { return s.outputs }

func (s *webSession) Close() (err error) {
	s.closed.Do(func() { _, err = await(host().Call("close", s.session)) })
	return err
}

// Run computes the outputs. It cannot be interrupted; who waits no longer ends the whole program.
func (s *webSession) Run(ctx context.Context, inputs []engine.Tensor) ([]engine.Tensor, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var feeds []any
	for _, want := range s.inputs {
		i := slices.IndexFunc(inputs, func(t engine.Tensor) bool { return t.Name == want.Name })
		if i < 0 {
			return nil, fmt.Errorf("input %q is missing", want.Name)
		}
		data, err := elements(want.DType, inputs[i])
		if err != nil {
			return nil, fmt.Errorf("input %q: %w", want.Name, err)
		}
		feeds = append(feeds, map[string]any{"name": want.Name, "type": want.DType.String(), "dims": numbers(inputs[i].Shape), "bytes": toJS(data)})
	}
	if len(inputs) != len(s.inputs) {
		return nil, fmt.Errorf("%d inputs are given, and the model has %d", len(inputs), len(s.inputs))
	}
	var fetch []any
	for _, name := range s.fetch {
		fetch = append(fetch, name)
	}
	running.Lock()
	defer running.Unlock()
	values, err := await(host().Call("run", s.session, feeds, fetch))
	if err != nil {
		return nil, fmt.Errorf("ONNX Runtime Web: %w", err)
	}
	results := make([]engine.Tensor, len(s.outputs))
	for i, of := range s.outputs {
		v := values.Index(i)
		t := engine.Tensor{Name: of.Name}
		for k := range v.Get("dims").Length() {
			t.Shape = append(t.Shape, int64(v.Get("dims").Index(k).Int()))
		}
		data := make([]byte, v.Get("bytes").Length())
		js.CopyBytesToGo(data, v.Get("bytes"))
		if err := fill(&t, v.Get("type").String(), data); err != nil {
			return nil, err
		}
		if len(of.Dims) == 0 && of.DType != engine.Undefined && !of.Shapeless {
			t.Shape = of.Dims // a scalar, see readable
		}
		results[i] = t
	}
	return results, nil
}

// elements are those of a tensor as bytes of a type.
func elements(t engine.DType, of engine.Tensor) (data []byte, err error) {
	count, _ := engine.Elements(of.Shape)
	if int64(max(len(of.Floats), len(of.Ints))) != count {
		return nil, fmt.Errorf("shape %v takes %d values, but %d were given", of.Shape, count, max(len(of.Floats), len(of.Ints)))
	}
	data = make([]byte, 0, count*max(t.Size(), 1))
	switch t {
	case engine.Float32:
		for _, x := range of.Floats {
			data = binary.LittleEndian.AppendUint32(data, math.Float32bits(x))
		}
	case engine.Float64:
		for _, x := range of.Floats {
			data = binary.LittleEndian.AppendUint64(data, math.Float64bits(float64(x)))
		}
	case engine.Float16:
		for _, x := range of.Floats {
			data = binary.LittleEndian.AppendUint16(data, float16.Fromfloat32(x).Bits())
		}
	case engine.Bool, engine.Uint8, engine.Int8, engine.Int32, engine.Int64:
		for _, n := range of.Ints {
			data = append(data, binary.LittleEndian.AppendUint64(nil, uint64(n))[:t.Size()]...)
		}
	default:
		err = fmt.Errorf("it is of type %s, which cannot be fed", t)
	}
	return data, err
}

// fill gives a tensor the elements of a type from their bytes.
func fill(t *engine.Tensor, dtype string, data []byte) error {
	width := map[string]int{"float32": 4, "float64": 8, "int64": 8, "uint64": 8, "int32": 4, "uint32": 4, "int16": 2, "uint16": 2, "int8": 1, "uint8": 1, "bool": 1}[dtype]
	if width == 0 {
		return fmt.Errorf("output %q is of type %s, which cannot be read back", t.Name, dtype)
	}
	for at := 0; at+width <= len(data); at += width {
		var element [8]byte
		copy(element[:], data[at:at+width])
		bits := binary.LittleEndian.Uint64(element[:])
		switch {
		case dtype == "float32":
			t.Floats = append(t.Floats, math.Float32frombits(uint32(bits)))
		case dtype == "float64":
			t.Floats = append(t.Floats, float32(math.Float64frombits(bits)))
		case strings.HasPrefix(dtype, "int"):
			t.Ints = append(t.Ints, int64(bits<<(64-8*width))>>(64-8*width))
		default:
			t.Ints = append(t.Ints, int64(bits))
		}
	}
	return nil
}

// numbers are a shape as JavaScript takes it.
func numbers(shape []int64) []any {
	list := make([]any, len(shape))
	for i, n := range shape {
		list[i] = n
	}
	return list
}

// toJS copies bytes into an Uint8Array.
func toJS(data []byte) js.Value {
	array := js.Global().Get("Uint8Array").New(len(data))
	js.CopyBytesToJS(array, data)
	return array
}

// await gives what a promise comes to.
func await(promise js.Value) (js.Value, error) {
	type outcome struct {
		value js.Value
		err   error
	}
	done := make(chan outcome, 1)
	then := js.FuncOf(func(_ js.Value, args []js.Value) any {
		done <- outcome{value: args[0]}
		return nil
	})
	fail := js.FuncOf(func(_ js.Value, args []js.Value) any {
		done <- outcome{err: errors.New(args[0].Get("message").String())}
		return nil
	})
	defer then.Release()
	defer fail.Release()
	promise.Call("then", then, fail)
	got := <-done
	return got.value, got.err
}

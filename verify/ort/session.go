//go:build cgo && !js

package ort

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"reflect"
	"sync"

	"github.com/x448/float16"
	onnxruntime "github.com/yalue/onnxruntime_go"

	"ysc2onnx/verify/engine"
)

// session is a loaded model; it implements engine.Session.
type session struct {
	inputs, outputs []engine.IO

	mu  sync.RWMutex // held for reading by runs, for writing by Close
	run *onnxruntime.DynamicAdvancedSession
}

func (s *session) Inputs() []engine.IO  { return s.inputs }
func (s *session) Outputs() []engine.IO { return s.outputs }

func (s *session) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.run == nil {
		return nil
	}
	run := s.run
	s.run = nil
	defer trim()
	return run.Destroy()
}

// Run computes the outputs. When ctx ends, the library is told to stop at the
// next node.
func (s *session) Run(ctx context.Context, inputs []engine.Tensor) ([]engine.Tensor, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.run == nil {
		return nil, errors.New("ONNX Runtime: the session is closed")
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	in, err := s.feed(inputs)
	defer release(in)
	if err != nil {
		return nil, err
	}
	out := make([]onnxruntime.Value, len(s.outputs))
	defer release(out)
	if err := s.runUntil(ctx, in, out); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, fmt.Errorf("ONNX Runtime: %w", plain(err))
	}
	results := make([]engine.Tensor, len(out))
	for i, v := range out {
		if results[i], err = fromValue(s.outputs[i].Name, v); err != nil {
			return nil, err
		}
		if of := s.outputs[i]; len(of.Dims) == 0 && of.DType != engine.Undefined && !of.Shapeless {
			results[i].Shape = of.Dims // a scalar, see readable
		}
	}
	return results, nil
}

// runUntil runs the model and stops it when ctx ends.
func (s *session) runUntil(ctx context.Context, in, out []onnxruntime.Value) (err error) {
	opts, err := onnxruntime.NewRunOptions()
	if err != nil {
		return err
	}
	var mu sync.Mutex // keeps a late Terminate from touching options that are gone
	ended := false
	stop := context.AfterFunc(ctx, func() {
		mu.Lock()
		defer mu.Unlock()
		if !ended {
			_ = opts.Terminate() // if it fails, the run goes on to its end
		}
	})
	defer func() {
		stop()
		mu.Lock()
		defer mu.Unlock()
		ended = true
		err = errors.Join(err, opts.Destroy())
	}()
	if err := s.run.RunWithOptions(in, out, opts); err != nil {
		return plain(err)
	}
	return nil
}

// feed puts the inputs into the model's order.
func (s *session) feed(inputs []engine.Tensor) ([]onnxruntime.Value, error) {
	values := make([]onnxruntime.Value, len(s.inputs))
	for _, t := range inputs {
		i, found := position(s.inputs, t.Name)
		if !found {
			return values, fmt.Errorf("the model has no input %q; it has %q", t.Name, names(s.inputs))
		}
		if values[i] != nil {
			return values, fmt.Errorf("input %q is given twice", t.Name)
		}
		v, err := toValue(s.inputs[i], t)
		if err != nil {
			return values, err
		}
		values[i] = v
	}
	for i, v := range values {
		if v == nil {
			return values, fmt.Errorf("input %q is missing", s.inputs[i].Name)
		}
	}
	return values, nil
}

// toValue gives a tensor the type that the model declares. Elements are shared, not copied.
func toValue(want engine.IO, t engine.Tensor) (onnxruntime.Value, error) {
	count := 1.0 // in floating point, where it cannot wrap around
	for _, d := range t.Shape {
		count *= float64(d)
	}
	var v onnxruntime.Value
	var err error
	var have int
	switch want.DType {
	case engine.Float32:
		if have = len(t.Floats); count == float64(have) {
			v, err = onnxruntime.NewTensor(onnxruntime.Shape(t.Shape), t.Floats)
		}
	case engine.Float64:
		if have = len(t.Floats); count == float64(have) {
			v, err = newTensor[float64](t.Shape, t.Floats)
		}
	case engine.Float16, engine.BFloat16:
		if have = len(t.Floats); count == float64(have) {
			v, err = halves(want.DType, t)
		}
	default:
		if have = len(t.Ints); count == float64(have) {
			v, err = integers(want.DType, t)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("input %q: %w", want.Name, plain(err))
	}
	if count != float64(have) {
		return nil, fmt.Errorf("input %q: shape %v takes %.0f %s values, but %d were given", want.Name, t.Shape, math.Abs(count), want.DType, have)
	}
	return v, nil
}

// number is what elements of tensors are made of and from.
type number interface {
	~int8 | ~uint8 | ~int16 | ~uint16 | ~int32 | ~uint32 | ~int64 | ~uint64 | ~float32 | ~float64
}

// newTensor makes a tensor of elements of another type.
func newTensor[T, F number](shape []int64, elements []F) (onnxruntime.Value, error) {
	converted := make([]T, len(elements))
	for i, x := range elements {
		converted[i] = T(x)
	}
	return onnxruntime.NewTensor(onnxruntime.Shape(shape), converted)
}

// halves makes a tensor of one of the floating-point types of 16 bits.
func halves(t engine.DType, of engine.Tensor) (onnxruntime.Value, error) {
	data := make([]byte, 0, 2*len(of.Floats))
	for _, x := range of.Floats {
		bits := float16.Fromfloat32(x).Bits()
		if t == engine.BFloat16 { // the upper half of a float32, cut off: nothing depends on the last bit of an input
			bits = uint16(math.Float32bits(x) >> 16)
		}
		data = binary.LittleEndian.AppendUint16(data, bits)
	}
	if t == engine.BFloat16 {
		return onnxruntime.NewCustomDataTensor(onnxruntime.Shape(of.Shape), data, onnxruntime.TensorElementDataTypeBFloat16)
	}
	return onnxruntime.NewCustomDataTensor(onnxruntime.Shape(of.Shape), data, onnxruntime.TensorElementDataTypeFloat16)
}

// integers makes a tensor of truth values or integers.
func integers(t engine.DType, of engine.Tensor) (onnxruntime.Value, error) {
	switch t {
	case engine.Int64:
		return onnxruntime.NewTensor(onnxruntime.Shape(of.Shape), of.Ints)
	case engine.Int32:
		return newTensor[int32](of.Shape, of.Ints)
	case engine.Int16:
		return newTensor[int16](of.Shape, of.Ints)
	case engine.Int8:
		return newTensor[int8](of.Shape, of.Ints)
	case engine.Uint64:
		return newTensor[uint64](of.Shape, of.Ints)
	case engine.Uint32:
		return newTensor[uint32](of.Shape, of.Ints)
	case engine.Uint16:
		return newTensor[uint16](of.Shape, of.Ints)
	case engine.Uint8:
		return newTensor[uint8](of.Shape, of.Ints)
	case engine.Bool:
		bools := make([]bool, len(of.Ints))
		for i, n := range of.Ints {
			bools[i] = n != 0
		}
		return onnxruntime.NewTensor(onnxruntime.Shape(of.Shape), bools)
	}
	return nil, fmt.Errorf("it is of type %s, which cannot be fed", t)
}

// fromValue copies nothing of float32 and int64 tensors: their elements are Go's
// already. Other numbers are widened.
func fromValue(name string, v onnxruntime.Value) (engine.Tensor, error) {
	t := engine.Tensor{Name: name, Shape: v.GetShape()}
	switch v := v.(type) {
	case *onnxruntime.Tensor[float32]:
		t.Floats = v.GetData()
	case *onnxruntime.Tensor[float64]:
		t.Floats = make([]float32, len(v.GetData()))
		for i, x := range v.GetData() {
			t.Floats[i] = float32(x)
		}
	case *onnxruntime.Tensor[int64]:
		t.Ints = v.GetData()
	case *onnxruntime.Tensor[int32]:
		t.Ints = widened(v.GetData())
	case *onnxruntime.Tensor[uint8]:
		t.Ints = widened(v.GetData())
	case *onnxruntime.Tensor[int8]:
		t.Ints = widened(v.GetData())
	case *onnxruntime.Tensor[int16]:
		t.Ints = widened(v.GetData())
	case *onnxruntime.Tensor[uint16]:
		t.Ints = widened(v.GetData())
	case *onnxruntime.Tensor[uint32]:
		t.Ints = widened(v.GetData())
	case *onnxruntime.Tensor[uint64]:
		t.Ints = widened(v.GetData())
	case *onnxruntime.Tensor[bool]:
		t.Ints = make([]int64, len(v.GetData()))
		for i, b := range v.GetData() {
			if b {
				t.Ints[i] = 1
			}
		}
	default:
		return t, fmt.Errorf("output %q is not of a type that can be read back (floats, integers, bool)", name)
	}
	return t, nil
}

// widened gives integers of any size as int64.
func widened[T number](v []T) []int64 {
	out := make([]int64, len(v))
	for i, x := range v {
		out[i] = int64(x)
	}
	return out
}

// release frees values; nil ones are skipped, and so are those that the binding could not make: they are typed, and nil.
func release(values []onnxruntime.Value) {
	for _, v := range values {
		if v != nil && !reflect.ValueOf(v).IsNil() {
			_ = v.Destroy() // freeing cannot fail in a way that matters here
		}
	}
}

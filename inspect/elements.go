package inspect

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/x448/float16"

	"ysc2onnx/verify"
	"ysc2onnx/verify/engine"
)

// elements reads the elements of an ONNX model's initializers.
type elements struct {
	model  io.ReaderAt
	open   func(name string) (io.ReaderAt, int64, error)
	allow  func(size int64)
	files  map[string]data // by the model's names for them
	buffer [block * 8]byte
}

// data is a data file, or why there is none.
type data struct {
	io.ReaderAt
	size int64
	err  error
}

// file opens a data file once.
func (e *elements) file(name string) data {
	f, ok := e.files[name]
	if !ok {
		if f.ReaderAt, f.size, f.err = e.open(name); f.err == nil {
			e.allow(f.size)
		}
		e.files[name] = f
	}
	return f
}

// size is the size of a data file; where none are opened, any that a model may want.
func (e *elements) size(name string) (int64, error) {
	if e.open == nil {
		return math.MaxInt64, nil
	}
	f := e.file(name)
	return f.size, f.err
}

// scan adds the initializers and their statistics to a report.
func (e *elements) scan(ctx context.Context, facts *verify.Facts, s *scanner, rep *Report) error {
	for _, name := range facts.Tensors() {
		t, _ := facts.Stored(name)
		if n, ok := engine.Elements(t.Dims); ok && n <= math.MaxInt64-rep.Parameters { // a file may say anything
			rep.Parameters += n
		}
	}
	s.total = facts.WeightBytes
	for _, name := range facts.Tensors() {
		t, _ := facts.Stored(name)
		out := Tensor{Name: name, DType: typeName(t.DType), Shape: t.Dims}
		read, n, err := e.reader(t)
		if err == nil {
			out.Statistics, out.Unread, err = s.scan(ctx, n, t.DType.Size(), read)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			out.Unread = err.Error()
		}
		rep.Tensors = append(rep.Tensors, out)
	}
	return nil
}

// reader gives the number of a tensor's elements and what reads them, or why they are not read.
func (e *elements) reader(t verify.Stored) (read func(dst []float32, off int64) error, n int64, err error) {
	n, ok := engine.Elements(t.Dims)
	width, from := t.DType.Size(), e.model
	switch {
	case !ok || width > 0 && n > math.MaxInt64/width:
		return nil, 0, fmt.Errorf("its shape %v is not possible", t.Dims)
	case decoders[t.DType] == nil:
		return nil, 0, fmt.Errorf("elements of type %s are not read", typeName(t.DType))
	case t.File != "" && e.open == nil:
		return nil, 0, fmt.Errorf("its elements are in the file %q", t.File)
	case t.File != "" && e.files[t.File].err != nil:
		return nil, 0, e.files[t.File].err
	case t.Offset < 0 && t.File != "":
		return nil, 0, fmt.Errorf("the place that the model gives for its elements, in the file %q, is not possible", t.File)
	case t.Offset < 0 && n > 0:
		return nil, 0, errors.New("its elements are in a form that is not read, one by one instead of raw")
	case t.Offset >= 0 && t.Length != n*width:
		return nil, 0, fmt.Errorf("it has %d bytes of elements, where its shape %v needs %d", t.Length, t.Dims, n*width)
	case t.File != "":
		from = e.file(t.File).ReaderAt
	}
	decode := decoders[t.DType]
	return func(dst []float32, off int64) error {
		src := e.buffer[:int64(len(dst))*width]
		if got, err := from.ReadAt(src, t.Offset+off*width); got < len(src) {
			if errors.Is(err, io.EOF) {
				return errors.New("the file ends before its elements do")
			}
			return err
		}
		for i := range dst {
			dst[i] = decode(src[int64(i)*width:])
		}
		return nil
	}, n, nil
}

// decoders convert a little-endian element of the types that are read.
var decoders = map[engine.DType]func(b []byte) float32{
	engine.Float32:  func(b []byte) float32 { return math.Float32frombits(binary.LittleEndian.Uint32(b)) },
	engine.Float64:  func(b []byte) float32 { return float32(math.Float64frombits(binary.LittleEndian.Uint64(b))) },
	engine.Float16:  func(b []byte) float32 { return float16.Frombits(binary.LittleEndian.Uint16(b)).Float32() },
	engine.BFloat16: func(b []byte) float32 { return math.Float32frombits(uint32(binary.LittleEndian.Uint16(b)) << 16) },
	engine.Int8:     func(b []byte) float32 { return float32(int8(b[0])) },
	engine.Uint8:    func(b []byte) float32 { return float32(b[0]) },
	engine.Bool:     func(b []byte) float32 { return float32(min(b[0], 1)) },
	engine.Int16:    func(b []byte) float32 { return float32(int16(binary.LittleEndian.Uint16(b))) },
	engine.Uint16:   func(b []byte) float32 { return float32(binary.LittleEndian.Uint16(b)) },
	engine.Int32:    func(b []byte) float32 { return float32(int32(binary.LittleEndian.Uint32(b))) },
	engine.Uint32:   func(b []byte) float32 { return float32(binary.LittleEndian.Uint32(b)) },
	engine.Int64:    func(b []byte) float32 { return float32(int64(binary.LittleEndian.Uint64(b))) },
	engine.Uint64:   func(b []byte) float32 { return float32(binary.LittleEndian.Uint64(b)) },
}

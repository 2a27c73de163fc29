package inspect

import (
	"cmp"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/x448/float16"

	"ysc2onnx/onnxbuild"
	"ysc2onnx/onnxbuild/onnxfile"
	"ysc2onnx/yamlcfg/python"
)

// ONNX looks into an ONNX file of the given size. Errors do not name the file.
func ONNX(ctx context.Context, r io.ReaderAt, size int64, opt Options) (*Report, error) {
	m, err := onnxfile.Open(r, size)
	if err != nil {
		return nil, err
	}
	rep := &Report{
		Verdict: Data, Why: dataOnly,
		Kind: "ONNX model", Bytes: size, Writer: m.Producer, Model: m.Name, Operators: operators(m.Nodes),
		Inputs: values(m.Inputs), Outputs: values(m.Outputs),
		Properties: []Property{{"IR version", strconv.FormatInt(m.IRVersion, 10)}},
	}
	if m.ProducerVersion != "" {
		rep.Writer += " " + m.ProducerVersion
	}
	for _, o := range m.Opsets {
		name := "opset"
		if o.Domain != "" {
			name += " " + o.Domain
		}
		rep.Properties = append(rep.Properties, Property{name, strconv.FormatInt(o.Version, 10)})
	}
	for _, p := range m.Properties {
		switch p.Key {
		case "layers":
			if rep.Layers = writtenLayers(p.Value); rep.Layers != nil {
				continue
			}
		case "names":
			if names, err := python.ClassNames(p.Value); err == nil {
				rep.Classes = names
				continue
			}
		}
		rep.Properties = append(rep.Properties, Property{p.Key, p.Value})
	}
	total := int64(0)
	for i := range m.Initializers {
		if n, ok := numel(m.Initializers[i].Dims); ok {
			rep.Parameters += n
			total += n * m.Initializers[i].DType.Size()
		}
	}
	s := newScanner(size, total, opt)
	e := elements{open: opt.Data, allow: s.allow, files: map[string]data{}}
	for i := range m.Initializers {
		t := &m.Initializers[i]
		out := Tensor{Name: t.Name, DType: dtypeName(t.DType), Shape: t.Dims}
		read, n, err := e.reader(t)
		if err != nil {
			out.Unread = err.Error()
		} else if out.Statistics, out.Unread, err = s.scan(ctx, n, t.DType.Size(), read); err != nil {
			if ctx.Err() != nil {
				return nil, err
			}
			out.Unread = err.Error()
		}
		rep.Tensors = append(rep.Tensors, out)
	}
	return rep, nil
}

// writtenLayers are the rows that this program writes into the metadata, [[[-1],"Conv"],[[-1,6],"Concat"]]; nil of another text.
func writtenLayers(text string) []Layer {
	var rows [][2]any
	if json.Unmarshal([]byte(text), &rows) != nil {
		return nil
	}
	var out []Layer
	for i, row := range rows {
		from, ok1 := row[0].([]any)
		class, ok2 := row[1].(string)
		if !ok1 || !ok2 || len(from) == 0 {
			return nil
		}
		layer := Layer{Index: i, Type: class, From: strings.Join(strings.Fields(fmt.Sprint(from)), ", ")}
		if len(from) == 1 {
			layer.From = fmt.Sprint(from[0])
		}
		out = append(out, layer)
	}
	return out
}

// elements reads the elements of initializers.
type elements struct {
	open   func(name string) (io.ReaderAt, int64, error)
	allow  func(size int64)
	files  map[string]data // by the model's names for them
	buffer [block * 8]byte
}

// data is a data file, or why there is none.
type data struct {
	io.ReaderAt
	err error
}

// reader gives the number of a tensor's elements and what reads them, or why they are not read.
func (e *elements) reader(t *onnxfile.Tensor) (read func(dst []float32, off int64) error, n int64, err error) {
	n, ok := numel(t.Dims)
	width := t.DType.Size()
	switch {
	case !ok:
		return nil, 0, fmt.Errorf("its shape %v is none", t.Dims)
	case width == 0:
		return nil, 0, fmt.Errorf("elements of type %s are not read", dtypeName(t.DType))
	}
	var from data
	if t.Location != "" {
		if from, err = e.file(t.Location); err != nil {
			return nil, 0, err
		}
	}
	section, err := t.Elements(from.ReaderAt)
	if err != nil {
		return nil, 0, err
	}
	if have := section.Size(); n > have/width || t.Length >= 0 && n*width != have {
		return nil, 0, fmt.Errorf("it has %d bytes of elements, where its shape %v needs %d", have, t.Dims, n*width)
	}
	return func(dst []float32, off int64) error {
		src := e.buffer[:int64(len(dst))*width]
		if got, err := section.ReadAt(src, off*width); got < len(src) {
			if errors.Is(err, io.EOF) {
				return errors.New("the file ends before its elements do")
			}
			return err
		}
		decode(t.DType, dst, src)
		return nil
	}, n, nil
}

// file opens a data file once.
func (e *elements) file(name string) (data, error) {
	f, ok := e.files[name]
	if !ok {
		if e.open == nil {
			f.err = fmt.Errorf("its elements are in the file %q", name)
		} else {
			var size int64
			f.ReaderAt, size, f.err = e.open(name)
			e.allow(size)
		}
		e.files[name] = f
	}
	return f, f.err
}

// numel is the number of elements of a shape, if there can be such a tensor in a file.
func numel(dims []int64) (int64, bool) {
	n := int64(1)
	for _, d := range dims {
		if d < 0 || d > 0 && n > math.MaxInt64/16/d {
			return 0, false
		}
		n *= d
	}
	return n, true
}

// decode converts little-endian elements.
func decode(dtype onnxbuild.DType, dst []float32, src []byte) {
	le := binary.LittleEndian
	for i := range dst {
		switch dtype {
		case onnxbuild.Float32:
			dst[i] = math.Float32frombits(le.Uint32(src[4*i:]))
		case onnxbuild.Float16:
			dst[i] = float16.Frombits(le.Uint16(src[2*i:])).Float32()
		case onnxbuild.Int64:
			dst[i] = float32(int64(le.Uint64(src[8*i:])))
		default:
			dst[i] = float32(min(src[i], 1)) // a bool
		}
	}
}

// dtypeNames are ONNX's element types by their numbers in TensorProto.DataType.
var dtypeNames = []string{"unknown", "float32", "uint8", "int8", "uint16", "int16", "int32", "int64", "string", "bool", "float16",
	"float64", "uint32", "uint64", "complex64", "complex128", "bfloat16"}

func dtypeName(d onnxbuild.DType) string {
	if d >= 0 && int(d) < len(dtypeNames) {
		return dtypeNames[d]
	}
	return "type " + strconv.Itoa(int(d))
}

func values(of []onnxfile.Value) []Value {
	var out []Value
	for _, v := range of {
		value := Value{Name: v.Name, DType: dtypeName(v.DType), Dims: []string{}}
		for _, d := range v.Dims {
			text := cmp.Or(d.Name, "?")
			if d.Size >= 0 {
				text = strconv.FormatInt(d.Size, 10)
			}
			value.Dims = append(value.Dims, text)
		}
		out = append(out, value)
	}
	return out
}

// operators counts the nodes by operator.
func operators(nodes []onnxfile.Node) []Operator {
	counts := map[string]int{}
	for _, n := range nodes {
		name := n.Op
		if n.Domain != "" && n.Domain != "ai.onnx" {
			name = n.Domain + "." + n.Op
		}
		counts[name]++
	}
	var out []Operator
	for name, count := range counts {
		out = append(out, Operator{name, count})
	}
	slices.SortFunc(out, func(a, b Operator) int { return cmp.Or(cmp.Compare(b.Nodes, a.Nodes), cmp.Compare(a.Name, b.Name)) })
	return out
}

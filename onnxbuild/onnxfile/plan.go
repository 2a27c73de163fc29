package onnxfile

import (
	"context"
	"errors"
	"fmt"
	"io"

	"google.golang.org/protobuf/encoding/protowire"

	"ysc2onnx/internal/units"
	"ysc2onnx/onnxbuild"
)

// Producer is the producer_name of the models that are written.
const Producer = "ysc2onnx"

// MaxInline is the size in bytes up to which a model stays in one file. Protobuf ends at 2^31-1; the rest is room for tools
// that add to a model and save it again.
const MaxInline = 2_000_000_000

const (
	// minExternal is the size in bytes from which tensors go to the data file: shapes and scalars stay in the model,
	// where runtimes read them while they load it.
	minExternal = 1 << 10
	// dataAlign is what offsets in the data file are multiples of: a page, as ONNX recommends so that the data can be
	// mapped into memory.
	dataAlign = 4096
)

// Options says how a model is laid out.
type Options struct {
	Version string // the program's version, for producer_version
	// Location is what the model calls its data file: a name without folders. Without it, a model that needs a data file is
	// refused.
	Location string
	// ExternalThreshold is the size in bytes above which a model gets a data file, if not 0; else it is [MaxInline].
	ExternalThreshold int64
	// Elsewhere gives the place of initializers whose elements are in another file already, which the model names instead of
	// having them; nil where there are none. Only that file's name is written, so it must lie beside the model, or where the
	// model's reader is told to look.
	Elsewhere func(v *onnxbuild.Value) (place Place, ok bool)
}

// Place is where a tensor's elements lie: from byte Offset of the file called Name on, little endian in C order.
type Place struct {
	Name   string
	Offset int64
}

// Layout is the exact form of a model file, and of its data file if it has one.
type Layout struct {
	model, data stream
}

// ErrTooLarge is what errors wrap that say that a model does not fit in one file.
var ErrTooLarge = errors.New("a single ONNX file holds at most 2 GB")

// Plan lays out a model. The same graph and options always give the same bytes.
func Plan(w *onnxbuild.Written, opts Options) (*Layout, error) {
	for _, v := range w.Initializers {
		if err := checkTensor(v.Const); err != nil {
			return nil, fmt.Errorf("initializer %q: %w", v.Name, err)
		}
	}
	limit := opts.ExternalThreshold
	if limit == 0 {
		limit = MaxInline
	}
	l, err := layOut(w, opts, false)
	if err != nil || l.Size() <= limit {
		return l, err
	}
	if opts.Location == "" {
		return nil, fmt.Errorf("the model takes %s: %w. Write it to a file, so that its data can lie in a second file beside it", units.Bytes(l.Size()), ErrTooLarge)
	}
	if l, err = layOut(w, opts, true); err == nil && l.Size() > MaxInline {
		err = fmt.Errorf("the model takes %s without its large tensors: %w", units.Bytes(l.Size()), ErrTooLarge)
	}
	return l, err
}

func layOut(w *onnxbuild.Written, opts Options, external bool) (*Layout, error) {
	l := &Layout{}
	g := w.Graph
	var head, nodes, edges, tail message

	for _, n := range w.Nodes {
		nodes.sub(graphNode, func(m *message) { writeNode(m, n) })
	}
	nodes.optional(graphName, g.Name)
	graph := stream{{bytes: nodes.bytes}}

	dataSize := int64(0)
	for _, v := range w.Initializers {
		var fields, start message
		writeTensor(&fields, v)
		bytes := v.Const.Bytes()
		place, elsewhere := Place{}, false
		if opts.Elsewhere != nil {
			place, elsewhere = opts.Elsewhere(v)
		}
		switch {
		case elsewhere:
			writeExternal(&fields, place.Name, place.Offset, bytes)
			start.open(graphInitializer, int64(len(fields.bytes)))
			graph = append(graph, segment{bytes: append(start.bytes, fields.bytes...)})
		case external && bytes >= minExternal:
			if pad := -dataSize & (dataAlign - 1); pad > 0 {
				l.data = append(l.data, segment{bytes: make([]byte, pad)})
				dataSize += pad
			}
			l.data = append(l.data, segment{tensor: v.Const, name: v.Name})
			writeExternal(&fields, opts.Location, dataSize, bytes)
			dataSize += bytes
			start.open(graphInitializer, int64(len(fields.bytes)))
			graph = append(graph, segment{bytes: append(start.bytes, fields.bytes...)})
		default:
			start.open(graphInitializer, int64(len(fields.bytes))+sizeField(tensorRawData, bytes))
			fields.open(tensorRawData, bytes)
			graph = append(graph, segment{bytes: append(start.bytes, fields.bytes...)}, segment{tensor: v.Const, name: v.Name})
		}
		if fields.err != nil {
			return nil, fields.err
		}
	}

	value := func(field protowire.Number, name string, t onnxbuild.Type) {
		edges.sub(field, func(m *message) { writeValue(m, name, t, g.DimName) })
	}
	for _, v := range g.Inputs {
		value(graphInput, v.Name, onnxbuild.Type{DType: v.DType, Shape: v.Shape})
	}
	for _, v := range g.Outputs {
		value(graphOutput, v.Name, onnxbuild.Type{DType: v.DType, Shape: v.Shape})
	}
	for _, e := range w.Edges() {
		value(graphValueInfo, e.Name, e.Type)
	}
	graph = append(graph, segment{bytes: edges.bytes})

	head.varint(modelIRVersion, w.IRVersion)
	head.text(modelProducerName, Producer)
	head.optional(modelProducerVersion, opts.Version)
	head.open(modelGraph, graph.size())
	tail.sub(modelOpsetImport, func(m *message) { m.varint(opsetVersion, int64(w.Opset)) })
	for _, p := range g.Properties {
		tail.sub(modelMetadataProps, func(m *message) { writeEntry(m, p.Key, p.Value) })
	}

	l.model = append(append(stream{{bytes: head.bytes}}, graph...), segment{bytes: tail.bytes})
	return l, errors.Join(head.err, nodes.err, edges.err, tail.err)
}

// Size is the size of the model file in bytes.
func (l *Layout) Size() int64 { return l.model.size() }

// DataSize is the size of the data file in bytes, 0 if the model has none.
func (l *Layout) DataSize() int64 { return l.data.size() }

// Write writes the data file, if the model has one, and then the model. data may be nil if [Layout.DataSize] is 0.
//
// Elements are made on as many goroutines as Go may use; all have ended when Write returns. progress, if not
// nil, is told the bytes written of both files from the goroutine that called Write. The errors of elements' sources
// carry the initializer's name, those of the writers come as they are, and the end of ctx gives its cause.
func (l *Layout) Write(ctx context.Context, model, data io.Writer, progress func(done, total int64)) error {
	if l.DataSize() > 0 && data == nil {
		return errors.New("the model has a data file, but nowhere to write it")
	}
	report := l.counter(progress)
	if err := l.data.write(ctx, data, report); err != nil {
		return err
	}
	return l.model.write(ctx, model, report)
}

// counter adds up the bytes written of both files.
func (l *Layout) counter(progress func(done, total int64)) func(n int) {
	done, total := int64(0), l.Size()+l.DataSize()
	return func(n int) {
		done += int64(n)
		if progress != nil {
			progress(done, total)
		}
	}
}

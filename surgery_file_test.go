package ysc2onnx_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"ysc2onnx/onnxbuild"
	"ysc2onnx/verify"
)

// forming changes the form of a graph at an opset.
type forming struct {
	t *testing.T
	*onnxbuild.Written
}

// node finds a node by its name, without the slash that it begins with, and makes what it reads and its attributes its own.
func (w *forming) node(name string) *onnxbuild.WireNode {
	w.t.Helper()
	i := slices.IndexFunc(w.Nodes, func(n onnxbuild.WireNode) bool { return n.Name == "/"+name })
	if i < 0 {
		w.t.Fatalf("there is no node /%s", name)
	}
	n := &w.Nodes[i]
	n.Inputs, n.Attrs = slices.Clone(n.Inputs), slices.Clone(n.Attrs)
	return n
}

// attribute is the index of an attribute that a node has.
func (w *forming) attribute(n *onnxbuild.WireNode, name string) int {
	w.t.Helper()
	i := slices.IndexFunc(n.Attrs, func(a onnxbuild.Attr) bool { return a.Name == name })
	if i < 0 {
		w.t.Fatalf("%s has no %s", n.Name, name)
	}
	return i
}

// set changes an attribute.
func (w *forming) set(node, attribute string, value any) {
	w.t.Helper()
	n := w.node(node)
	n.Attrs[w.attribute(n, attribute)].Value = value
}

// drop removes an attribute.
func (w *forming) drop(node, attribute string) {
	w.t.Helper()
	n := w.node(node)
	i := w.attribute(n, attribute)
	n.Attrs = slices.Delete(n.Attrs, i, i+1)
}

// writtenFile is a model on the disk, with what was read from it.
type writtenFile struct {
	model, data string // paths; data is "" where all is in the model
	facts       *verify.Facts
}

// stored is where an initializer's bytes lie.
func (f *writtenFile) stored(t *testing.T, name string) (path string, s verify.Stored) {
	t.Helper()
	s, ok := f.facts.Stored(name)
	if !ok || s.Offset < 0 {
		t.Fatalf("the file has no initializer %s with bytes of its own", name)
	}
	path = f.model
	if s.File != "" {
		path = filepath.Join(filepath.Dir(f.model), s.File)
	}
	return path, s
}

// flip turns a bit of a float32 around; bit 0 is the least significant.
func (f *writtenFile) flip(t *testing.T, name string, element int64, bit int) {
	t.Helper()
	path, s := f.stored(t, name)
	data := read(t, path)
	data[s.Offset+4*element+int64(bit/8)] ^= 1 << (bit % 8)
	overwrite(t, path, data)
}

// exchange swaps the bytes of two initializers.
func (f *writtenFile) exchange(t *testing.T, a, b string) {
	t.Helper()
	path, x := f.stored(t, a)
	_, y := f.stored(t, b)
	data := read(t, path)
	first, second := data[x.Offset:x.Offset+x.Length], data[y.Offset:y.Offset+y.Length]
	kept := bytes.Clone(first)
	copy(first, second)
	copy(second, kept)
	overwrite(t, path, data)
}

// displace moves the place that the model gives for an initializer in the data file.
func (f *writtenFile) displace(t *testing.T, name string, by int64) {
	t.Helper()
	_, s := f.stored(t, name)
	place := func(offset int64) []byte { // a StringStringEntryProto: key 1, value 2
		entry := protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), "offset")
		return protowire.AppendString(protowire.AppendTag(entry, 2, protowire.BytesType), fmt.Sprint(offset))
	}
	data, old, moved := read(t, f.model), place(s.Offset), place(s.Offset+by)
	if bytes.Count(data, old) != 1 || len(old) != len(moved) {
		t.Fatalf("the place %d cannot be changed to %d", s.Offset, s.Offset+by)
	}
	overwrite(t, f.model, bytes.Replace(data, old, moved, 1))
}

// cut ends the file that has an initializer's bytes some of them before the last.
func (f *writtenFile) cut(t *testing.T, name string, bytes int) {
	t.Helper()
	path, s := f.stored(t, name)
	truncate(t, path, int(s.Offset+s.Length)-bytes)
}

// truncate leaves the first bytes of a file.
func truncate(t *testing.T, path string, bytes int) {
	t.Helper()
	overwrite(t, path, read(t, path)[:bytes])
}

func overwrite(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// Field numbers of onnx.proto.
const (
	modelGraph    = 7
	graphNode     = 1
	nodeName      = 3
	nodeAttribute = 5
	attributeName = 1
)

// field is one of a protobuf message.
type field struct {
	number protowire.Number
	whole  []byte // with its tag
	body   []byte // of a string or a message
}

// fields takes a message apart.
func fields(t *testing.T, message []byte) (list []field) {
	t.Helper()
	for len(message) > 0 {
		number, kind, tag := protowire.ConsumeTag(message)
		n := protowire.ConsumeFieldValue(number, kind, message[max(tag, 0):])
		if tag < 0 || n < 0 {
			t.Fatal("the file is not made of protobuf fields")
		}
		f := field{number: number, whole: message[:tag+n]}
		if kind == protowire.BytesType {
			f.body, _ = protowire.ConsumeBytes(message[tag:])
		}
		list, message = append(list, f), message[tag+n:]
	}
	return list
}

// nodes changes the list of nodes in the file.
func (f *writtenFile) nodes(t *testing.T, change func(nodes [][]byte) [][]byte) {
	t.Helper()
	var model []byte
	for _, part := range fields(t, read(t, f.model)) {
		if part.number != modelGraph {
			model = append(model, part.whole...)
			continue
		}
		var nodes [][]byte
		var others []byte
		for _, part := range fields(t, part.body) {
			if part.number == graphNode {
				nodes = append(nodes, bytes.Clone(part.body))
			} else {
				others = append(others, part.whole...)
			}
		}
		var graph []byte
		for _, n := range change(nodes) {
			graph = protowire.AppendBytes(protowire.AppendTag(graph, graphNode, protowire.BytesType), n)
		}
		model = protowire.AppendBytes(protowire.AppendTag(model, modelGraph, protowire.BytesType), append(graph, others...))
	}
	overwrite(t, f.model, model)
}

// find is the index of the node of that name.
func find(t *testing.T, nodes [][]byte, name string) int {
	t.Helper()
	i := slices.IndexFunc(nodes, func(n []byte) bool {
		return slices.ContainsFunc(fields(t, n), func(f field) bool { return f.number == nodeName && string(f.body) == name })
	})
	if i < 0 {
		t.Fatalf("the file has no node %s", name)
	}
	return i
}

// withoutAttribute is a node that lacks an attribute.
func withoutAttribute(t *testing.T, node []byte, name string) (rest []byte) {
	t.Helper()
	for _, f := range fields(t, node) {
		named := func(a field) bool { return a.number == attributeName && string(a.body) == name }
		if f.number != nodeAttribute || !slices.ContainsFunc(fields(t, f.body), named) {
			rest = append(rest, f.whole...)
		}
	}
	return rest
}

package onnxfile_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"google.golang.org/protobuf/encoding/protowire"

	"ysc2onnx/onnxbuild"
	"ysc2onnx/onnxbuild/onnxfile"
)

// The file that ONNX's own package wrote, as testdata/record.py says it.
func TestOpen(t *testing.T) {
	eighth := onnxfile.Dim{Size: -1, Name: "height/8"}
	want := &onnxfile.Model{
		IRVersion: 8, Producer: "ysc2onnx", ProducerVersion: "1.2.3", Name: "sample",
		Opsets:     []onnxfile.Opset{{Version: 17}},
		Properties: []onnxbuild.Property{{Key: "stride", Value: "32"}, {Key: "names", Value: "{0: 'Größe'}"}},
		Inputs: []onnxfile.Value{
			{Name: "x", DType: onnxbuild.Float32, HasShape: true, Dims: []onnxfile.Dim{{Size: 1}, eighth, {Size: 4}}},
		},
		Outputs: []onnxfile.Value{
			{Name: "y", DType: onnxbuild.Float32, HasShape: true},
			{Name: "z", DType: onnxbuild.Int64, HasShape: true, Dims: []onnxfile.Dim{{Size: 2}}},
		},
		Edges: []onnxfile.Value{
			{Name: "a", DType: onnxbuild.Bool, HasShape: true, Dims: []onnxfile.Dim{{Size: 2}, eighth}},
		},
		Nodes: []onnxfile.Node{
			{
				Op: "Shape", Name: "/m/first", Inputs: []string{"x", "", "big"}, Outputs: []string{"a"},
				Attrs: []onnxbuild.Attr{
					{Name: "axes", Value: []int64{1, -2, 300}}, {Name: "factor", Value: float32(0.25)},
					{Name: "mode", Value: "nearest"}, {Name: "rates", Value: []float32{0.5, -1.5}},
					{Name: "start", Value: int64(-7)},
				},
			},
			{Op: "Mix", Name: "/m/second", Inputs: []string{"a", "one", "counts", "flags"}, Outputs: []string{"y", "z"}},
		},
		Initializers: []onnxfile.Tensor{
			{Name: "big", DType: onnxbuild.Float32, Dims: []int64{8, 64}, Length: 2048},
			{Name: "one", DType: onnxbuild.Float32, Length: 4},
			{Name: "counts", DType: onnxbuild.Int64, Dims: []int64{3}, Length: 24},
			{Name: "flags", DType: onnxbuild.Bool, Dims: []int64{2}, Length: 2},
		},
	}
	ignore := cmp.Options{
		cmpopts.IgnoreUnexported(onnxfile.Tensor{}), cmpopts.IgnoreFields(onnxfile.Tensor{}, "Offset"),
	}
	m := open(t, recorded(t, "sample.onnx"))
	if diff := cmp.Diff(want, m, ignore); diff != "" {
		t.Error(diff)
	}
	r, err := m.Initializers[2].Elements(nil)
	if err != nil {
		t.Fatal(err)
	}
	const counts = "\xff\xff\xff\xff\xff\xff\xff\xff\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00"
	if b, err := io.ReadAll(r); err != nil || string(b) != counts {
		t.Errorf("the elements are %q, %v", b, err)
	}
	if m.Opset("") != 17 || m.Opset("ai.onnx.ml") != 0 {
		t.Errorf("opsets %d and %d", m.Opset(""), m.Opset("ai.onnx.ml"))
	}

	want.Initializers[0].Location = "sample.data"
	m = open(t, recorded(t, "outside.onnx"))
	if diff := cmp.Diff(want, m, ignore); diff != "" {
		t.Error(diff)
	}
	const missing = `tensor "big": its elements are in the file "sample.data"`
	if _, err := m.Initializers[0].Elements(nil); err == nil || err.Error() != missing {
		t.Error(err)
	}
	if r, err := m.Initializers[0].Elements(strings.NewReader("abc")); err != nil || r.Size() != 2048 {
		t.Error(r, err)
	}
}

// Fields of a message, in protobuf's bytes.

func num(field protowire.Number, v uint64) string {
	return string(protowire.AppendVarint(protowire.AppendTag(nil, field, protowire.VarintType), v))
}

func text(field protowire.Number, parts ...string) string {
	return string(protowire.AppendString(protowire.AppendTag(nil, field, protowire.BytesType), strings.Join(parts, "")))
}

// Forms of the message that other writers use: packed lists, elements in typed fields, attributes of other types.
func TestOpenForeign(t *testing.T) {
	floatAttr := string(protowire.AppendFixed32(protowire.AppendTag(nil, 2, protowire.Fixed32Type), 0x3f800000))
	b := text(8, text(1, "ai.onnx"), num(2, 13)) + text(8, text(1, "com.microsoft"), num(2, 1)) + text(7,
		text(1, text(7, "com.microsoft"), text(4, "Gelu"),
			text(5, text(1, "packed"), text(8, "\x01\x02\xac\x02"), num(20, 7)),
			text(5, text(1, "packed floats"), text(7, "\x00\x00\x80\x3f\x00\x00\x00\x40"), num(20, 6)),
			text(5, text(1, "words"), text(9, "a"), text(9, ""), num(20, 8)),
			text(5, text(1, "branch"), text(6, text(2, "inner")), num(20, 5)),
			text(5, text(1, "float"), floatAttr, num(20, 1)),
			text(5, text(1, "tensor"), text(5, text(1, "\x02"), num(2, 3), text(9, "ab")), num(20, 4)),
		),
		text(5, num(1, 2), num(2, 1), text(4, "\x00\x00\x80\x3f\x00\x00\x00\x40"), text(8, "typed")),
		text(5, num(1, 1), num(2, 1), text(8, "rest"), text(13, text(1, "location"), text(2, "d")), num(14, 1)),
		text(11, text(1, "sequence"), text(2, text(4, ""))),
		text(11, text(1, "shapeless"), text(2, text(1, num(1, 10)))),
		text(12, text(1, "unknown"), text(2, text(1, num(1, 1), text(2, text(1), text(1, num(1, 0)))))),
	)
	m := open(t, []byte(b))
	if m.Opset("") != 13 || m.Opset("com.microsoft") != 1 {
		t.Errorf("%+v", m.Opsets)
	}
	tensor, ok := m.Nodes[0].Attrs[5].Value.(*onnxfile.Tensor)
	if !ok || tensor.DType != 3 || tensor.Length != 2 || m.Nodes[0].Domain != "com.microsoft" {
		t.Errorf("%+v", m.Nodes[0])
	}
	m.Nodes[0].Attrs[5].Value = nil
	if diff := cmp.Diff(m.Nodes[0].Attrs, []onnxbuild.Attr{
		{Name: "packed", Value: []int64{1, 2, 300}}, {Name: "packed floats", Value: []float32{1, 2}},
		{Name: "words", Value: []string{"a", ""}}, {Name: "branch"}, {Name: "float", Value: float32(1)}, {Name: "tensor"},
	}); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(m.Inputs, []onnxfile.Value{{Name: "sequence"}, {Name: "shapeless", DType: onnxbuild.Float16}}); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(m.Outputs[0].Dims, []onnxfile.Dim{{Size: -1}, {Size: 0}}); diff != "" {
		t.Error(diff)
	}
	const typed = `tensor "typed": its elements are in the field float_data; only raw_data is read`
	if _, err := m.Initializers[0].Elements(nil); err == nil || err.Error() != typed {
		t.Error(err)
	}
	r, err := m.Initializers[1].Elements(strings.NewReader("abcdefg"))
	if err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(r); err != nil || string(b) != "abcdefg" {
		t.Errorf("%q, %v", b, err)
	}
}

func TestOpenErrors(t *testing.T) {
	tensor := func(fields ...string) string { return text(7, text(5, text(8, "w"), strings.Join(fields, ""))) }
	outside := func(key, value string) string { return text(13, text(1, key), text(2, value)) }
	for _, c := range []struct{ file, want string }{
		{"", "it has 0 graphs, not one"},
		{text(7) + text(7), "it has 2 graphs, not one"},
		{"PK\x03\x04", "byte 2: this is not a protobuf field"},
		{"\x00", "byte 0: this is not a protobuf field"},
		{"\x0b", "byte 0: field 1 has wire type 3, which ONNX does not use"},
		{"\x08", "byte 0: field 1 is cut off"},
		{"\x3a\x05ab", "byte 0: field 7 says that it has 5 bytes, but only 2 follow"},
		{num(7, 1), "graph: byte 0: field 7 has wire type 0, not 2"},
		{text(1, "8"), "byte 0: field 1 has wire type 2, not 0"},
		{text(7, text(1, text(1, "x")), text(1, text(1, "x"), text(5, text(8, "\x80")))), "graph: node 1: attribute 0: byte 14: a number in field 8 is cut off"},
		{text(7, text(11, text(2, text(1, num(1, 1<<40))))), "graph: input 0: byte 8: 1099511627776 is not an element type"},
		{text(7, text(12, text(2, text(1, text(2, text(1, text(1, ""))))))), "graph: output 0: dimension 0: byte 12: field 1 has wire type 2, not 0"},
		{tensor(num(1, 3), num(2, 1), text(9, "abcd")), `graph: tensor "w": float32 of shape [3] takes 12 bytes, but there are 4`},
		{tensor(num(1, 3), num(2, 7)), `graph: tensor "w": int64 of shape [3] takes 24 bytes, but there are 0`},
		{tensor(num(1, 1<<63), num(2, 1)), `graph: tensor "w": the shape [-9223372036854775808] has a negative size`},
		{tensor(num(1, 1<<40), num(1, 1<<40), num(2, 1)), `graph: tensor "w": the shape [1099511627776 1099511627776] has more elements than can be counted`},
		{tensor(num(14, 1)), `graph: tensor "w": its elements are in another file, but external_data does not say in which`},
		{tensor(outside("offset", "-1")), `graph: initializer 0: external_data: byte 7: the offset "-1" is not a number of bytes`},
		{
			tensor(outside("location", "d"), outside("offset", "9223372036854775807"), outside("length", "1"), num(14, 1)),
			`graph: tensor "w": 1 bytes from byte 9223372036854775807 on are more than a file can have`,
		},
		{text(7, text(2, strings.Repeat("n", 64<<20+1))), "graph: byte 5: field 2 has 64.0 MiB; at most 64.0 MiB are read"},
		{text(7, strings.Repeat(text(1), 3<<20)), "graph: the model's description takes more than 256.0 MiB of memory"},
	} {
		_, err := onnxfile.Open(strings.NewReader(c.file), int64(len(c.file)))
		if err == nil || err.Error() != "not an ONNX model: "+c.want {
			t.Errorf("got  %v\nwant not an ONNX model: %s", err, c.want)
		}
	}
}

// Wherever a file is cut off, that is an error; and so is a file that is shorter than it was said to be.
func TestOpenCutOff(t *testing.T) {
	b := recorded(t, "sample.onnx")
	whole := map[int]bool{}
	for n := range b {
		if m, err := onnxfile.Open(bytes.NewReader(b[:n]), int64(n)); err == nil {
			whole[n] = m.Name == "sample" // cut off between two fields of the model
		}
	}
	if len(whole) != 3 { // after the graph, its opset and each property but the last
		t.Errorf("cut off at %v, the file is read", whole)
	}
	_, err := onnxfile.Open(bytes.NewReader(b[:1000]), int64(len(b)))
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error(err)
	}
}

func FuzzOpen(f *testing.F) {
	f.Add(recorded(f, "sample.onnx"))
	f.Add(recorded(f, "outside.onnx"))
	f.Add([]byte(text(7, text(5, num(1, 1), num(2, 1), text(4, "abcd"), text(13, text(1, "length"), text(2, "7"))))))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := onnxfile.Open(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			return
		}
		for _, tensor := range m.Initializers {
			if r, err := tensor.Elements(nil); err == nil {
				if n, err := io.Copy(io.Discard, r); err != nil || n != tensor.Length {
					t.Errorf("tensor %q: %d bytes instead of %d, %v", tensor.Name, n, tensor.Length, err)
				}
			}
		}
	})
}

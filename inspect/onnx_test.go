package inspect_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protowire"

	"ysc2onnx/inspect"
)

// made is a file that ONNX's own package wrote; see verify/testdata/make_files.py.
func made(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "verify", "testdata", "files", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func lookIntoONNX(t testing.TB, data []byte, opt inspect.Options) *inspect.Report {
	t.Helper()
	r, err := inspect.ONNX(context.Background(), bytes.NewReader(data), int64(len(data)), opt)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// beside opens data files beside those that made gives.
func beside(t testing.TB) func(name string) (io.ReaderAt, int64, error) {
	return func(name string) (io.ReaderAt, int64, error) {
		data := made(t, name)
		return bytes.NewReader(data), int64(len(data)), nil
	}
}

// TestONNXStatistics compares tensors that lie in the file in different ways with what NumPy computes of them in float64.
func TestONNXStatistics(t *testing.T) {
	for _, want := range []struct {
		file, dtype    string
		min, max, mean float64
	}{
		{"ok_conv.onnx", "float32", -2.5529897212982178, 2.269754648208618, 0.053930824251707504},
		{"ok_typed.onnx", "float32", -2.5529897212982178, 2.269754648208618, 0.053930824251707504}, // in float_data
		{"ok_external.onnx", "float32", -2.5529897212982178, 2.269754648208618, 0.053930824251707504},
		{"ok_f16_raw.onnx", "float16", -2.552734375, 2.26953125, 0.05395380655924479},
		{"ok_f64.onnx", "float64", 1, 4, 2.5}, // in double_data
		{"ok_bf16.onnx", "bfloat16", 1, 1, 1},
	} {
		tensor := lookIntoONNX(t, made(t, want.file), inspect.Options{Data: beside(t)}).Tensors[0]
		s := tensor.Statistics
		if s == nil || tensor.DType != want.dtype || *s.Min != want.min || *s.Max != want.max || math.Abs(*s.Mean-want.mean) > 1e-12 {
			t.Errorf("%s: %s %+v %s, want %+v", want.file, tensor.DType, s, tensor.Unread, want)
		}
	}
	for file, why := range map[string]string{
		"ok_f16_typed.onnx": "its elements are in a form that is not read, one by one instead of raw", // in int32_data
		"ok_external.onnx":  `its elements are in the file "ok_external.bin"`,
		"ok_int4.onnx":      "elements of type int4 are not read",
	} {
		r := lookIntoONNX(t, made(t, file), inspect.Options{})
		if got := r.Tensors[0]; got.Unread != why || got.Statistics != nil || r.Problem != "" {
			t.Errorf("%s: %+v, %q, want %q", file, got, r.Problem, why)
		}
	}
}

// TestONNXDescription: what a file says of itself, in its order. It was written by ONNX's own package; see
// onnxbuild/onnxfile/testdata/record.py.
func TestONNXDescription(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("..", "onnxbuild", "onnxfile", "testdata", "sample.onnx"))
	if err != nil {
		t.Fatal(err)
	}
	got := lookIntoONNX(t, data, inspect.Options{})
	for i := range got.Tensors {
		got.Tensors[i].Statistics = nil
	}
	want := &inspect.Report{
		Verdict: inspect.Data, Why: got.Why, Kind: "ONNX model", Bytes: int64(len(data)), Writer: "ysc2onnx 1.2.3", Model: "sample",
		Properties: []inspect.Property{{Name: "IR version", Value: "8"}, {Name: "opset", Value: "17"}, {Name: "stride", Value: "32"}},
		Classes:    []string{"Größe"},
		Inputs:     []inspect.Value{{Name: "x", DType: "float32", Dims: []string{"1", "height/8", "4"}}},
		Outputs:    []inspect.Value{{Name: "y", DType: "float32", Dims: []string{}}, {Name: "z", DType: "int64", Dims: []string{"2"}}},
		Operators:  []inspect.Operator{{Name: "Mix", Nodes: 1}, {Name: "Shape", Nodes: 1}},
		Parameters: 512 + 1 + 3 + 2,
		Tensors: []inspect.Tensor{
			{Name: "big", DType: "float32", Shape: []int64{8, 64}}, {Name: "one", DType: "float32"},
			{Name: "counts", DType: "int64", Shape: []int64{3}}, {Name: "flags", DType: "bool", Shape: []int64{2}},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	two := lookIntoONNX(t, made(t, "ok_qlinear_ms.onnx"), inspect.Options{})
	if two.Properties[2].Name != "opset com.microsoft" || !strings.HasPrefix(two.Operators[2].Name, "com.microsoft.") {
		t.Errorf("got %+v and %+v", two.Properties, two.Operators)
	}
}

// oneTensor is a model whose only initializer is its output.
func oneTensor(dtype uint64, raw []byte, count uint64) []byte {
	text := func(field protowire.Number, b []byte) []byte {
		return protowire.AppendBytes(protowire.AppendTag(nil, field, protowire.BytesType), b)
	}
	number := func(field protowire.Number, v uint64) []byte {
		return protowire.AppendVarint(protowire.AppendTag(nil, field, protowire.VarintType), v)
	}
	tensor := bytes.Join([][]byte{number(1, count), number(2, dtype), text(8, []byte("w")), text(9, raw)}, nil)
	kind := text(1, append(number(1, dtype), text(2, text(1, number(1, count)))...))
	graph := bytes.Join([][]byte{text(2, []byte("g")), text(5, tensor), text(12, append(text(1, []byte("w")), text(2, kind)...))}, nil)
	return bytes.Join([][]byte{number(1, 8), text(7, graph), text(8, number(2, 17))}, nil)
}

// TestONNXElements reads elements of each type: the bytes by hand.
func TestONNXElements(t *testing.T) {
	le := binary.LittleEndian
	for _, want := range []struct {
		name     string
		dtype    uint64
		raw      []byte
		min, max float64
	}{
		{"float32", 1, le.AppendUint32(le.AppendUint32(nil, 0xc0000000), 0x3f800000), -2, 1},
		{"uint8", 2, []byte{200, 3}, 3, 200},
		{"int8", 3, []byte{200, 3}, -56, 3},
		{"uint16", 4, []byte{0xff, 0xff, 1, 0}, 1, 65535},
		{"int16", 5, []byte{0xff, 0xff, 0, 1}, -1, 256},
		{"int32", 6, []byte{0, 0, 0, 0x80, 1, 0, 0, 0}, -1 << 31, 1},
		{"int64", 7, le.AppendUint64(le.AppendUint64(nil, math.MaxUint64), 1<<40), -1, 1 << 40},
		{"bool", 9, []byte{0, 7}, 0, 1},
		{"float16", 10, []byte{0, 0xc0, 0, 0x3c}, -2, 1},
		{"float64", 11, le.AppendUint64(le.AppendUint64(nil, math.Float64bits(-2)), math.Float64bits(0.5)), -2, 0.5},
		{"uint32", 12, []byte{0, 0, 0, 0x80, 1, 0, 0, 0}, 1, 1 << 31},
		{"uint64", 13, le.AppendUint64(le.AppendUint64(nil, 1<<63), 1), 1, 1 << 63},
		{"bfloat16", 16, []byte{0, 0xc0, 0x80, 0x3f}, -2, 1},
	} {
		r := lookIntoONNX(t, oneTensor(want.dtype, want.raw, 2), inspect.Options{})
		s := r.Tensors[0].Statistics
		if r.Problem != "" || r.Parameters != 2 || r.Tensors[0].DType != want.name || s == nil || *s.Min != want.min || *s.Max != want.max {
			t.Errorf("%s: %+v, %+v, want %g to %g", want.name, r, r.Tensors[0], want.min, want.max)
		}
	}
}

// TestUnsoundONNX: of a file that breaks ONNX's rules is shown what can be read, with the first problem.
func TestUnsoundONNX(t *testing.T) {
	r := lookIntoONNX(t, made(t, "bad_size.onnx"), inspect.Options{})
	if r.Problem != `initializer "w": has 432 bytes, but float32 5x3x3x3 takes 540` || len(r.Operators) != 1 || r.Operators[0] != (inspect.Operator{Name: "Conv", Nodes: 1}) ||
		r.Tensors[0].Unread != "it has 432 bytes of elements, where its shape [5 3 3 3] needs 540" {
		t.Errorf("got %+v", r)
	}
	r = lookIntoONNX(t, made(t, "bad_external_outside.onnx"), inspect.Options{Data: func(name string) (io.ReaderAt, int64, error) {
		t.Errorf("the file %q was opened", name)
		return nil, 0, os.ErrNotExist
	}})
	if !strings.Contains(r.Problem, "../../etc/passwd") || !strings.Contains(r.Tensors[0].Unread, "is not possible") {
		t.Errorf("got %+v", r)
	}
	gone := func(string) (io.ReaderAt, int64, error) { return nil, 0, os.ErrNotExist }
	r = lookIntoONNX(t, made(t, "ok_external.onnx"), inspect.Options{Data: gone})
	if r.Problem != `external data "ok_external.bin": file does not exist` || r.Tensors[0].Unread != "file does not exist" {
		t.Errorf("got %+v", r)
	}
	for text, want := range map[string]string{
		"\x3a\x05ab": "not an ONNX file: byte 0: field 7 says it is 5 bytes long, but 2 are left",
		"":           "the file has no IR version; the file has no graph",
	} {
		if _, err := inspect.ONNX(context.Background(), strings.NewReader(text), int64(len(text)), inspect.Options{}); err == nil || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
	cut := made(t, "ok_conv.onnx")
	if _, err := inspect.ONNX(context.Background(), bytes.NewReader(cut[:len(cut)/2]), int64(len(cut)), inspect.Options{}); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("of a file that became shorter: %v", err)
	}
}

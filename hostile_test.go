package ysc2onnx_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"ysc2onnx"
	"ysc2onnx/inspect"
)

// pickled is the opcode of a text.
func pickled(text string) string {
	return "X" + string(binary.LittleEndian.AppendUint32(nil, uint32(len(text)))) + text
}

// pickledModule is a module of no tensors, with children and attributes, which are keys and values in turn.
func pickledModule(children string, attributes ...string) string {
	return "cmodels.yolo\nModel\n)\x81}(" + pickled("_parameters") + "}" + pickled("_buffers") + "}" + pickled("_modules") + "}" + children +
		strings.Join(attributes, "") + "ub"
}

// pickledModel is a checkpoint of a model.
func pickledModel(t *testing.T, model string) ysc2onnx.Input {
	t.Helper()
	var file bytes.Buffer
	archive := zip.NewWriter(&file)
	w, err := archive.CreateHeader(&zip.FileHeader{Name: "x/data.pkl", Method: zip.Store})
	if err == nil {
		_, err = w.Write([]byte("\x80\x02" + model + "."))
	}
	if err == nil {
		err = archive.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return ysc2onnx.Input{WeightsName: "best.pt", Weights: bytes.NewReader(file.Bytes()), WeightsSize: int64(file.Len())}
}

// repeated is a list of n references to a value that is put there once, at an index of the memo.
func repeated(value string, index byte, n int) string {
	get := "h" + string([]byte{index})
	return value + "q" + string([]byte{index}) + "0](" + strings.Repeat(get, n) + "e"
}

// TestHostileModels: what a model says of itself is neither code for those who read the ONNX file, nor larger than a model's
// is when it is written out, though a small file names the same text any number of times.
func TestHostileModels(t *testing.T) {
	call := "c__import__('os')\nsystem\n(" + pickled("touch canary") + "tR"
	million := pickled(strings.Repeat("x", 1<<20))
	laughs := pickled("lol")
	for i := range byte(12) {
		laughs = repeated(laughs, i, 10)
	}
	var parts strings.Builder
	parts.WriteString("(")
	for i := range 2000 {
		parts.WriteString(pickled(fmt.Sprint(i)) + pickledModule("", pickled("i"), "M"+string([]byte{byte(i), byte(i >> 8)}), pickled("type"), "h\x01"))
	}
	many := million + "q\x010" + pickledModule(parts.String()+"u")
	convert := func(in ysc2onnx.Input) error {
		_, err := ysc2onnx.Convert(context.Background(), in, ysc2onnx.Options{})
		return err
	}
	extract := func(in ysc2onnx.Input) error {
		_, _, err := ysc2onnx.ExtractWeights(in)
		return err
	}
	for _, test := range []struct {
		name, model, want string
		do                func(ysc2onnx.Input) error
	}{
		{"a call for a name", pickledModule("", pickled("names"), "]"+pickled("a")+"a"+call+"a"),
			"best.pt: the name of its class 1 is __import__('os').system('touch canary'), which is neither a text nor a number", convert},
		{"a call for a number", pickledModule("", pickled("names"), "}"+call+pickled("a")+"s"),
			"best.pt: the name of its class __import__('os').system('touch canary') is 'a', which is neither a text nor a number", convert},
		{"names", pickledModule("", pickled("names"), repeated(million, 0, 90_000)), "best.pt: the names of its classes take more than 4194304 bytes", convert},
		{"rows", pickledModule("", pickled("yaml"), "}"+pickled("backbone")+laughs+"s"), "best.pt: its model YAML takes more than 4194304 bytes", convert},
		{"attributes", many, "best.pt: the attributes of its modules take more bytes than a safetensors file has for them", extract},
	} {
		in := pickledModel(t, test.model)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		err := test.do(in)
		r, inspected := inspect.Checkpoint(context.Background(), in.Weights, in.WeightsSize, inspect.Options{})
		runtime.ReadMemStats(&after)
		if err == nil || err.Error() != test.want {
			t.Errorf("%s:\n got %v\nwant %s", test.name, err, test.want)
		}
		if inspected != nil {
			t.Errorf("%s: inspect: %v", test.name, inspected)
		} else if n := len(strings.Join(r.Classes, "")); n > 1<<20 {
			t.Errorf("%s: inspect shows %d bytes of names", test.name, n)
		}
		if used := after.TotalAlloc - before.TotalAlloc; used > 256<<20 {
			t.Errorf("%s: %d bytes were allocated", test.name, used)
		}
	}
}

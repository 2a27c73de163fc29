package checkpoint_test

import (
	"archive/zip"
	"bytes"
	"io"
	"strings"
	"testing"

	"ysc2onnx/checkpoint"
)

// fuzzLimits keep each run of a fuzz target small.
var fuzzLimits = checkpoint.Limits{PickleSize: 1 << 20, Operations: 20_000, Tensors: 1000, InflatedSize: 1 << 20, HeaderSize: 1 << 20}

// try opens a file and looks at all of it; only a panic is a failure.
func try(b []byte) {
	f, err := checkpoint.Open(bytes.NewReader(b), int64(len(b)), fuzzLimits)
	if err != nil {
		return
	}
	_ = checkpoint.Repr(f.Value, 1000)
	readAll(f)
}

func FuzzPickle(f *testing.F) {
	f.Add([]byte(tensor(storage("0", 4), 0, []int64{2, 2}, []int64{1, 2})))
	f.Add([]byte("\x80\x02cos\nsystem\n(" + binUnicode("true") + "tR."))
	f.Add([]byte("\x80\x04\x95\x00\x00\x00\x00\x00\x00\x00\x00\x8c\x02os\x94\x8c\x06system\x94\x93\x94\x8f(K\x01\x90\x86\x94."))
	f.Add([]byte("\x80\x02cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\nK\x00\x85C\x01btR(K\x01K\x01\x85cnumpy\ndtype\n" + binUnicode("f4") +
		"\x85R(K\x03" + binUnicode("<") + "tb\x89C\x04abcdtb."))
	for _, name := range []string{"statedict.pt", "training.pt", "protocol4.pt"} {
		f.Add(plain(f, name, strings.TrimSuffix(name, ".pt")+"/data.pkl"))
	}
	f.Fuzz(func(_ *testing.T, pickle []byte) {
		try(checkpointOf(string(pickle), record{"x/data/0", make([]byte, 64)}, record{"x/data/1", nil}))
	})
}

func FuzzZip(f *testing.F) {
	f.Add(readFile(f, "statedict.pt"))
	f.Add(readFile(f, "bigendian.pt"))
	f.Add(readFile(f, "legacy.pt"))
	f.Add(deflated([]byte("\x80\x02N."), 4))
	f.Add(zipOf(record{"a.npy", nil}))
	f.Add(readFile(f, "around/compiled.pt"))
	f.Add(readFile(f, "around/names-two.pt"))
	f.Add([]byte("\x0a\x1c\x0a\x01x\x12\x0bPlaceholder*\x0a\x0a\x05dtype"))
	f.Fuzz(func(_ *testing.T, b []byte) { try(b) })
}

func FuzzSafetensors(f *testing.F) {
	f.Add([]byte(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"__metadata__":{"x":"y"}}`), 8)
	f.Add([]byte(`{"a.b":{"dtype":"BF16","shape":[],"data_offsets":[0,2]},"a.c":{"dtype":"I64","shape":[0,3],"data_offsets":[2,2]}}`), 2)
	f.Fuzz(func(_ *testing.T, header []byte, data int) {
		try(safetensors(string(header), make([]byte, max(0, data)%4096)))
	})
}

// plain is the content of a record in a testdata file.
func plain(f *testing.F, file, name string) []byte {
	f.Helper()
	b := readFile(f, file)
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		f.Fatal(err)
	}
	r, err := z.Open(name)
	if err != nil {
		f.Fatal(err)
	}
	content, err := io.ReadAll(r)
	if err != nil {
		f.Fatal(err)
	}
	return content
}

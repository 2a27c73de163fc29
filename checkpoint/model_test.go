package checkpoint_test

import (
	"encoding/binary"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ysc2onnx/checkpoint"
)

// TestTrainingCheckpoint reads everything in a checkpoint as train.py leaves it; make.py put these values there.
func TestTrainingCheckpoint(t *testing.T) {
	f := mustOpen(t, readFile(t, "training.pt"))
	var got []string
	d, _ := f.Value.(*checkpoint.Dict)
	for _, e := range d.Entries {
		if key := checkpoint.Repr(e.Key, 40); key != "'optimizer'" {
			got = append(got, key+": "+checkpoint.Repr(e.Value, 100))
		}
	}
	want := []string{
		"'epoch': 2", "'best_fitness': 0.25", "'model': models.yolo.DetectionModel()", "'ema': models.yolo.DetectionModel()",
		"'updates': 1180591620717411303424", "'opt': argparse.Namespace()", "'date': '2024-01-01'", "'git': {'commit': None}",
		"'fitness': array(float32[2 2])", "'flags': True", "'count': -7", `'raw': b'\x00\xff'`, "'z': complex(1.0, 2.0)", "'frozen': {3}",
	}
	for i := range got { // protocol 2 calls it by Python 2's name
		got[i] = strings.ReplaceAll(got[i], "__builtin__.complex", "complex")
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	opt, _ := f.Get("opt")
	options, _ := opt.(*checkpoint.Object)
	if diff := cmp.Diff("{'weights': '/data/yolov5n.pt', 'epochs': 3}", checkpoint.Repr(options.State, 100)); diff != "" {
		t.Error(diff)
	}
	fitness, _ := f.Get("fitness")
	array, ok := checkpoint.AsTensor(fitness)
	if !ok {
		t.Fatal("no array")
	}
	elements, err := array.Floats()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]float32{0.5, 1.5, 2.5, 3.5}, elements); diff != "" {
		t.Error(diff)
	}
}

func TestModelWithParentLinkAndHiddenBuffer(t *testing.T) {
	f := mustOpen(t, readFile(t, "training.pt"))
	m := mustModel(t, f)
	head := m.Child("model").Child("2")
	parent, _ := head.Attr("parent")
	if o, ok := parent.(*checkpoint.Object); !ok || o.Class != m.Class {
		t.Errorf("parent is %s", checkpoint.Repr(parent, 100))
	}
	if head.Tensor("scratch") != nil {
		t.Error("a buffer that no state_dict has is among the buffers")
	}
	if m.Training {
		t.Error("the model was saved in evaluation mode")
	}
	var names []string
	for _, e := range m.Attrs.Entries {
		names = append(names, checkpoint.Repr(e.Key, 100))
	}
	if diff := cmp.Diff([]string{"'yaml'", "'names'", "'stride'", "'save'", "'tags'", "'trace'"}, names); diff != "" {
		t.Error(diff)
	}
	yaml, _ := m.Attr("yaml")
	want := "{'nc': 2, 'backbone': [[-1, 1, 'Conv', [8, 3]]], 'anchors': ((10, 13, 16, 30, 33, 23),)}"
	if diff := cmp.Diff(want, checkpoint.Repr(yaml, 200)); diff != "" {
		t.Error(diff)
	}
	classes, _ := m.Attr("names")
	if diff := cmp.Diff(`['cat', "dog's"]`, checkpoint.Repr(classes, 200)); diff != "" {
		t.Error(diff)
	}
	// ema wins over model, which was saved before it: the first storage is model's.
	if m.StateDict()[0].Storage.Key == "0" {
		t.Error("the tensors are those of 'model', not of 'ema'")
	}
	if g := f.Globals()[0]; g.String() != "somewhere.Trace" || g.Risk != checkpoint.Unknown {
		t.Errorf("the first global is %s, %s", g, g.Risk)
	}
}

func TestBareStateDictBecomesATree(t *testing.T) {
	m := mustModel(t, mustOpen(t, readFile(t, "statedict.pt")))
	var lines []string
	var walk func(m *checkpoint.Module)
	walk = func(m *checkpoint.Module) {
		line := m.Path + ":"
		for _, n := range m.Params {
			line += " " + n.Name
		}
		line += " |"
		for _, n := range m.Buffers {
			line += " " + n.Name
		}
		lines = append(lines, line)
		for _, c := range m.Children {
			walk(c.Module)
		}
	}
	walk(m)
	want := []string{": |", "stem: weight bias |", "norm: weight bias | running_mean running_var num_batches_tracked", "tail: |", "tail.0: weight bias |"}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Error(diff)
	}
}

func TestSafetensorsMetadata(t *testing.T) {
	f := mustOpen(t, readFile(t, "tensors.safetensors"))
	var got []string
	for _, e := range f.Metadata {
		got = append(got, checkpoint.Repr(e.Key, 40)+"="+checkpoint.Repr(e.Value, 40))
	}
	if diff := cmp.Diff([]string{"'by'='make.py'", "'format'='pt'"}, got); diff != "" {
		t.Error(diff)
	}
}

// safetensors is a file of a header and the tensors' bytes.
func safetensors(header string, data []byte) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(b, header...), data...)
}

func TestFaultySafetensors(t *testing.T) {
	for _, c := range []struct {
		header string
		data   int
		want   string
	}{
		{`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`, 8,
			`the safetensors header: tensors "a" and "b" overlap at byte 4 of the data`},
		{`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}}`, 12,
			`the safetensors header: bytes 4 to 8 of the data, before tensor "b", belong to no tensor`},
		{`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, 6, `the safetensors header: 2 bytes of data at the end of the file belong to no tensor`},
		{`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}`, 6,
			`the safetensors header: tensor "a": the file is truncated: it ends at byte 8 of the data, but the file has 6 bytes of data`},
		{`{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}`, 8,
			`the safetensors header: tensor "a": it does not fit its storage of 2 elements: shape [3], strides [1], offset 0`},
		{`{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,8]}}`, 8,
			`the safetensors header: tensor "a": it has a negative size or stride: shape [-1], strides [1]`},
		{`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,8]}}`, 8, `the safetensors header: tensor "a": shape [1] of float32 needs 4 bytes, and data_offsets give it 8`},
		{`{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}`, 0,
			`the safetensors header: tensor "a": it does not fit its storage of 0 elements: shape [4294967296 4294967296], strides [4294967296 1], offset 0`},
		{`{"a":{"dtype":"F8_E4M3","shape":[1],"data_offsets":[0,1]}}`, 1,
			`the safetensors header: tensor "a": element type "F8_E4M3" is not read here; F16, BF16, F32, F64, I8 to I64, U8 and BOOL are`},
		{`{"a":{"dtype":"U8","shape":[1]}}`, 1, `the safetensors header: tensor "a": data_offsets should be the two ends of its bytes`},
		{`{"a":{"dtype":"U8","shape":[0],"data_offsets":[3,1]}}`, 1, `the safetensors header: tensor "a": data_offsets are [3, 1]`},
		{`{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}`, 0, `the safetensors header: "a" is there twice`},
		{`{"__metadata__":{"x":1}}`, 0, "the safetensors header: __metadata__: json: cannot unmarshal number into Go value of type string"},
		{`{} {}`, 0, "the safetensors header: { follows the end of the object"},
	} {
		_, err := open(safetensors(c.header, make([]byte, c.data)))
		if err == nil || err.Error() != c.want {
			t.Errorf("%s\n got %v\nwant %s", c.header, err, c.want)
		}
	}
}

// TestWaysToWriteATensor has the functions by which other versions of PyTorch write tensors than the one that made the
// files in testdata. Their arguments are as torch/_utils.py and torch/_tensor.py document them.
func TestWaysToWriteATensor(t *testing.T) {
	data := record{"x/data/0", []byte{0, 0, 128, 63, 0, 0, 0, 64}} // 1, 2
	bytesOf := "(" + binUnicode("storage") + "ctorch.storage\nUntypedStorage\n" + binUnicode("0") + binUnicode("cuda:0") + "K\x08tQ"
	view := "K\x01K\x01\x85K\x01\x85" // offset 1, size (1,), stride (1,)
	for name, value := range map[string]string{
		"before hooks":         "ctorch._utils\n_rebuild_tensor\n(" + storage("0", 2) + view + "tR",
		"untyped storage":      "ctorch._utils\n_rebuild_tensor_v3\n(" + bytesOf + view + "\x89}ctorch\nfloat32\n}tR",
		"parameter with state": "ctorch._utils\n_rebuild_parameter_with_state\n(ctorch._utils\n_rebuild_tensor_v2\n(" + storage("0", 2) + view + "\x89}tR\x88}}tR",
		"subclass": "ctorch._tensor\n_rebuild_from_type_v2\n(ctorch._utils\n_rebuild_tensor_v2\nctorch.nn.parameter\nParameter\n(" +
			storage("0", 2) + view + "\x89}t}tR",
	} {
		f := mustOpen(t, checkpointOf("\x80\x02}"+binUnicode("x")+value+"s.", data))
		x := mustModel(t, f).Tensor("x")
		got, err := x.Floats()
		if err != nil || len(got) != 1 || got[0] != 2 || x.DType != checkpoint.Float32 {
			t.Errorf("%s: %s %v, %v", name, x.DType, got, err)
		}
	}
	_, err := open(checkpointOf("\x80\x02ctorch._utils\n_rebuild_tensor_v3\n("+bytesOf+view+"\x89}ctorch\nuint16\n}tR.", data))
	want := `record "x/data.pkl": at byte 126 of the pickle: torch._utils._rebuild_tensor_v3: element type torch.uint16 is not read here`
	if err == nil || err.Error() != want {
		t.Errorf(" got %v\nwant %s", err, want)
	}
}

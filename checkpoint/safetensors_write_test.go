package checkpoint_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"slices"
	"testing"

	"ysc2onnx/checkpoint"
)

// entry is a tensor as the specification of safetensors has it.
type entry struct {
	DType   string   `json:"dtype"`
	Shape   []int64  `json:"shape"`
	Offsets [2]int64 `json:"data_offsets"`
}

// readSafetensors reads a file by the specification alone.
func readSafetensors(t *testing.T, file []byte) (tensors map[string]entry, metadata map[string]string, data []byte) {
	t.Helper()
	length := binary.LittleEndian.Uint64(file)
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(file[8:8+length], &fields); err != nil {
		t.Fatal(err)
	}
	tensors = map[string]entry{}
	for name, raw := range fields {
		var e entry
		into := any(&e)
		if name == "__metadata__" {
			into = &metadata
		}
		if err := json.Unmarshal(raw, into); err != nil {
			t.Fatal(err)
		}
		if name != "__metadata__" {
			tensors[name] = e
		}
	}
	return tensors, metadata, file[8+length:]
}

func writeSafetensors(t *testing.T, tensors []*checkpoint.Tensor, metadata map[string]string) []byte {
	t.Helper()
	layout, err := checkpoint.PlanSafetensors(tensors, metadata)
	if err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	told := int64(0)
	if err := layout.Write(context.Background(), &file, func(done, _ int64) { told = done }); err != nil {
		t.Fatal(err)
	}
	if n := int64(file.Len()); n != layout.Size() || n != told {
		t.Errorf("the file has %d bytes, planned were %d and told %d", n, layout.Size(), told)
	}
	return file.Bytes()
}

// TestWriteSafetensors writes what tensors.pt holds (every type, and views of every kind) and compares each tensor's
// bytes with those that PyTorch gave to Python, as make.py put them into tensors.safetensors.
func TestWriteSafetensors(t *testing.T) {
	for _, source := range []string{"tensors.pt", "protocol4.pt", "deflated.pt", "tensors.safetensors"} {
		got, metadata, data := readSafetensors(t, writeSafetensors(t, mustModel(t, mustOpen(t, readFile(t, source))).StateDict(), map[string]string{"a": "ü\"\n"}))
		want, _, wantData := readSafetensors(t, readFile(t, "tensors.safetensors"))
		if len(got) != len(want) || metadata["a"] != "ü\"\n" {
			t.Errorf("%s: %d tensors, want %d; metadata %q", source, len(got), len(want), metadata)
		}
		var spans [][2]int64
		for name, w := range want {
			g := got[name]
			if g.DType != w.DType || !slices.Equal(g.Shape, w.Shape) || g.Shape == nil {
				t.Errorf("%s: %s is %s %v, want %s %v", source, name, g.DType, g.Shape, w.DType, w.Shape)
				continue
			}
			if !bytes.Equal(data[g.Offsets[0]:g.Offsets[1]], wantData[w.Offsets[0]:w.Offsets[1]]) {
				t.Errorf("%s: %s has other bytes", source, name)
			}
			size := map[string]int64{"F64": 8, "I64": 8, "F32": 4, "I32": 4, "F16": 2, "BF16": 2, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1}[g.DType]
			if g.Offsets[0]%size != 0 {
				t.Errorf("%s: %s of %s begins at byte %d", source, name, g.DType, g.Offsets[0])
			}
			spans = append(spans, g.Offsets)
		}
		slices.SortFunc(spans, func(a, b [2]int64) int { return slices.Compare(a[:], b[:]) })
		at := int64(0)
		for _, s := range spans {
			if s[0] != at {
				t.Errorf("%s: bytes %d to %d belong to no tensor, or to two", source, at, s[0])
			}
			at = s[1]
		}
		if at != int64(len(data)) {
			t.Errorf("%s: %d bytes of data, %d of tensors", source, len(data), at)
		}
	}
}

// TestBigEndianIsWrittenLittle checks the copies against the tensors that PyTorch made.
func TestBigEndianIsWrittenLittle(t *testing.T) {
	got, _, data := readSafetensors(t, writeSafetensors(t, mustModel(t, mustOpen(t, readFile(t, "bigendian.pt"))).StateDict(), nil))
	want, _, wantData := readSafetensors(t, readFile(t, "tensors.safetensors"))
	for name, g := range got {
		if w := want[name]; !bytes.Equal(data[g.Offsets[0]:g.Offsets[1]], wantData[w.Offsets[0]:w.Offsets[1]]) {
			t.Errorf("%s has other bytes", name)
		}
	}
	if len(got) == 0 {
		t.Error("no tensors")
	}
}

func TestWriteSafetensorsRefuses(t *testing.T) {
	tensors := mustModel(t, mustOpen(t, readFile(t, "statedict.pt"))).StateDict()
	for name, test := range map[string]struct {
		tensors []*checkpoint.Tensor
		want    string
	}{
		"twice":    {append(tensors[:2:2], tensors[0]), `two tensors would be called "stem.weight"`},
		"reserved": {[]*checkpoint.Tensor{{Name: "__metadata__", DType: checkpoint.Float32}}, `two tensors would be called "__metadata__"`},
	} {
		if _, err := checkpoint.PlanSafetensors(test.tensors, nil); err == nil || err.Error() != test.want {
			t.Errorf("%s: %v, want %s", name, err, test.want)
		}
	}
	layout, err := checkpoint.PlanSafetensors(tensors, nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := layout.Write(ctx, new(bytes.Buffer), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// TestDamaged flips a byte of each record in turn, whose name has to come out, and no other.
func TestDamaged(t *testing.T) {
	for _, name := range []string{"statedict.pt", "deflated.pt"} {
		file := readFile(t, name)
		f := mustOpen(t, file)
		if damaged, err := f.Damaged(context.Background()); err != nil || len(damaged) > 0 {
			t.Errorf("%s: %q, %v", name, damaged, err)
		}
		for _, r := range f.Records {
			if r.Size == 0 || r.Name[len(r.Name)-1] == 'l' || r.Name[len(r.Name)-1] == 'n' { // data.pkl and version have to be read
				continue
			}
			at := bytes.Index(file, []byte(r.Name)) + len(r.Name) // in the local header, with its padding after it
			at += int(binary.LittleEndian.Uint16(file[at-len(r.Name)-2:]))
			broken := bytes.Clone(file)
			broken[at+1] ^= 0x10 // the first byte of deflated data may hold bits that mean nothing
			damaged, err := mustOpen(t, broken).Damaged(context.Background())
			if err != nil || len(damaged) != 1 || damaged[0] != r.Name {
				t.Errorf("%s: %q, %v, want %s", name, damaged, err, r.Name)
			}
		}
	}
}

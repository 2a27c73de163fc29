package ysc2onnx_test

import (
	"bytes"
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"ysc2onnx"
	"ysc2onnx/internal/foreign"
	"ysc2onnx/internal/pipeline"
	"ysc2onnx/verify"
	"ysc2onnx/verify/ort/orttest"
)

// single gives the bytes of float32 numbers, as files hold them.
func single(values ...float32) (b []byte) {
	for _, v := range values {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	return b
}

// theirs gives a file of testdata/against, PyTorch's exports of changed.pt.
func theirs(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "against", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// judge compares a file with changed.pt.
func judge(t *testing.T, file []byte) (*ysc2onnx.Verdict, error) {
	t.Helper()
	return ysc2onnx.Against(t.Context(), orttest.Runtime(t), written(t, file), openCheckpoint(t, filepath.Join("testdata", "changed.pt")), ysc2onnx.AgainstOptions{})
}

// judgeByRuntime is judge with no work left to the reference interpreter but of our own export, for a small image.
func judgeByRuntime(t *testing.T, file []byte) (*foreign.Verdict, error) {
	t.Helper()
	in := pipeline.Source(openCheckpoint(t, filepath.Join("testdata", "changed.pt")))
	return foreign.Judge(t.Context(), orttest.Runtime(t), written(t, file), in, foreign.Options{MaxReference: 1e-9})
}

// written is the path of a file of these bytes.
func written(t *testing.T, file []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "theirs.onnx")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestAgainst: what PyTorch exported is right, whatever its values are called.
func TestAgainst(t *testing.T) {
	for _, c := range []struct {
		file, found     string
		layers, by, all int
	}{
		{"fused.onnx", verify.FoundByNames, 5, 15, 15},
		{"renamed.onnx", verify.FoundByWeights, 4, 0, 15}, // Hardswish is two operators there: where layer 1 ends is not known
	} {
		v, err := judge(t, theirs(t, c.file))
		if err != nil {
			t.Fatal(err)
		}
		w := v.Weights
		if err := v.Err(); err != nil || v.Found != c.found || v.Layers != c.layers || v.Expect != 5 || !v.Exact {
			t.Errorf("%s: %v; %d of %d layers, found by %s", c.file, err, v.Layers, v.Expect, v.Found)
		}
		if w.Compared != c.all || w.Convolutions != c.all || w.ByName != c.by || w.MaxRel > 8*0x1p-24 || len(w.NotFound)+len(w.NotRead) > 0 {
			t.Errorf("%s: %+v", c.file, w)
		}
	}
}

// TestAgainstFaults plants faults into PyTorch's exports: each is found, and the first that differs named.
func TestAgainstFaults(t *testing.T) {
	t.Parallel()
	poke := func(name string, element int, change func(float32) float32) func(*testing.T, []byte) {
		return func(t *testing.T, b []byte) {
			facts, err := verify.StructureReader(t.Context(), bytes.NewReader(b), int64(len(b)), nil)
			if err != nil {
				t.Fatal(err)
			}
			at, ok := facts.Stored(name)
			if !ok || at.Offset < 0 {
				t.Fatalf("%s is not in the file", name)
			}
			raw := b[at.Offset+int64(4*element):]
			binary.LittleEndian.PutUint32(raw, math.Float32bits(change(math.Float32frombits(binary.LittleEndian.Uint32(raw)))))
		}
	}
	replace := func(old, with []byte, times int) func(*testing.T, []byte) {
		return func(t *testing.T, b []byte) {
			if n := bytes.Count(b, old); n != times {
				t.Fatalf("%d places, want %d", n, times)
			}
			copy(b, bytes.ReplaceAll(b, old, with))
		}
	}
	swapped := func(node string) func(*testing.T, []byte) {
		return func(t *testing.T, b []byte) {
			at := regexp.MustCompile(`(?s)\x0a\x05(v\d{4})\x0a\x05(v\d{4})\x12\x05(v\d{4})\x1a.` + node).FindSubmatchIndex(b)
			if at == nil {
				t.Fatalf("there is no node %s", node)
			}
			first := slices.Clone(b[at[2]:at[3]])
			copy(b[at[2]:at[3]], b[at[4]:at[5]])
			copy(b[at[4]:at[5]], first)
		}
	}
	for _, c := range []struct {
		what, file string
		plant      func(*testing.T, []byte)
		want       string
	}{
		{"a weight off by 2 %", "fused.onnx", poke("model.3.m.0.cv2.conv.weight", 77, func(v float32) float32 { return v * 1.02 }),
			"model.3.m.0.cv2.conv.weight with its batch norm: 1 of "},
		{"a weight off by a hundred units in the last place", "fused.onnx",
			poke("model.4.cv1.conv.weight", 5, func(v float32) float32 { return v * (1 + 100*0x1p-23) }), "model.4.cv1.conv.weight with its batch norm: 1 of "},
		{"a weight that is NaN", "fused.onnx", poke("model.0.conv.weight", 0, func(float32) float32 { return float32(math.NaN()) }),
			"model.0.conv.weight with its batch norm: 1 of "},
		{"a bias off by 1e-3", "fused.onnx", poke("model.4.cv2.conv.bias", 3, func(v float32) float32 { return v + 1e-3 }),
			"model.4.cv2.conv.bias with its batch norm: 1 of 32 elements differ; [3] is "},
		{"a batch norm's eps 1/16 for 1/8", "renamed.onnx", replace(append([]byte("epsilon\x15"), single(0.125)...), append([]byte("epsilon\x15"), single(0.0625)...), 1),
			"model.3.cv1.conv.weight with its batch norm: 512 of 512 elements differ"},
		{"LeakyReLU's slope", "renamed.onnx", replace(single(0.2), single(0.21), 1), "model.0 (Conv) is the first to differ: "},
		{"LeakyReLU's slope, with names", "fused.onnx", replace(single(0.2), single(0.21), 1), "model.0 (Conv) is the first to differ: "},
		{"Hardswish's slope", "renamed.onnx", replace(single(1./6), single(0.17), 1), "model.2 (ScConv) is the first to differ: "},
		{"C3's branches joined the other way round", "renamed.onnx", swapped("concat_158"), "model.3 (C3) is the first to differ: "},
		{"an anchor of 29 px for 28", "renamed.onnx", replace(single(28, 40), single(29, 40), 128), "output0 boxes (Detect) is the first to differ: "},
		{"an anchor of 29 px for 28, with names", "fused.onnx", replace(single(28, 40), single(29, 40), 128), "output0 boxes (Detect) is the first to differ: "},
	} {
		t.Run(c.what, func(t *testing.T) {
			b := theirs(t, c.file)
			c.plant(t, b)
			v, err := judge(t, b)
			if err != nil {
				t.Fatal(err)
			}
			if err := v.Err(); err == nil || !strings.HasPrefix(err.Error(), c.want) {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
}

// TestAgainstByRuntime compares with what ONNX Runtime gives for our own export, as of large models.
func TestAgainstByRuntime(t *testing.T) {
	v, err := judgeByRuntime(t, theirs(t, "renamed.onnx"))
	if err != nil {
		t.Fatal(err)
	}
	if v.Err() != nil || v.Exact || v.Layers != 4 || v.Ours == nil || !v.Ours.OK() || v.Ours.Numbers == nil {
		t.Errorf("%v; exact %v, %d layers, ours %+v", v.Err(), v.Exact, v.Layers, v.Ours)
	}
	b := theirs(t, "renamed.onnx")
	copy(b, bytes.ReplaceAll(b, single(0.2), single(0.21)))
	if v, err = judgeByRuntime(t, b); err != nil || v.Err() == nil || !strings.HasPrefix(v.Err().Error(), "model.0 (Conv) is the first to differ: ") {
		t.Errorf("%v, %v", v.Err(), err)
	}
}

// TestAgainstRefused: what cannot be compared at all is an error.
func TestAgainstRefused(t *testing.T) {
	for file, want := range map[string]string{
		"ok_two_inputs.onnx":             "its inputs are [a float32 [n, 4] b float32 [n, 4]]; one image of floating-point numbers was expected, [batch, channels, height, width]",
		"bad_twice.onnx":                 `node 1 (Relu ""): the name "y" is already taken by another value`,
		"ok_in_u8.onnx":                  "its inputs are [x uint8 [2, 3]]; one image of floating-point numbers was expected, [batch, channels, height, width]",
		"ok_input_shapeless_notrun.onnx": "its inputs are [x float32 of any shape]; one image of floating-point numbers was expected, [batch, channels, height, width]",
	} {
		path := filepath.Join("verify", "testdata", "files", file)
		_, err := ysc2onnx.Against(t.Context(), orttest.Runtime(t), path, openCheckpoint(t, filepath.Join("testdata", "changed.pt")), ysc2onnx.AgainstOptions{})
		if want = path + ": " + want; err == nil || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
	// A sound file of another model: nothing of it is found.
	path := filepath.Join("verify", "testdata", "files", "ok_conv.onnx")
	v, err := ysc2onnx.Against(t.Context(), orttest.Runtime(t), path, openCheckpoint(t, filepath.Join("testdata", "changed.pt")), ysc2onnx.AgainstOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if v.OK() || v.Found != verify.FoundNowhere || len(v.Weights.NotFound) != 15 {
		t.Errorf("OK %v, %s, %v", v.OK(), v.Found, v.Weights.NotFound)
	}
}

package checkpoint_test

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
	"testing"

	"ysc2onnx/checkpoint"
)

// TestLegacy: the format from before PyTorch 1.6 holds what the zip holds.
func TestLegacy(t *testing.T) {
	old, now := mustOpen(t, readFile(t, "legacy.pt")), mustOpen(t, readFile(t, "statedict.pt"))
	if old.Version != "1001, before PyTorch 1.6" {
		t.Errorf("the version is %q", old.Version)
	}
	got, want := mustModel(t, old).StateDict(), mustModel(t, now).StateDict()
	if len(got) != len(want) || len(got) == 0 {
		t.Fatalf("%d tensors, want %d", len(got), len(want))
	}
	for i, w := range want {
		a, err := got[i].Floats()
		if err != nil {
			t.Fatal(err)
		}
		b, err := w.Floats()
		if err != nil {
			t.Fatal(err)
		}
		if got[i].Name != w.Name || got[i].DType != w.DType || !slices.Equal(got[i].Shape, w.Shape) || !slices.Equal(a, b) {
			t.Errorf("%s %s %v is not %s %s %v, or holds other numbers", got[i].Name, got[i].DType, got[i].Shape, w.Name, w.DType, w.Shape)
		}
	}
}

// legacyOf puts a file together: a pickle of what was saved, the keys, and what follows.
func legacyOf(saved, keys, rest string) []byte {
	const magic = "\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
	return []byte(magic + "\x80\x02M\xe9\x03." + "\x80\x02}." + "\x80\x02" + saved + "." + "\x80\x02" + keys + "." + rest)
}

// reference is a persistent id of a storage of float32, "7".
func reference(numel byte) string {
	return "(" + binUnicode("storage") + "ctorch\nFloatStorage\n" + binUnicode("7") + binUnicode("cpu") + "K" + string(rune(numel)) + "NtQ"
}

// TestLegacyHostile: counts, keys and ends that do not fit are refused, each by name.
func TestLegacyHostile(t *testing.T) {
	count := func(n int64) string { return string(binary.LittleEndian.AppendUint64(nil, uint64(n))) } //nolint:gosec // negative ones are meant
	key := "]" + binUnicode("7") + "a"
	for name, test := range map[string]struct {
		file []byte
		want string
	}{
		"sound":        {legacyOf(reference(2), key, count(2)+"12345678"), ""},
		"truncated":    {legacyOf(reference(2), key, count(2)+"1234567"), `the file is truncated in storage "7": 1 of its 8 bytes are missing`},
		"no count":     {legacyOf(reference(2), key, "123"), `the file is truncated before storage "7"`},
		"more":         {legacyOf(reference(2), key, count(3)+"123456789abc"), `storage "7" has 3 elements, and is said to have 2`},
		"negative":     {legacyOf(reference(2), key, count(-1)+"12345678"), `storage "7" has -1 elements`},
		"huge":         {legacyOf(reference(2), key, count(1<<62)+"12345678"), `storage "7" has 4611686018427387904 elements`},
		"not listed":   {legacyOf(reference(2), "]", ""), `storage "7" is not in the file, which has 0 others`},
		"not referred": {legacyOf("N", key, count(2)+"12345678"), `storage "7" is in the file, but nothing refers to it`},
		"twice":        {legacyOf(reference(2), "]"+binUnicode("7")+"a"+binUnicode("7")+"a", count(2)+"12345678"), "expected different texts"},
		"no list":      {legacyOf(reference(2), "N", ""), "should be a list, and are None"},
		"no keys":      {legacyOf("N", "]", "")[:29], "the file is truncated in the pickle"},
		"large":        {legacyOf(reference(100), key, count(100)), `storage "7" is said to have 100 elements of float32, more than the file has room for`},
		"a view":       {legacyOf(strings.Replace(reference(2), "NtQ", "(K\x01K\x02ttQ", 1), key, ""), "is a view of another one"},
		"big endian": {bytes.Replace(legacyOf("N", "]", ""), []byte("}."), []byte("}"+binUnicode("little_endian")+"\x89s."), 1),
			"it was written on a big-endian machine"},
		"protocol": {bytes.Replace(legacyOf("N", "]", ""), []byte("M\xe9\x03"), []byte("M\xea\x03"), 1), "of protocol 1002; only 1001 is read"},
	} {
		_, err := checkpoint.Open(bytes.NewReader(test.file), int64(len(test.file)), checkpoint.Limits{})
		switch {
		case test.want == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
			t.Errorf("%s: got %v, want %q", name, err, test.want)
		}
	}
}

// TestLegacyCut: a file that is cut anywhere is refused, and never panics.
func TestLegacyCut(t *testing.T) {
	whole := readFile(t, "legacy.pt")
	for length := 0; length < len(whole); length += 1 + length/200 {
		if _, err := checkpoint.Open(bytes.NewReader(whole[:length]), int64(length), checkpoint.Limits{}); err == nil {
			t.Errorf("cut to %d of %d bytes, it opens", length, len(whole))
		}
	}
}

// FuzzLegacy: what is behind the magic number.
func FuzzLegacy(f *testing.F) {
	f.Add(readFile(f, "legacy.pt")[15:])
	f.Add(legacyOf(reference(2), "]"+binUnicode("7")+"a", "\x02\x00\x00\x00\x00\x00\x00\x0012345678")[15:])
	f.Fuzz(func(_ *testing.T, b []byte) {
		try(append([]byte("\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."), b...))
	})
}

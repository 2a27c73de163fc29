package checkpoint_test

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"ysc2onnx/checkpoint"
)

// record is a file in a zip that a test makes.
type record struct {
	name    string
	content []byte
}

// zipOf is a zip of plainly stored records, without any checks on their names.
func zipOf(records ...record) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, r := range records {
		f, err := w.CreateRaw(&zip.FileHeader{Name: r.name, Method: zip.Store, CRC32: crc32.ChecksumIEEE(r.content),
			CompressedSize64: uint64(len(r.content)), UncompressedSize64: uint64(len(r.content))})
		if err == nil {
			_, err = f.Write(r.content)
		}
		if err != nil {
			panic(err)
		}
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// checkpointOf is a .pt with that pickle.
func checkpointOf(pickle string, records ...record) []byte {
	return zipOf(append([]record{{"x/data.pkl", []byte(pickle)}}, records...)...)
}

// binUnicode is the opcode of a string.
func binUnicode(s string) string {
	return "X" + string(binary.LittleEndian.AppendUint32(nil, uint32(len(s)))) + s
}

// long8 is the opcode of an int of 8 bytes.
func long8(n int64) string {
	return "\x8a\x08" + string(binary.LittleEndian.AppendUint64(nil, uint64(n)))
}

// storage is a reference to a storage of float32.
func storage(key string, numel int64) string {
	return "(" + binUnicode("storage") + "ctorch\nFloatStorage\n" + binUnicode(key) + binUnicode("cpu") + long8(numel) + "tQ"
}

// tensor is a dict with one tensor, x.
func tensor(storage string, offset int64, shape, strides []int64) string {
	tuple := func(ns []int64) string {
		s := "("
		for _, n := range ns {
			s += long8(n)
		}
		return s + "t"
	}
	return "\x80\x02}" + binUnicode("x") + "ctorch._utils\n_rebuild_tensor_v2\n(" + storage + long8(offset) + tuple(shape) + tuple(strides) +
		"\x89}tRs."
}

// allocated is how many bytes f allocates.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// refused opens a file, which must fail with the error and without allocating more than 128 MiB.
func refused(t *testing.T, name string, file []byte, want string) {
	t.Helper()
	var err error
	bytes := allocated(func() {
		var f *checkpoint.File
		if f, err = open(file); err == nil {
			_, err = f.Model()
		}
	})
	if err == nil || err.Error() != want {
		t.Errorf("%s (%d bytes)\n got %v\nwant %s", name, len(file), err, want)
	}
	if bytes > 128<<20 {
		t.Errorf("%s: %d bytes were allocated", name, bytes)
	}
}

func TestSizesThatAreNotThere(t *testing.T) {
	data := record{"x/data/0", make([]byte, 16)}
	eightGiB := checkpointOf(tensor(storage("0", 2<<30), 0, []int64{2 << 30}, []int64{1}), record{"x/data/0", []byte{0, 0, 0, 0}})
	if len(eightGiB) > 486 {
		t.Errorf("the file has %d bytes", len(eightGiB))
	}
	refused(t, "8 GiB", eightGiB,
		`record "x/data.pkl": at byte 101 of the pickle: storage "0" is said to have 2147483648 elements of float32, but record "x/data/0" has room for 1`)
	for _, c := range []struct{ name, pickle, want string }{
		{"negative storage", tensor(storage("0", -1), 0, []int64{1}, []int64{1}), `at byte 101 of the pickle: storage "0" is said to have -1 elements`},
		{"no record", tensor(storage("1", 4), 0, []int64{1}, []int64{1}), `at byte 101 of the pickle: storage "1" has no record "x/data/1" in the zip`},
		{"key with a path", tensor(storage("../data.pkl", 4), 0, []int64{1}, []int64{1}),
			`at byte 111 of the pickle: storage "../data.pkl" has a key that leads out of the folder x/data/`},
		{"negative shape", tensor(storage("0", 4), 0, []int64{-1}, []int64{1}),
			"at byte 139 of the pickle: torch._utils._rebuild_tensor_v2: the tensor in storage 0 has a negative size or stride: shape [-1], strides [1]"},
		{"negative stride", tensor(storage("0", 4), 3, []int64{4}, []int64{-1}),
			"at byte 139 of the pickle: torch._utils._rebuild_tensor_v2: the tensor in storage 0 has a negative size or stride: shape [4], strides [-1]"},
		{"negative offset", tensor(storage("0", 4), -1, []int64{1}, []int64{1}),
			"at byte 139 of the pickle: torch._utils._rebuild_tensor_v2: the tensor in storage 0 begins at element -1 of its storage"},
		{"beyond the storage", tensor(storage("0", 4), 1, []int64{4}, []int64{1}),
			"at byte 139 of the pickle: torch._utils._rebuild_tensor_v2: the tensor in storage 0 does not fit its storage of 4 elements: shape [4], strides [1], offset 1"},
		{"overflow", tensor(storage("0", 4), 0, []int64{1 << 62, 1 << 62}, []int64{0, 0}),
			"at byte 159 of the pickle: torch._utils._rebuild_tensor_v2: the tensor in storage 0 does not fit its storage of 4 elements: " +
				"shape [4611686018427387904 4611686018427387904], strides [0 0], offset 0"},
		{"repeated", tensor(storage("0", 4), 0, []int64{1 << 31}, []int64{0}),
			"at byte 139 of the pickle: torch._utils._rebuild_tensor_v2: the tensor in storage 0 repeats the 4 elements of its storage 536870912 times over; the file is refused"},
		{"strides missing", tensor(storage("0", 4), 0, []int64{2, 2}, []int64{1}),
			"at byte 149 of the pickle: torch._utils._rebuild_tensor_v2: the tensor in storage 0 has 2 dimensions and 1 strides"},
	} {
		refused(t, c.name, checkpointOf(c.pickle, data), `record "x/data.pkl": `+c.want)
	}
}

func TestTruncationEverywhere(t *testing.T) {
	files := map[string][]byte{}
	for _, name := range []string{"tensors.pt", "training.pt", "tensors.safetensors"} {
		files[name] = readFile(t, name)
	}
	for name, b := range files {
		for n := 0; n < len(b); n += 4096 {
			if _, err := open(b[:n]); !errors.Is(err, checkpoint.ErrTruncated) {
				t.Errorf("%s, cut at %d of %d bytes: %v", name, n, len(b), err)
			}
		}
	}
	// A cut that leaves the zip's end in place, as a resumed download with a hole does.
	b := files["training.pt"]
	holed := append(append([]byte{}, b[:4096]...), b[8192:]...)
	if _, err := open(holed); err == nil {
		t.Error("a file with a hole was opened")
	}
}

func TestTruncatedTrainedFile(t *testing.T) {
	r := trainedFile(t, "c3.pt")
	stat, err := r.Stat()
	if err != nil {
		t.Fatal(err)
	}
	for n := int64(0); n < stat.Size(); n += 4096 {
		if _, err := checkpoint.Open(r, n, checkpoint.Limits{}); !errors.Is(err, checkpoint.ErrTruncated) {
			t.Errorf("cut at %d bytes: %v", n, err)
		}
	}
}

// deflated is a zip of one compressed pickle which claims a size.
func deflated(content []byte, claimed uint64) []byte {
	var packed, b bytes.Buffer
	z, _ := flate.NewWriter(&packed, 9)
	_, _ = z.Write(content)
	_ = z.Close()
	w := zip.NewWriter(&b)
	f, _ := w.CreateRaw(&zip.FileHeader{Name: "x/data.pkl", Method: zip.Deflate, CompressedSize64: uint64(packed.Len()), UncompressedSize64: claimed})
	_, _ = f.Write(packed.Bytes())
	_ = w.Close()
	return b.Bytes()
}

func TestZipBombs(t *testing.T) {
	zeros := make([]byte, 40<<20)
	refused(t, "pickle of 40 MiB", deflated(zeros, uint64(len(zeros))),
		`record "x/data.pkl" has 41943040 bytes: more than the limit of 33554432; no real checkpoint comes near it, so the file is refused`)
	refused(t, "more than it says", deflated(zeros, 100),
		`record "x/data.pkl" is damaged: it unpacks to more than the 100 bytes that the directory says`)
	refused(t, "less than it says", deflated([]byte("abc"), 1000),
		`record "x/data.pkl" is damaged: it unpacks to 3 of 1000 bytes: unexpected EOF`)
	refused(t, "more than deflate can", deflated([]byte("abc"), 1<<40), `record "x/data.pkl": 9 compressed bytes cannot unpack to 1099511627776`)
}

func TestRecordNames(t *testing.T) {
	pickle := record{"x/data.pkl", []byte("N.")}
	for _, c := range []struct {
		name    string
		records []record
		want    string
	}{
		{"duplicate", []record{pickle, pickle}, `record "x/data.pkl" is in the zip twice, and nothing tells which one is meant; the file is refused`},
		{"traversing", []record{pickle, {"x/../../etc/passwd", nil}},
			`record "x/../../etc/passwd" of the zip has a name that leads out of the archive; the file is refused`},
		{"absolute", []record{pickle, {"/etc/passwd", nil}}, `record "/etc/passwd" of the zip has a name that leads out of the archive; the file is refused`},
		{"backslash", []record{pickle, {`x\data\0`, nil}}, `record "x\\data\\0" of the zip has a name that leads out of the archive; the file is refused`},
		{"drive", []record{pickle, {`C:/x`, nil}}, `record "C:/x" of the zip has a name that leads out of the archive; the file is refused`},
		{"two roots", []record{pickle, {"y/data.pkl", []byte("N.")}},
			`it holds 2 checkpoints, "x/data.pkl" and "y/data.pkl" first; unpack it, and zip one folder alone`},
	} {
		refused(t, c.name, zipOf(c.records...), c.want)
	}
}

// TestRecordsAreMatchedByFullPath checks a storage against a record of the same base name elsewhere.
func TestRecordsAreMatchedByFullPath(t *testing.T) {
	one := []byte{0, 0, 128, 63}
	f := mustOpen(t, checkpointOf(tensor(storage("0", 1), 0, []int64{1}, []int64{1}), record{"0", nil}, record{"y/data/0", nil}, record{"x/data/0", one},
		record{"x/data/data/0", nil}))
	got, err := mustModel(t, f).Tensor("x").Floats()
	if err != nil || len(got) != 1 || got[0] != 1 {
		t.Errorf("%v, %v", got, err)
	}
}

func TestNothingIsExecuted(t *testing.T) {
	canary := filepath.Join(t.TempDir(), "canary")
	call := func(module, name, arg string) string {
		return "c" + module + "\n" + name + "\n(" + binUnicode(arg) + "tR"
	}
	pickle := "\x80\x02(" + binUnicode("model") + call("os", "system", "touch "+canary) + binUnicode("more") + call("posix", "system", "touch "+canary) +
		binUnicode("code") + call("builtins", "exec", "open('"+canary+"', 'w')") + binUnicode("torch") + call("torch.hub", "load", "x") +
		binUnicode("fine") + "ccollections\nOrderedDict\n)R" + binUnicode("odd") + "cmylib\nThing\n)R" + "d."
	f := mustOpen(t, checkpointOf(pickle))
	if _, err := os.Stat(canary); !os.IsNotExist(err) {
		t.Fatal("the canary is there")
	}
	var got []string
	for _, g := range f.Globals() {
		got = append(got, fmt.Sprintf("%s %s %d %d", g, g.Risk, g.Named, g.Calls))
	}
	want := "builtins.exec dangerous 1 1, os.system dangerous 1 1, posix.system dangerous 1 1, torch.hub.load dangerous 1 1, " +
		"mylib.Thing unknown 1 1, collections.OrderedDict ordinary 1 1"
	if strings.Join(got, ", ") != want {
		t.Errorf(" got %s\nwant %s", strings.Join(got, ", "), want)
	}
	if got := f.Risky(checkpoint.Unknown); !slices.Equal(got, []string{"mylib.Thing"}) {
		t.Errorf("unknown are %q", got)
	}
	long := mustOpen(t, checkpointOf("\x80\x02cos\n"+strings.Repeat("x", 1<<16)+"\n."))
	if got := long.Risky(checkpoint.Dangerous); !slices.Equal(got, []string{"os." + strings.Repeat("x", 97) + "…"}) {
		t.Errorf("the long name is %.200q", got)
	}
	v, _ := f.Get("model")
	o, ok := v.(*checkpoint.Object)
	if !ok || o.Class != (checkpoint.Global{Module: "os", Name: "system"}) || checkpoint.Repr(o.Args[0], 500) != "'touch "+canary+"'" {
		t.Errorf("the call is %s", checkpoint.Repr(v, 500))
	}
	if _, err := f.Model(); err == nil || err.Error() != `"model" in the file: the model is not an nn.Module but `+checkpoint.Repr(v, 80) {
		t.Error(err)
	}
}

func TestRisks(t *testing.T) {
	for global, want := range map[string]checkpoint.Risk{
		"torch os.system": checkpoint.Dangerous, "torch.serialization os.system": checkpoint.Dangerous, "__builtin__ eval": checkpoint.Dangerous,
		"builtins __import__": checkpoint.Dangerous, "builtins getattr": checkpoint.Dangerous, "builtins print": checkpoint.Dangerous,
		"subprocess Popen": checkpoint.Dangerous, "torch.storage _load_from_bytes": checkpoint.Dangerous, "utils.general check_requirements": checkpoint.Unknown, "numpy.f2py x": checkpoint.Dangerous, "torch load": checkpoint.Dangerous, "nt system": checkpoint.Dangerous,
		"builtins set": checkpoint.Ordinary, "__builtin__ dict": checkpoint.Ordinary, "models.common Conv": checkpoint.Ordinary,
		"torch.nn.modules.conv Conv2d": checkpoint.Ordinary, "numpy.core.multiarray scalar": checkpoint.Ordinary, "modelsx.common Conv": checkpoint.Unknown,
		"__main__ Model": checkpoint.Unknown, "ultralytics.nn.tasks DetectionModel": checkpoint.Unknown,
	} {
		module, name, _ := strings.Cut(global, " ")
		f := mustOpen(t, checkpointOf("\x80\x02c"+module+"\n"+name+"\n."))
		if got := f.Globals()[0].Risk; got != want {
			t.Errorf("%s is %s, want %s", global, got, want)
		}
	}
}

func TestPickleLimits(t *testing.T) {
	const more = "; no real checkpoint comes near it, so the file is refused"
	nested := func(opening, closing string, n int) string {
		return "\x80\x02" + strings.Repeat(opening, n) + strings.Repeat(closing, n-1) + "."
	}
	memo := strings.Builder{}
	memo.WriteString("\x80\x02N")
	for range 500_001 {
		memo.WriteString("\x94")
	}
	sparse := "\x80\x02Nr\xff\xff\xff\xff."
	for _, c := range []struct{ name, pickle, want string }{
		{"lists in lists", nested("]", "a", 10_000), "levels of containers inside each other: more than the limit of 200" + more},
		{"tuples in tuples", "\x80\x02N" + strings.Repeat("\x85", 10_000) + ".", "levels of containers inside each other: more than the limit of 200" + more},
		{"marks", "\x80\x02" + strings.Repeat("(", 10_000) + strings.Repeat("t", 10_000) + ".", "levels of containers inside each other: more than the limit of 200" + more},
		{"marks without end", "\x80\x02" + strings.Repeat("(", 110_000), "at byte 100002 of the pickle: entries on the pickle's stack: more than the limit of 100000" + more},
		{"memo", memo.String(), "at byte 500003 of the pickle: entries of the pickle's memo: more than the limit of 500000" + more},
		{"memo index", sparse, "at byte 3 of the pickle: entries of the pickle's memo: more than the limit of 500000" + more},
		{"stack", "\x80\x02" + strings.Repeat("N", 100_001), "at byte 100002 of the pickle: entries on the pickle's stack: more than the limit of 100000" + more},
		{"operations", "\x80\x02" + strings.Repeat("N0", 500_000) + "N.", "at byte 1000001 of the pickle: operations of the pickle: more than the limit of 1000000" + more},
		{"string", "\x80\x02X\xff\xff\xff\xffabc", "at byte 2 of the pickle: the pickle ends in the middle: 4294967292 bytes are missing"},
		{"integer", "\x80\x02\x8b\xff\xff\x00\x00", "at byte 2 of the pickle: bytes of an integer: more than the limit of 512" + more},
		{"copies", "\x80\x02" + binUnicode(strings.Repeat("a", 1<<20)) + "q\x00" + strings.Repeat("0c_codecs\nencode\n(h\x00"+binUnicode("latin1")+"tR", 40) + ".",
			"at byte 1049673 of the pickle: _codecs.encode: bytes that the pickle's calls make: more than the limit of 33554432" + more},
		{"empty stack", "\x80\x02R.", "at byte 2 of the pickle: a value was expected on the stack"},
		{"no mark", "\x80\x02t.", "at byte 2 of the pickle: a mark was expected on the stack"},
		{"no stop", "\x80\x02N", "at byte 3 of the pickle: the pickle ends in the middle: 1 bytes are missing"},
		{"nothing", "", "at byte 0 of the pickle: the pickle ends in the middle: 1 bytes are missing"},
		{"two values", "\x80\x02NN.", "the pickle stops at byte 4 with 2 values on its stack instead of 1"},
		{"memo without entry", "\x80\x02h\x05.", "at byte 2 of the pickle: memo entry 5 is read, but was never written"},
		{"protocol", "\x80\x09N.", "at byte 0 of the pickle: protocol 9 is newer than 5, the newest that is known here"},
		{"extension", "\x80\x02\x82\x01.",
			`at byte 2 of the pickle: opcode 0x82 '\u0082' is not one that torch.save writes in protocols 2 to 5; save the file again with torch.save(torch.load(...), ...)`},
		{"append to text", "\x80\x02" + binUnicode("a") + "Na.", "at byte 9 of the pickle: items are appended to a value that is not a list: 'a'"},
		{"set in list", "\x80\x02]NNs.", "at byte 5 of the pickle: keys are set in a value that is not a dict: []"},
		{"state of a class", "\x80\x02cos\nsystem\n}b.", "at byte 14 of the pickle: state is set on a value that has none: os.system"},
		{"reference", "\x80\x02NQ.", "at byte 3 of the pickle: a reference to a storage should be ('storage', type, key, location, elements), and is None"},
	} {
		refused(t, c.name, checkpointOf(c.pickle), `record "x/data.pkl": `+c.want)
	}
}

// TestCycles has a module that is its own part, and a dict that holds itself.
func TestCycles(t *testing.T) {
	modules := "}(" + binUnicode("_parameters") + "}" + binUnicode("_buffers") + "}" + binUnicode("_modules") + "}" + binUnicode("m") + "h\x00su"
	refused(t, "module", checkpointOf("\x80\x02cmodels.yolo\nModel\n)\x81q\x00"+modules+"b."), "module m contains itself")
	f := mustOpen(t, checkpointOf("\x80\x02}q\x00"+binUnicode("x")+"h\x00s."))
	if got, want := checkpoint.Repr(f.Value, 1000), "{'x': {'x': {'x': {'x': {'x': {'x': {'x': {'x': {'x': …}}}}}}}}}"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestNamesThatMeet has two tensors that would have one name.
func TestNamesThatMeet(t *testing.T) {
	scalar := "ctorch._utils\n_rebuild_tensor_v2\n(" + storage("0", 1) + "K\x00))\x89}tR"
	model := func(params, buffers string) []byte {
		return checkpointOf("\x80\x02cmodels.yolo\nModel\n)\x81}("+binUnicode("_parameters")+"}"+params+binUnicode("_buffers")+"}"+buffers+
			binUnicode("_modules")+"}ub.", record{"x/data/0", make([]byte, 4)})
	}
	w := binUnicode("w") + scalar + "s"
	refused(t, "twice", model(w, w), "w is both a parameter and a buffer")
	refused(t, "dotted", model(binUnicode("a.b")+scalar+"s", ""), `in module "" something is named "a.b"; a name is not empty and has no dot`)
	mustModel(t, mustOpen(t, model(binUnicode("w")+"Ns", w)))
}

// TestSharedModulesDoNotMultiply has modules that each hold the next one twice: 2⁵⁰ names.
func TestSharedModulesDoNotMultiply(t *testing.T) {
	b := strings.Builder{}
	b.WriteString("\x80\x02")
	for i := range 50 {
		b.WriteString("cm\nM\n)\x81}(" + binUnicode("_parameters") + "}" + binUnicode("_buffers") + "}" + binUnicode("_modules") + "}")
		if i > 0 {
			get := "h" + string([]byte{byte(i - 1)})
			b.WriteString("(" + binUnicode("a") + get + binUnicode("b") + get + "u")
		}
		b.WriteString("ubq" + string([]byte{byte(i)}) + "0")
	}
	b.WriteString("h\x31.")
	refused(t, "shared modules", checkpointOf(b.String()),
		"modules and tensors of the model: more than the limit of 100000; no real checkpoint comes near it, so the file is refused")
}

func TestRandomBytes(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	for range 2000 {
		b := make([]byte, rng.IntN(300))
		for i := range b {
			b[i] = byte(rng.Uint32())
		}
		for _, file := range [][]byte{b, append([]byte("PK\x03\x04"), b...), checkpointOf("\x80\x02" + string(b))} {
			if _, err := open(file); err == nil {
				t.Logf("% x is a checkpoint", file)
			}
		}
	}
	// One byte changed in a real file: an error, or a file that can be read.
	original := readFile(t, "training.pt")
	for range 2000 {
		b := bytes.Clone(original)
		b[rng.IntN(len(b))] ^= byte(1 + rng.IntN(255))
		if f, err := open(b); err == nil {
			readAll(f)
		}
	}
}

// readAll reads every tensor of a model, errors included.
func readAll(f *checkpoint.File) {
	m, err := f.Model()
	if err != nil {
		return
	}
	for _, x := range m.StateDict() {
		if x.Numel() <= 1<<20 {
			_, _ = x.Floats()
		}
	}
}

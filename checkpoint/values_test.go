package checkpoint_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ysc2onnx/checkpoint"
)

// recorded is what PyTorch read; testdata/make.py wrote it.
type recorded struct {
	Name  string
	DType checkpoint.DType
	Shape []int64
	Sha   string
}

func readJSON(t *testing.T, name string) map[string][]recorded {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	var r map[string][]recorded
	if err := json.Unmarshal(b, &r); err != nil {
		t.Fatal(err)
	}
	return r
}

func readFile(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func open(b []byte) (*checkpoint.File, error) {
	return checkpoint.Open(bytes.NewReader(b), int64(len(b)), checkpoint.Limits{})
}

func mustOpen(t testing.TB, b []byte) *checkpoint.File {
	t.Helper()
	f, err := open(b)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func mustModel(t testing.TB, f *checkpoint.File) *checkpoint.Module {
	t.Helper()
	m, err := f.Model()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// describe reads a tensor in pieces of step elements and sums it up as make.py does.
func describe(t *testing.T, x *checkpoint.Tensor, step int64) recorded {
	t.Helper()
	h := sha256.New()
	for off := int64(0); off < x.Numel(); off += step {
		n := min(step, x.Numel()-off)
		var err error
		if x.DType.IsFloat() {
			piece := make([]float32, n)
			err = x.ReadFloats(piece, off)
			_ = binary.Write(h, binary.LittleEndian, piece)
		} else {
			piece := make([]int64, n)
			err = x.ReadInts(piece, off)
			_ = binary.Write(h, binary.LittleEndian, piece)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return recorded{x.Name, x.DType, append([]int64{}, x.Shape...), hex.EncodeToString(h.Sum(nil))[:16]}
}

// byName brings the tensors into the order of the record, since a tree of names alone puts a module's parameters first.
func byName(got, want []recorded) []recorded {
	at := map[string]recorded{}
	for _, r := range got {
		at[r.Name] = r
	}
	ordered := make([]recorded, 0, len(got))
	for _, w := range want {
		if r, ok := at[w.Name]; ok {
			ordered = append(ordered, r)
			delete(at, w.Name)
		}
	}
	for _, r := range at {
		ordered = append(ordered, r)
	}
	return ordered
}

func TestElementsAsPyTorchReadsThem(t *testing.T) {
	for name, want := range readJSON(t, "synthetic.json") {
		for _, step := range []int64{7, 1000, 1 << 20} {
			t.Run(fmt.Sprintf("%s/%d", name, step), func(t *testing.T) {
				f := mustOpen(t, readFile(t, name))
				var got []recorded
				for _, x := range mustModel(t, f).StateDict() {
					got = append(got, describe(t, x, step))
				}
				if name != "training.pt" && name != "statedict.pt" {
					got = byName(got, want)
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("(-PyTorch +here)\n%s", diff)
				}
			})
		}
	}
}

// trained are the folders, beside the checkout, of checkpoints that are too large for it.
var trained = []string{"../../shared/fixtures", "../../shared/data"}

func trainedFile(t *testing.T, name string) *os.File {
	t.Helper()
	for _, dir := range trained {
		if r, err := os.Open(filepath.Join(dir, name)); err == nil {
			t.Cleanup(func() { _ = r.Close() })
			return r
		}
	}
	const reason = "trained models are needed, in a folder shared beside the checkout" // as orttest says, which needs cgo
	if os.Getenv("CI") == "true" {
		t.Fatal(reason)
	}
	t.Skip(reason)
	return nil
}

func openTrained(t *testing.T, name string) *checkpoint.File {
	t.Helper()
	r := trainedFile(t, name)
	stat, err := r.Stat()
	if err != nil {
		t.Fatal(err)
	}
	f, err := checkpoint.Open(r, stat.Size(), checkpoint.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestTrainedModelsAsPyTorchReadsThem(t *testing.T) {
	for name, want := range readJSON(t, "trained.json") {
		t.Run(name, func(t *testing.T) {
			f := openTrained(t, name)
			var got []recorded
			for _, x := range mustModel(t, f).StateDict() {
				got = append(got, describe(t, x, 5000))
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-PyTorch +here)\n%s", diff)
			}
			for _, g := range f.Globals() {
				if g.Risk != checkpoint.Ordinary {
					t.Errorf("%s is %s", g, g.Risk)
				}
			}
		})
	}
}

func TestAttributesOfATrainedModel(t *testing.T) {
	m := mustModel(t, openTrained(t, "yolov5n-coco.pt"))
	if got := m.Class.String(); got != "models.yolo.Model" {
		t.Errorf("class %s", got)
	}
	layers := m.Child("model")
	if len(layers.Children) != 25 {
		t.Fatalf("%d layers", len(layers.Children))
	}
	attr := func(m *checkpoint.Module, name string) string {
		v, ok := m.Attr(name)
		if !ok {
			return "missing"
		}
		return checkpoint.Repr(v, 100)
	}
	bn := layers.Child("0").Child("bn")
	concat := layers.Child("12")
	for _, c := range []struct{ got, want string }{
		{attr(bn, "eps"), "0.001"},
		{attr(concat, "f"), "[-1, 6]"},
		{attr(concat, "i"), "12"},
		{attr(concat, "type"), "'models.common.Concat'"},
		{attr(layers.Child("0").Child("conv"), "stride"), "(2, 2)"},
		{attr(layers.Child("24"), "nc"), "80"},
		{attr(m, "nc"), "80"},
		{layers.Child("24").Path, "model.24"},
	} {
		if c.got != c.want {
			t.Errorf("got %s, want %s", c.got, c.want)
		}
	}
	anchors, err := layers.Child("24").Tensor("anchors").Floats()
	if err != nil {
		t.Fatal(err)
	}
	// 10x13 pixels at stride 8, as the stock YAML has them.
	if anchors[0] != 1.25 || anchors[1] != 1.625 {
		t.Errorf("anchors begin with %v", anchors[:2])
	}
}

func TestHalfPrecisionOfAllBitPatterns(t *testing.T) {
	// A safetensors file with every float16, beside the definition of the format.
	data := make([]byte, 2<<16)
	for i := range 1 << 16 {
		binary.LittleEndian.PutUint16(data[2*i:], uint16(i))
	}
	f := mustOpen(t, safetensors(`{"x":{"dtype":"F16","shape":[65536],"data_offsets":[0,131072]}}`, data))
	got, err := mustModel(t, f).Tensor("x").Floats()
	if err != nil {
		t.Fatal(err)
	}
	for i, g := range got {
		sign, exponent, mantissa := 1-2*float64(i>>15), i>>10&31, float64(i&1023)
		want := sign * math.Ldexp(1024+mantissa, exponent-25)
		switch exponent {
		case 0:
			want = sign * math.Ldexp(mantissa, -24)
		case 31:
			want = math.Inf(int(sign))
			if mantissa != 0 {
				want = math.NaN()
			}
		}
		same := float64(g) == want && math.Signbit(float64(g)) == (i>>15 == 1)
		if math.IsNaN(want) {
			same = math.IsNaN(float64(g))
		}
		if !same {
			t.Fatalf("%#04x is %v, want %v", i, g, want)
		}
	}
}

func TestReadingFromManyGoroutines(t *testing.T) {
	for _, name := range []string{"tensors.pt", "deflated.pt"} {
		f := mustOpen(t, readFile(t, name))
		x := mustModel(t, f).Tensor("large_transposed")
		whole, err := x.Floats()
		if err != nil {
			t.Fatal(err)
		}
		var group sync.WaitGroup
		for worker := range 4 {
			group.Go(func() {
				rng := rand.New(rand.NewPCG(1, uint64(worker)))
				for range 100 {
					off := rng.Int64N(x.Numel())
					dst := make([]float32, min(rng.Int64N(3000), x.Numel()-off))
					if err := x.ReadFloats(dst, off); err != nil {
						t.Error(err)
					}
					for i, v := range dst {
						if v != whole[off+int64(i)] {
							t.Errorf("%s: element %d is %v, want %v", name, off+int64(i), v, whole[off+int64(i)])
							return
						}
					}
				}
			})
		}
		group.Wait()
	}
}

func TestReadingOutsideOfATensor(t *testing.T) {
	m := mustModel(t, mustOpen(t, readFile(t, "tensors.pt")))
	for _, c := range []struct {
		err  error
		want string
	}{
		{m.Tensor("f32").ReadFloats(make([]float32, 2), 239), "elements 239 to 241 of tensor f32 were requested, which has 240"},
		{m.Tensor("f32").ReadFloats(make([]float32, 1), -1), "elements -1 to 0 of tensor f32 were requested, which has 240"},
		{m.Tensor("f32").ReadInts(make([]int64, 1), 0), "tensor f32 is float32; integers were requested"},
	} {
		if c.err == nil || c.err.Error() != c.want {
			t.Errorf("got  %v\nwant %s", c.err, c.want)
		}
	}
}

func BenchmarkReadFloats(b *testing.B) {
	f := mustOpen(b, readFile(b, "tensors.pt"))
	m := mustModel(b, f)
	for _, name := range []string{"large", "half", "large_transposed", "half_transposed"} {
		b.Run(name, func(b *testing.B) {
			x := m.Tensor(name)
			dst := make([]float32, x.Numel())
			b.SetBytes(4 * x.Numel())
			for b.Loop() {
				if err := x.ReadFloats(dst, 0); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

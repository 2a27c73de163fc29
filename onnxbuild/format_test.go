package onnxbuild

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// formatted is a graph with every kind of value, attribute and initializer.
func formatted(t *testing.T) *Graph {
	t.Helper()
	g := New("small")
	eighth, _ := height.FloorDiv(8)
	g.NameDim(eighth, "rows")
	x := g.Input("images", Float32, Shape{batch, D(1), eighth, D(4)})
	b := g.Build().In("model.0")
	y := b.LeakyRelu(b.Upsample(x, 2, 1), 0.1)
	g.Rename(y, "model.0")
	b.Scalar("unused", 1)
	for _, c := range []*Tensor{
		FloatTensor([]int64{4}, []float32{0, 1, 2, 3}),
		FloatTensor([]int64{1, 1}, []float32{-0.5}),
		{DType: Float32, Shape: []int64{1<<14 + 1, 1, 1, 1, 4}, Floats: counting{}},
	} {
		y = b.Mul(y, b.Constant("table", c))
	}
	long := b.Ints("long", 1, 1, 1, 1, 1, 1, 1, 1, 1)
	y = b.Expand(y, long)
	g.Output("first", b.Split(y, -1, 1, 3)[0])
	g.Output("second", b.Int("seven", 7))
	g.Nodes[0].Attrs = append(g.Nodes[0].Attrs, Attr{"weights", []float32{0.25, 1e-10}})
	if err := g.TakeErr(); err != nil {
		t.Fatal(err)
	}
	return g
}

// counting is a source whose element i is i.
type counting struct{}

func (counting) ReadFloats(dst []float32, off int64) error {
	for i := range dst {
		dst[i] = float32(off + int64(i))
	}
	return nil
}

// The hashes are those of Python: hashlib.sha256(numpy.arange(n, dtype="<f4").tobytes()).hexdigest()[:12] for n = 4 and
// n = 65540, and of [1, 1, 2, 1] and numpy.ones(9, "<i8").
const formatWant = `graph small
input images float32 [batch, 1, rows, 4]
const /model.0/scales float32 [4] sha256:557219063fd6
const /model.0/table float32 [4] sha256:4c9c4f354e74
const /model.0/table_1 float32 [1, 1] [-0.5]
const /model.0/table_2 float32 [16385, 1, 1, 1, 4] sha256:fd194b989cf7
const /model.0/long int64 [9] sha256:df070c084990
const /model.0/split int64 [2] [1, 3]
const second int64 [] [7]
/model.0/Resize_output_0 float32 [batch, 1, height/4, 4] = Resize(images, _, /model.0/scales) coordinate_transformation_mode="asymmetric" mode="nearest" nearest_mode="floor" weights=[0.25, 1e-10]
!model.0 float32 [batch, 1, height/4, 4] = LeakyRelu(/model.0/Resize_output_0) alpha=0.1
/model.0/Mul_output_0 float32 [batch, 1, height/4, 4] = Mul(model.0, /model.0/table)
/model.0/Mul_1_output_0 float32 [batch, 1, height/4, 4] = Mul(/model.0/Mul_output_0, /model.0/table_1)
/model.0/Mul_2_output_0 float32 [16385, batch, 1, height/4, 4] = Mul(/model.0/Mul_1_output_0, /model.0/table_2)
/model.0/Expand_output_0 float32 [1, 1, 1, 1, 16385, batch, 1, height/4, 4] = Expand(/model.0/Mul_2_output_0, /model.0/long)
!first float32 [1, 1, 1, 1, 16385, batch, 1, height/4, 1], /model.0/Split_output_1 float32 [1, 1, 1, 1, 16385, batch, 1, height/4, 3] = Split(/model.0/Expand_output_0, /model.0/split) axis=-1
output first
output second
`

func TestFormat(t *testing.T) {
	var got strings.Builder
	if err := formatted(t).Format(&got, FormatOptions{}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(formatWant, got.String()); diff != "" {
		t.Error(diff)
	}
}

// TestFormatHashLimit: an initializer over the limit is not read.
func TestFormatHashLimit(t *testing.T) {
	for limit, want := range map[int64]string{100: "not hashed", -1: "sha256:fd194b989cf7"} {
		var got strings.Builder
		if err := formatted(t).Format(&got, FormatOptions{HashLimit: limit}); err != nil {
			t.Fatal(err)
		}
		if line := "[16385, 1, 1, 1, 4] " + want + "\n"; !strings.Contains(got.String(), line) {
			t.Errorf("limit %d: %q is not in\n%s", limit, line, got.String())
		}
	}
}

// broken is a source that cannot be read, and a writer that cannot be written.
type broken struct{}

func (broken) ReadFloats([]float32, int64) error { return errors.New("it is gone") }
func (broken) Write([]byte) (int, error)         { return 0, errors.New("the disk is full") }

func TestFormatErrors(t *testing.T) {
	if err := formatted(t).Format(broken{}, FormatOptions{}); err == nil || err.Error() != "the disk is full" {
		t.Errorf("got %v", err)
	}
	for _, shape := range [][]int64{{4}, nil} {
		g := New("test")
		b := g.Build()
		g.Output("y", b.Relu(b.Initializer("w", &Tensor{DType: Float32, Shape: shape, Floats: broken{}})))
		var got strings.Builder
		if err := g.Format(&got, FormatOptions{}); err == nil || err.Error() != "w: it is gone" {
			t.Errorf("got %v", err)
		}
	}
}

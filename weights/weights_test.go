package weights

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"sync"
	"testing"
)

// read returns n elements of src from off on.
func read(t testing.TB, src Source, off int64, n int) []float32 {
	t.Helper()
	dst := make([]float32, n)
	if err := src.ReadFloats(dst, off); err != nil {
		t.Fatal(err)
	}
	return dst
}

// sources returns one source of each kind.
func sources() map[string]Source {
	seed := Seed(42)
	return map[string]Source{
		"uniform":  seed.Uniform("model.0.conv.weight", 0.1),
		"normal":   seed.Normal("model.9.SRU.gn.gamma", 0.5, 2),
		"constant": Constant(0.25),
		"zero":     seed.Uniform("x", 0),
		"offset":   Offset(seed.Uniform("b", 1), func(i int64) float64 { return float64(i) / 3 }),
	}
}

// testdata/golden.py computes the same elements with Python's own integers, SHA-256 and inverse normal distribution.
func TestBitsEqualPythons(t *testing.T) {
	text, err := os.ReadFile("testdata/golden.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Seed            Seed
		Name            string
		Offset          int64
		Uniform, Normal []string
	}
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) == 0 {
		t.Fatal("no cases")
	}
	for _, c := range cases {
		check := func(kind string, src Source, want []string) {
			for i, v := range read(t, src, c.Offset, len(want)) {
				if got := fmt.Sprintf("%08x", math.Float32bits(v)); got != want[i] {
					t.Errorf("seed %d, %s %q, element %d: got %s, want %s", c.Seed, kind, c.Name, c.Offset+int64(i), got, want[i])
				}
			}
		}
		check("uniform", c.Seed.Uniform(c.Name, 0.09622504486493763), c.Uniform)
		check("normal", c.Seed.Normal(c.Name, 0.25, 1.5), c.Normal)
	}
}

func TestReadingInPiecesEqualsReadingAtOnce(t *testing.T) {
	const n = 67
	for kind, src := range sources() {
		for _, start := range []int64{0, 1, 2, 3, 1<<40 + 3} {
			whole := read(t, src, start, n)
			for from := range n {
				for _, size := range []int{0, 1, 2, 3, 4, 5, 7, 9, n} {
					size = min(size, n-from)
					for i, v := range read(t, src, start+int64(from), size) {
						if math.Float32bits(v) != math.Float32bits(whole[from+i]) {
							t.Fatalf("%s: element %d read in a piece of %d from %d: got %v, want %v",
								kind, start+int64(from+i), size, start+int64(from), v, whole[from+i])
						}
					}
				}
			}
		}
	}
}

func TestReadWritesOnlyDst(t *testing.T) {
	for kind, src := range sources() {
		for size := range 12 {
			buffer := make([]float32, 16)
			for i := range buffer {
				buffer[i] = 99
			}
			if err := src.ReadFloats(buffer[2:2+size:2+size], 3); err != nil {
				t.Fatal(err)
			}
			for i, v := range buffer {
				if outside := i < 2 || i >= 2+size; outside != (v == 99) {
					t.Fatalf("%s: reading %d elements left %v at %d of the buffer", kind, size, v, i-2)
				}
			}
		}
	}
}

func TestConcurrentReadsAgree(t *testing.T) {
	const parts, each = 8, 1001
	for kind, src := range sources() {
		want := read(t, src, 0, parts*each)
		got := make([]float32, parts*each)
		var group sync.WaitGroup
		for p := range parts {
			group.Go(func() {
				if err := src.ReadFloats(got[p*each:(p+1)*each], int64(p*each)); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		for i := range want {
			if math.Float32bits(got[i]) != math.Float32bits(want[i]) {
				t.Fatalf("%s: element %d: got %v, want %v", kind, i, got[i], want[i])
			}
		}
	}
}

func TestConstantAndOffset(t *testing.T) {
	base := Constant(1)
	sum := Offset(base, func(i int64) float64 { return 10 * float64(i) })
	got := read(t, sum, 3, 3)
	if want := [3]float32{31, 41, 51}; [3]float32(got) != want {
		t.Errorf("got %v, want %v", got, want)
	}
	// 1 + 2^-24 + 2^-30 lies over the middle between 1 and the next float32: one rounding goes up, rounding the
	// addend's small part away first would go to even, down.
	once := Offset(base, func(int64) float64 { return 0x1p-24 + 0x1p-30 })
	if got := read(t, once, 0, 1)[0]; got != 1+0x1p-23 {
		t.Errorf("got %x, want %x", got, 1+0x1p-23)
	}
}

func TestBadReadsAndParameters(t *testing.T) {
	add := func(int64) float64 { return 0 }
	for _, c := range []struct {
		src  Source
		off  int64
		want string
	}{
		{Seed(0).Uniform("w", 1), -1, "weights: cannot read 2 elements at offset -1: offsets go from 0 to 9223372036854775807"},
		{Seed(0).Normal("w", 0, 1), math.MinInt64, "weights: cannot read 2 elements at offset -9223372036854775808: offsets go from 0 to 9223372036854775807"},
		{Constant(1), math.MaxInt64 - 1, "weights: cannot read 2 elements at offset 9223372036854775806: offsets go from 0 to 9223372036854775807"},
		{Offset(Constant(1), add), -1, "weights: cannot read 2 elements at offset -1: offsets go from 0 to 9223372036854775807"},
		{Seed(0).Uniform("model.0.conv.weight", -1), 0, "weights: model.0.conv.weight: the bound of a uniform distribution is -1, want a finite number of at least 0"},
		{Seed(0).Uniform("w", math.NaN()), 0, "weights: w: the bound of a uniform distribution is NaN, want a finite number of at least 0"},
		{Seed(0).Uniform("w", 1e39), 0, "weights: w: the bound of a uniform distribution is 1e+39, want a finite number of at least 0"},
		{Seed(0).Normal("w", math.Inf(1), 1), 0, "weights: w: a normal distribution has mean +Inf and standard deviation 1, want finite numbers and a deviation of at least 0"},
		{Seed(0).Normal("w", 0, -1), 0, "weights: w: a normal distribution has mean 0 and standard deviation -1, want finite numbers and a deviation of at least 0"},
	} {
		err := c.src.ReadFloats(make([]float32, 2), c.off)
		if err == nil || err.Error() != c.want {
			t.Errorf("got error %v\nwant %s", err, c.want)
		}
	}
}

func TestFanInAndBound(t *testing.T) {
	for _, c := range []struct {
		shape []int64
		fanIn int64
		bound float64
	}{
		{[]int64{32, 3, 6, 6}, 108, 0.09622504486493763},    // 1/sqrt(108)
		{[]int64{512, 64, 3, 3}, 576, 0.041666666666666664}, // a grouped convolution: 1/24
		{[]int64{10, 16}, 16, 0.25},
		{[]int64{7}, 0, 0},
		{nil, 0, 0},
	} {
		if got := FanIn(c.shape); got != c.fanIn {
			t.Errorf("FanIn(%v) = %d, want %d", c.shape, got, c.fanIn)
		}
		if got := Bound(c.fanIn); got != c.bound {
			t.Errorf("Bound(%d) = %v, want %v", c.fanIn, got, c.bound)
		}
	}
}

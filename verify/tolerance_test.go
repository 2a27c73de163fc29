package verify

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"ysc2onnx/heads/roles"
	"ysc2onnx/verify/engine"
)

// ones is a map of 10 channels of 100 elements, all 1 but where change changes them.
func ones(change func(i int) float64) engine.Tensor {
	t := engine.Tensor{Shape: []int64{1, 10, 10, 10}, Floats: make([]float32, 1000)}
	for i := range t.Floats {
		t.Floats[i] = float32(1 + change(i))
	}
	return t
}

// TestBesideFloat64: what counts is the distance from float64, beside the recorded program's own, and no less than the floor.
// Where the recorded program is further off than rounding goes, the recorded values count.
func TestBesideFloat64(t *testing.T) {
	everywhere, once := func(int) bool { return true }, func(i int) bool { return i == 321 }
	for _, test := range []struct {
		name      string
		own, ours float64
		where     func(i int) bool
		ok, exact bool
	}{
		{"on the other side of float64", 4e-5, -6e-5, everywhere, true, true},
		{"nearer than the recorded program", 9e-4, 1e-5, everywhere, true, true},
		{"as far as is allowed", 4e-5, 1.99e-4, everywhere, true, true},
		{"further", 4e-5, 2.01e-4, everywhere, false, true},
		{"one element, as far as is allowed", 4e-5, 1.99e-4, once, true, true},
		{"under the floor", 1.2e-7, 2.4e-5, once, true, true},
		{"over the floor", 1.2e-7, 2.6e-5, once, false, true},
		{"as what was recorded, which is not rounding", 3e-3, 3e-3, everywhere, true, false},
		{"as float64, and not as what was recorded", 3e-3, 0, everywhere, false, false},
	} {
		want := ones(func(int) float64 { return test.own })
		want.Exact = make([]float64, len(want.Floats))
		for i := range want.Exact {
			want.Exact[i] = 1
		}
		got := ones(func(i int) float64 {
			if test.where(i) {
				return test.ours
			}
			return 0
		})
		m := measure{unit: OfLargest, tolerance: LayerTolerance, floor: LayerFloor}
		j := compareElements(pair{value: "model.0", layer: true}, got, want, m)
		if j.OK != test.ok || j.FromExact != test.exact || math.Abs(j.Own.MaxRel-test.own) > 1e-7 || math.Abs(j.Own.RMS-test.own) > 1e-7 {
			t.Errorf("%s: ok %v, from float64 %v, the recorded program's %+v: %s", test.name, j.OK, j.FromExact, j.Own, j.Problem)
		}
		m.floor = 0 // a tolerance that was given is for the recorded values
		if j := compareElements(pair{}, got, want, m); j.FromExact || j.Own != nil {
			t.Errorf("%s: %+v", test.name, j.Row)
		}
	}
}

// TestChannels: a channel that is off as a whole is found beside one element that makes the layer's scale large, and named.
func TestChannels(t *testing.T) {
	peak := func(i int) float64 {
		if i == 7 {
			return 99
		}
		return 0
	}
	want := ones(peak)
	for _, test := range []struct {
		off  float64
		want string
	}{
		{6e-4, ""}, // the root mean square of the map is sqrt((999 + 100²)/1000) = 3.316, of which this is 1.8e-4
		{7e-4, "channel 3 is off by 0.000211 of the layer's root mean square, where 0.0002 is allowed; the worst is at [0, 3, 0, 0]: 1.0007, want 1"},
	} {
		got := ones(func(i int) float64 {
			if i/100 == 3 {
				return test.off
			}
			return peak(i)
		})
		j := compareElements(pair{layer: true}, got, want, measure{unit: OfLargest, tolerance: LayerTolerance})
		if j.Outside != 0 || j.Problem != test.want || j.OK != (test.want == "") {
			t.Errorf("%g: %d outside, ok %v, %s", test.off, j.Outside, j.OK, j.Problem)
		}
	}
}

// TestBoxes: a box's error counts relative to its longer side, of a small one relative to the largest stride; in pixels if a
// tolerance in pixels was given.
func TestBoxes(t *testing.T) {
	want := engine.Tensor{Shape: []int64{1, 2, 6}, Floats: []float32{300, 200, 507, 100, 1, 1, 10, 20, 4, 2, 1, 1}}
	for _, test := range []struct {
		column int
		off    float32
		stride int64
		pixels float64
		ok     bool
	}{
		{2, 1.2e-3, 32, 0, true}, {2, 0.05, 32, 0, true}, {2, 0.052, 32, 0, false}, {0, 0.05, 32, 0, true}, {3, 0.05, 32, 0, true},
		{6, 0.0031, 32, 0, true}, {6, 0.0033, 32, 0, false}, {8, 0.0033, 32, 0, false}, {8, 0.0063, 64, 0, true},
		{2, 0.05, 32, 0.049, false}, {8, 0.05, 32, 0.051, true},
	} {
		opts := AgainstOptions{Pixels: test.pixels}
		if err := opts.setDefaults(); err != nil {
			t.Fatal(err)
		}
		got := engine.Tensor{Shape: want.Shape, Floats: append([]float32{}, want.Floats...)}
		got.Floats[test.column] += test.off
		parts := opts.measures(roles.YOLOv5("output0", int(want.Shape[2])-5, 0), test.stride)
		if len(parts) != 2 {
			t.Fatalf("%d parts", len(parts))
		}
		if j := compareElements(pair{}, got, want, parts[0]); j.OK != test.ok {
			t.Errorf("column %d off by %g at stride %d: ok %v, %s", test.column, test.off, test.stride, j.OK, j.Problem)
		}
		if j := compareElements(pair{}, got, want, parts[1]); !j.OK {
			t.Errorf("scores: %s", j.Problem)
		}
	}
}

// meaningCase is an output with some elements that are not 0.
type meaningCase struct {
	output string
	shape  []int64
	values map[int]float32
	parts  string
}

func (c meaningCase) tensor() engine.Tensor {
	n, _ := engine.Elements(c.shape)
	t := engine.Tensor{Shape: c.shape, Floats: make([]float32, n)}
	for i, x := range c.values {
		t.Floats[i] = x
	}
	return t
}

// TestMeaning: what the metadata say of an output counts; YOLOv5's own exports, which say nothing, have 5 columns and the
// classes. A box along the second axis is judged by its own sides.
func TestMeaning(t *testing.T) {
	f := &Facts{Outputs: []engine.IO{{Name: "output0"}, {Name: "boxes"}}, Roles: []roles.Output{
		{Name: "boxes", Axis: 1, Parts: []roles.Part{{Role: roles.Boxes, Size: 4}, {Role: roles.Scores, Size: 2}, {Role: roles.Masks, Size: 1}}},
	}}
	for _, test := range []meaningCase{
		{"output0", []int64{1, 9, 7}, nil, "boxes 2 0-4, scores 2 4-7"},
		{"output0", []int64{1, 2, 10}, map[int]float32{6: -0.5, 18: 2}, "boxes 2 0-4, scores 2 4-6, raw 2 6-9, scores 2 9-10"},
		{"output0", []int64{1, 2, 8}, map[int]float32{5: 300}, "boxes 2 0-4, objectness 2 4-5, raw 2 5-6, scores 2 6-8"},
		{"output0", []int64{1, 2, 8}, map[int]float32{4: 9, 15: -1}, "boxes 2 0-4, scores 2 4-7, raw 2 7-8"},
		{"output0", []int64{1, 9, 5}, nil, " 0 0-0"},
		{"model.3", []int64{1, 9, 7}, nil, " 0 0-0"},
		{"boxes", []int64{1, 7, 2}, nil, "boxes 1 0-4, scores 1 4-6, masks 1 6-7"},
		{"boxes", []int64{1, 8, 2}, nil, " 0 0-0"}, // not what the metadata say
	} {
		var opts AgainstOptions
		if err := opts.setDefaults(); err != nil {
			t.Fatal(err)
		}
		var parts []string
		for _, m := range opts.measures(f.meaning(test.output, test.tensor()), 32) {
			parts = append(parts, fmt.Sprintf("%s %d %d-%d", m.name, m.axis, m.from, m.to))
		}
		if got := strings.Join(parts, ", "); got != test.parts {
			t.Errorf("%s %v: %q, expected %q", test.output, test.shape, got, test.parts)
		}
	}

	var opts AgainstOptions
	if err := opts.setDefaults(); err != nil {
		t.Fatal(err)
	}
	want := engine.Tensor{Shape: []int64{1, 7, 2}, Floats: []float32{300, 10, 200, 20, 507, 4, 100, 2, 1, 1, 1, 1, 9, 9}}
	for _, test := range []struct {
		element int
		off     float32
		ok      bool
	}{{0, 0.05, true}, {0, 0.052, false}, {1, 0.0031, true}, {1, 0.0033, false}, {5, 0.0033, false}} {
		got := engine.Tensor{Shape: want.Shape, Floats: append([]float32{}, want.Floats...)}
		got.Floats[test.element] += test.off
		parts := opts.measures(f.meaning("boxes", want), 32)
		if j := compareElements(pair{}, got, want, parts[0]); j.OK != test.ok || j.Count != 8 {
			t.Errorf("element %d off by %g: ok %v, %d elements, %s", test.element, test.off, j.OK, j.Count, j.Problem)
		}
		if j := compareElements(pair{}, got, want, parts[1]); !j.OK || j.Count != 4 {
			t.Errorf("scores: %d, %s", j.Count, j.Problem)
		}
	}
}

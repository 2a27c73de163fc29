package heads_test

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"testing"

	"ysc2onnx/heads"
	"ysc2onnx/onnxbuild/reference"
)

// both calls f with the recorded maps lowered for fixed and for open sizes.
func both(t *testing.T, name string, f func(t *testing.T, r *recorded, open bool)) {
	t.Helper()
	for _, open := range []bool{false, true} {
		t.Run(fmt.Sprintf("%s, open sizes %t", name, open), func(t *testing.T) {
			r := read(t, filepath.Join("testdata", name+".npz"))
			f(t, &r, open)
		})
	}
}

// part gives the recorded maps as they are: the image, and rows 1 to 3, columns 2 to 7 of it (see recorded.Forward).
func (r *recorded) map64(level int) (values []float64, channels, height, width int) {
	n, c, h, w := int(r.x.Shape[0]), int(r.x.Shape[1]), int(r.x.Shape[2]), int(r.x.Shape[3])
	y0, y1, x0, x1 := 0, h, 0, w
	if level == 1 {
		y0, y1, x0, x1 = 1, 4, 2, 8
	}
	for i := range n * c {
		for y := y0; y < y1; y++ {
			for x := x0; x < x1; x++ {
				values = append(values, float64(r.x.Floats[(i*h+y)*w+x]))
			}
		}
	}
	return values, c, y1 - y0, x1 - x0
}

// equal compares an array with what is wanted, up to the rounding of float32 constants.
func equal(t *testing.T, name string, got *reference.Array, shape []int64, want []float64) {
	t.Helper()
	if !slices.Equal(got.Shape, shape) {
		t.Fatalf("%s is %v, want %v", name, got.Shape, shape)
	}
	for i, w := range want {
		if math.Abs(got.Data[i]-w) > 1e-7*max(1, math.Abs(w)) {
			t.Fatalf("%s: element %d is %g, want %g", name, i, got.Data[i], w)
		}
	}
}

// TestRawForms: the maps as they are, after the sigmoid but for coefficients of masks and landmarks, and taken apart by anchors.
func TestRawForms(t *testing.T) {
	for _, name := range []string{"detect", "segment", "landmarks"} {
		both(t, name, func(t *testing.T, r *recorded, open bool) {
			no := 5 + r.classes + r.masks + r.landmark
			for form, stage := range map[string]func(x float64, column int) float64{
				"raw":   func(x float64, _ int) float64 { return x },
				"raw5d": func(x float64, _ int) float64 { return x },
				"raw-sigmoid": func(x float64, k int) float64 {
					if k >= 5 && k < 5+r.landmark || k >= 5+r.landmark+r.classes {
						return x
					}
					return 1 / (1 + math.Exp(-x))
				},
			} {
				model := lower(t, r, open, heads.ByName(form).Stage)
				got := runAll(t, model.Graph, r.x, "output0", "output1")
				for level := range 2 {
					values, c, h, w := r.map64(level)
					n, na := len(values)/c/h/w, c/no
					want := make([]float64, len(values))
					shape := []int64{int64(n), int64(c), int64(h), int64(w)}
					for i, x := range values {
						channel := i / (h * w) % c
						at := i
						if form == "raw5d" {
							shape = []int64{int64(n), int64(na), int64(h), int64(w), int64(no)}
							image, cell := i/(c*h*w), i%(h*w)
							at = ((image*na+channel/no)*h*w+cell)*no + channel%no
						}
						want[at] = stage(x, channel%no)
					}
					equal(t, fmt.Sprintf("%s, output%d", form, level), got[fmt.Sprintf("output%d", level)], shape, want)
				}
			}
		})
	}
}

// TestV8 computes YOLOv8's form of what PyTorch decodes: boxes as they are, and each score times the objectness, transposed.
func TestV8(t *testing.T) {
	for _, name := range []string{"detect", "segment"} {
		both(t, name, func(t *testing.T, r *recorded, open bool) {
			got := run(t, lower(t, r, open, heads.V8).Graph, r.x)
			n, rows, no := int(r.want.Shape[0]), int(r.want.Shape[1]), int(r.want.Shape[2])
			columns := no - 1
			want := make([]float64, n*columns*rows)
			for i, x := range r.want.Floats {
				image, row, k := i/(rows*no), i/no%rows, i%no
				value := float64(x)
				switch {
				case k == 4:
					continue
				case k >= 5 && k < 5+r.classes:
					value *= float64(r.want.Floats[i-k+4])
					k--
				case k >= 5:
					k--
				}
				want[(image*columns+k)*rows+row] = value
			}
			if !slices.Equal(got.Shape, []int64{int64(n), int64(columns), int64(rows)}) {
				t.Fatalf("the shape is %v", got.Shape)
			}
			for i, w := range want { // recorded values are rounded to float32
				if math.Abs(got.Data[i]-w) > 2e-7*max(1, math.Abs(w)) {
					t.Fatalf("element %d is %g, want %g", i, got.Data[i], w)
				}
			}
		})
	}
}

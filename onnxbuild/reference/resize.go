package reference

import (
	"context"
	"fmt"
	"math"
	"slices"
)

// resize is Resize: along each axis, pixel o of the output is looked for at a place of the input, and there the nearest
// pixel is taken or the mean of the two next to it, in proportion to the distance. Places outside of the map are at its edge.
func resize(_ context.Context, n *node) ([]*Array, error) {
	x := n.in[0]
	scales, shape := make([]float64, len(x.Shape)), slices.Clone(x.Shape)
	for i := range shape {
		if len(n.in) > 3 && n.in[3] != nil {
			shape[i] = n.ints(3)[i]
			scales[i] = float64(shape[i]) / float64(x.Shape[i])
			continue
		}
		scales[i] = n.in[2].Data[i]
		shape[i] = int64(math.Floor(float64(x.Shape[i]) * scales[i]))
	}
	lookup := func(d int, o int64) (float64, error) {
		switch mode := n.Text("coordinate_transformation_mode", "half_pixel"); {
		case scales[d] == 1:
			return float64(o), nil
		case mode == "asymmetric":
			return float64(o) / scales[d], nil
		case mode == "half_pixel":
			return (float64(o)+0.5)/scales[d] - 0.5, nil
		case mode == "align_corners" && shape[d] == 1:
			return 0, nil
		case mode == "align_corners":
			return float64(o) * float64(x.Shape[d]-1) / float64(shape[d]-1), nil
		default:
			return 0, fmt.Errorf("the coordinate_transformation_mode %q is not expected", mode)
		}
	}
	round := map[string]func(float64) float64{
		"floor": math.Floor, "ceil": math.Ceil,
		"round_prefer_floor": func(x float64) float64 { return math.Ceil(x - 0.5) },
		"round_prefer_ceil":  func(x float64) float64 { return math.Floor(x + 0.5) },
	}[n.Text("nearest_mode", "round_prefer_floor")]
	linear := n.Text("mode", "nearest") == "linear"
	if !linear && (n.Text("mode", "nearest") != "nearest" || round == nil) {
		return nil, fmt.Errorf("mode %q with nearest_mode %q is not expected", n.Text("mode", ""), n.Text("nearest_mode", ""))
	}
	y := x
	for d := range shape {
		of := slices.Clone(y.Shape)
		of[d] = shape[d]
		next, inner := newArray(x.DType, of), product(of[d+1:])
		for o := range shape[d] {
			at, err := lookup(d, o)
			if err != nil {
				return nil, err
			}
			edge := float64(y.Shape[d] - 1)
			first, second, share := math.Floor(at), math.Floor(at)+1, at-math.Floor(at)
			if !linear {
				first, second, share = round(at), 0, 0
			}
			from, to := int64(min(max(first, 0), edge)), int64(min(max(second, 0), edge))
			for outer := range product(of[:d]) {
				for i := range inner {
					a, b := y.Data[(outer*y.Shape[d]+from)*inner+i], y.Data[(outer*y.Shape[d]+to)*inner+i]
					next.Data[(outer*shape[d]+o)*inner+i] = (1-share)*a + share*b
				}
			}
		}
		y = next
	}
	return []*Array{y}, nil
}

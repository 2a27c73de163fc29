package reference

import (
	"cmp"
	"context"
	"slices"

	"ysc2onnx/onnxbuild"
)

// lanes calls visit with the elements along an axis, for each index of the others: element k is x.Data[start + k·step].
func lanes(x *Array, a int, visit func(lane int64, elements []float64)) {
	size, step := x.Shape[a], product(x.Shape[a+1:])
	for i := range product(x.Shape[:a]) * step {
		elements := make([]float64, size)
		for k := range elements {
			elements[k] = x.Data[(i/step*size+int64(k))*step+i%step]
		}
		visit(i, elements)
	}
}

// argMax is ArgMax: the index of the largest element along an axis, the first of equal ones.
func argMax(_ context.Context, n *node) ([]*Array, error) {
	x := n.in[0]
	a, err := axis(n.Int("axis", 0), len(x.Shape))
	if err != nil {
		return nil, err
	}
	shape := slices.Clone(x.Shape)
	if shape[a] = 1; n.Int("keepdims", 1) == 0 {
		shape = slices.Delete(shape, a, a+1)
	}
	y := newArray(onnxbuild.Int64, shape)
	lanes(x, a, func(lane int64, elements []float64) {
		y.Data[lane] = float64(slices.Index(elements, slices.Max(elements)))
	})
	return []*Array{y}, nil
}

// topK is TopK: the k largest elements along an axis, falling, and their indices; of equal ones the lower index is first.
func topK(_ context.Context, n *node) ([]*Array, error) {
	x, k := n.in[0], n.ints(1)[0]
	a, err := axis(n.Int("axis", -1), len(x.Shape))
	if err != nil {
		return nil, err
	}
	shape := slices.Clone(x.Shape)
	shape[a] = k
	values, indices, step := newArray(x.DType, shape), newArray(onnxbuild.Int64, shape), product(shape[a+1:])
	lanes(x, a, func(lane int64, elements []float64) {
		order := make([]int, len(elements))
		for i := range order {
			order[i] = i
		}
		slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(elements[j], elements[i]) })
		for i := range k {
			to := (lane/step*k+i)*step + lane%step
			values.Data[to], indices.Data[to] = elements[order[i]], float64(order[i])
		}
	})
	return []*Array{values, indices}, nil
}

// nonZero is NonZero: the indices of the elements that are not 0, a column for each.
func nonZero(_ context.Context, n *node) ([]*Array, error) {
	x := n.in[0]
	rows, index := make([][]float64, len(x.Shape)), make([]int64, len(x.Shape))
	for _, v := range x.Data {
		if v != 0 {
			for d, k := range index {
				rows[d] = append(rows[d], float64(k))
			}
		}
		increment(index, x.Shape)
	}
	return []*Array{{onnxbuild.Int64, []int64{int64(len(rows)), int64(len(rows[0]))}, slices.Concat(rows...)}}, nil
}

// nonMaxSuppression is NonMaxSuppression: of each class of each image, by falling score, the boxes that score above a bound
// and have no more than a bound in common with one that was taken before, up to a number.
func nonMaxSuppression(_ context.Context, n *node) ([]*Array, error) {
	boxes, scores := n.in[0], n.in[1]
	most, overlap, bound := n.ints(2)[0], n.in[3].Data[0], n.in[4].Data[0]
	count, classes := scores.Shape[2], scores.Shape[1]
	y := &Array{DType: onnxbuild.Int64}
	for lane := range scores.Shape[0] * classes {
		image, score := lane/classes, scores.Data[lane*count:][:count]
		order := make([]int64, 0, count)
		for i, s := range score {
			if s > bound {
				order = append(order, int64(i))
			}
		}
		slices.SortStableFunc(order, func(i, j int64) int { return cmp.Compare(score[j], score[i]) })
		var taken [][4]float64
		for _, i := range order {
			b := corners(boxes.Data[(image*count+i)*4:][:4], n.Int("center_point_box", 0) == 1)
			if int64(len(taken)) < most && !slices.ContainsFunc(taken, func(t [4]float64) bool { return common(t, b) > overlap }) {
				taken = append(taken, b)
				y.Data = append(y.Data, float64(image), float64(lane%classes), float64(i))
			}
		}
	}
	y.Shape = []int64{int64(len(y.Data) / 3), 3}
	return []*Array{y}, nil
}

// corners are the smaller and the larger coordinates of a box: of centre and size, or of two corners.
func corners(b []float64, centred bool) [4]float64 {
	if centred {
		return [4]float64{b[0] - b[2]/2, b[1] - b[3]/2, b[0] + b[2]/2, b[1] + b[3]/2}
	}
	return [4]float64{min(b[0], b[2]), min(b[1], b[3]), max(b[0], b[2]), max(b[1], b[3])}
}

// common is the area that two boxes have in common over the one that they cover together; 0 where they cover nothing.
func common(a, b [4]float64) float64 {
	both := max(0, min(a[2], b[2])-max(a[0], b[0])) * max(0, min(a[3], b[3])-max(a[1], b[1]))
	together := (a[2]-a[0])*(a[3]-a[1]) + (b[2]-b[0])*(b[3]-b[1]) - both
	if together <= 0 {
		return 0
	}
	return both / together
}

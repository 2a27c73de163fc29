package reference

import (
	"context"
	"fmt"
	"slices"
)

// inRange is an index, which counts from the end where it is negative.
func inRange(number float64, size int64) (int64, error) {
	i := int64(number)
	if i < 0 {
		i += size
	}
	if i < 0 || i >= size {
		return 0, fmt.Errorf("the index %g is outside of an axis of %d", number, size)
	}
	return i, nil
}

// gather is Gather: the elements along an axis that the indices point at, in the indices' shape.
func gather(_ context.Context, n *node) ([]*Array, error) {
	x, indices := n.in[0], n.in[1]
	a, err := axis(n.Int("axis", 0), len(x.Shape))
	if err != nil {
		return nil, err
	}
	y := &Array{DType: x.DType, Shape: slices.Concat(x.Shape[:a], indices.Shape, x.Shape[a+1:])}
	inner := product(x.Shape[a+1:])
	for outer := range product(x.Shape[:a]) {
		for _, number := range indices.Data {
			i, err := inRange(number, x.Shape[a])
			if err != nil {
				return nil, err
			}
			y.Data = append(y.Data, x.Data[(outer*x.Shape[a]+i)*inner:][:inner]...)
		}
	}
	return []*Array{y}, nil
}

// gatherElements is GatherElements: the element at the index's own place, except along the axis, where the index says which.
func gatherElements(_ context.Context, n *node) ([]*Array, error) {
	x, indices := n.in[0], n.in[1]
	a, err := axis(n.Int("axis", 0), len(x.Shape))
	if err != nil {
		return nil, err
	}
	y, index := newArray(x.DType, indices.Shape), make([]int64, len(x.Shape))
	for i, number := range indices.Data {
		from := int64(0)
		for d, k := range index {
			if d == a {
				if k, err = inRange(number, x.Shape[a]); err != nil {
					return nil, err
				}
			}
			from = from*x.Shape[d] + k
		}
		y.Data[i] = x.Data[from]
		increment(index, indices.Shape)
	}
	return []*Array{y}, nil
}

// gatherND is GatherND: the elements that each list of indices (the last axis) points at, after the axes that both have in
// common.
func gatherND(_ context.Context, n *node) ([]*Array, error) {
	x, indices, batch := n.in[0], n.in[1], n.Int("batch_dims", 0)
	last := int64(len(indices.Shape) - 1)
	k := indices.Shape[last]
	if batch+k > int64(len(x.Shape)) {
		return nil, fmt.Errorf("%d indices do not point into %v behind %d axes", k, x.Shape, batch)
	}
	y := &Array{DType: x.DType, Shape: slices.Concat(indices.Shape[:last], x.Shape[batch+k:])}
	run, lists := product(x.Shape[batch+k:]), product(indices.Shape[batch:last])
	for i := range product(indices.Shape[:last]) {
		from := i / lists
		for j, number := range indices.Data[i*k:][:k] {
			size := x.Shape[batch+int64(j)]
			at, err := inRange(number, size)
			if err != nil {
				return nil, err
			}
			from = from*size + at
		}
		y.Data = append(y.Data, x.Data[from*run:][:run]...)
	}
	return []*Array{y}, nil
}

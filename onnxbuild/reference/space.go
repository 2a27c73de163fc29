package reference

import (
	"context"
	"fmt"
	"slices"
)

// depthToSpace is DepthToSpace: pixel (y, x) of channel c is, in a square of s, row y%s and column x%s of what the input's
// channels give at (y/s, x/s): channel (row·s + column)·C + c, or in mode CRD (c·s + row)·s + column.
func depthToSpace(_ context.Context, n *node) ([]*Array, error) {
	x, s := n.in[0], n.Int("blocksize", 1)
	channels := x.Shape[1] / (s * s)
	y := newArray(x.DType, []int64{x.Shape[0], channels, x.Shape[2] * s, x.Shape[3] * s})
	index := make([]int64, 4)
	for i := range y.Data {
		row, column := index[2]%s, index[3]%s
		channel := (row*s+column)*channels + index[1]
		if n.Text("mode", "DCR") == "CRD" {
			channel = (index[1]*s+row)*s + column
		}
		y.Data[i] = x.Data[((index[0]*x.Shape[1]+channel)*x.Shape[2]+index[2]/s)*x.Shape[3]+index[3]/s]
		increment(index, y.Shape)
	}
	return []*Array{y}, nil
}

// spaceToDepth is SpaceToDepth: channel (row·s + column)·C + c is channel c at that row and column of each square of s.
func spaceToDepth(_ context.Context, n *node) ([]*Array, error) {
	x, s := n.in[0], n.Int("blocksize", 1)
	y := newArray(x.DType, []int64{x.Shape[0], x.Shape[1] * s * s, x.Shape[2] / s, x.Shape[3] / s})
	index := make([]int64, 4)
	for i := range y.Data {
		square, c := index[1]/x.Shape[1], index[1]%x.Shape[1]
		y.Data[i] = x.Data[((index[0]*x.Shape[1]+c)*x.Shape[2]+index[2]*s+square/s)*x.Shape[3]+index[3]*s+square%s]
		increment(index, y.Shape)
	}
	return []*Array{y}, nil
}

// pad is Pad: a margin of a value, of the outermost elements, or of what is mirrored at them.
func pad(_ context.Context, n *node) ([]*Array, error) {
	x, pads, shape := n.in[0], n.ints(1), slices.Clone(n.in[0].Shape)
	for i := range shape {
		shape[i] += pads[i] + pads[i+len(shape)]
	}
	switch mode := n.Text("mode", "constant"); mode {
	case "edge":
		return remapped(x, shape, func(d int, i, size int64) int64 { return min(max(i-pads[d], 0), size-1) })
	case "reflect":
		return remapped(x, shape, func(d int, i, size int64) int64 {
			at := max(i-pads[d], pads[d]-i)
			return min(at, 2*(size-1)-at)
		})
	case "constant":
		y, index := newArray(x.DType, shape), make([]int64, len(shape))
		for i := range y.Data {
			y.Data[i] = n.in[2].Data[0]
		}
		for _, v := range x.Data {
			at := int64(0)
			for d, k := range index {
				at = at*shape[d] + k + pads[d]
			}
			y.Data[at] = v
			increment(index, x.Shape)
		}
		return []*Array{y}, nil
	default:
		return nil, fmt.Errorf("the mode %q is not expected", mode)
	}
}

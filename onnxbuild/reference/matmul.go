package reference

import (
	"context"
	"fmt"
)

// matMul is MatMul: the products of matrices, for leading indices that broadcast.
func matMul(ctx context.Context, n *node) ([]*Array, error) {
	a, b := n.in[0], n.in[1]
	if len(a.Shape) < 2 || len(b.Shape) < 2 || sizeAt(a.Shape, -1) != sizeAt(b.Shape, -2) {
		return nil, fmt.Errorf("%v and %v are not matrices that can be multiplied", a.Shape, b.Shape)
	}
	rows, between, columns := sizeAt(a.Shape, -2), sizeAt(a.Shape, -1), sizeAt(b.Shape, -1)
	lead, err := broadcast(a.Shape[:len(a.Shape)-2], b.Shape[:len(b.Shape)-2])
	if err != nil {
		return nil, err
	}
	left := a.spread(append(lead[:len(lead):len(lead)], rows, between))
	right := b.spread(append(lead[:len(lead):len(lead)], between, columns))
	y := newArray(a.DType, append(lead[:len(lead):len(lead)], rows, columns))
	err = parallel(ctx, product(lead)*rows, func(row int64) error {
		matrix := right[row/rows*between*columns:]
		for k, v := range left[row*between:][:between] {
			for j := range columns {
				y.Data[row*columns+j] += v * matrix[int64(k)*columns+j]
			}
		}
		return nil
	})
	return []*Array{y}, err
}

// gemm is Gemm with factors of 1: a · b + c, b transposed where it says so.
func gemm(ctx context.Context, n *node) ([]*Array, error) {
	if n.Float("alpha", 1) != 1 || n.Float("beta", 1) != 1 || n.Int("transA", 0) != 0 {
		return nil, fmt.Errorf("a sum of a product and a matrix, without factors, is expected")
	}
	b := n.in[1]
	if n.Int("transB", 0) == 1 {
		t := newArray(b.DType, []int64{b.Shape[1], b.Shape[0]})
		for i, v := range b.Data {
			row, column := int64(i)/b.Shape[1], int64(i)%b.Shape[1]
			t.Data[column*b.Shape[0]+row] = v
		}
		b = t
	}
	y, err := matMul(ctx, &node{n.Node, []*Array{n.in[0], b}, nil})
	if err == nil && len(n.in) > 2 {
		for i, v := range n.in[2].spread(y[0].Shape) {
			y[0].Data[i] += v
		}
	}
	return y, err
}

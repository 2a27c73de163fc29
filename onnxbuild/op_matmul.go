package onnxbuild

import (
	"fmt"
	"slices"
)

var (
	opMatMul = register(Op{Name: "MatMul", infer: inferMatMul})
	opGemm   = register(Op{Name: "Gemm", infer: inferGemm})
)

// MatMul is the product of matrices [m, k] and [k, n], for each of the leading indices, which broadcast: [..., m, k] and
// [..., k, n] to [..., m, n].
func (b Builder) MatMul(x, y *Value) *Value { return b.add1(opMatMul, nil, x, y) }

// Gemm is x · y + bias of matrices x [m, k] and y [k, n], or [n, k] where transposed says so, as a linear layer's weight is.
// bias broadcasts to [m, n]; nil is none.
func (b Builder) Gemm(x, y, bias *Value, transposed bool) *Value {
	var attrs []Attr
	if transposed {
		attrs = []Attr{{"transB", int64(1)}}
	}
	return b.add1(opGemm, attrs, optional(x, y, bias)...)
}

func inferMatMul(n *Node) ([]Type, error) {
	if err := n.needFloats(0, 1); err != nil {
		return nil, err
	}
	x, y := n.Inputs[0], n.Inputs[1]
	if len(x.Shape) < 2 || len(y.Shape) < 2 || !x.Dim(-1).Equal(y.Dim(-2)) {
		return nil, fmt.Errorf("%s and %s are not matrices that can be multiplied", x.Shape, y.Shape)
	}
	shape, err := broadcast(x.Shape[:len(x.Shape)-2], y.Shape[:len(y.Shape)-2])
	if err != nil {
		return nil, err
	}
	return single(x.DType, slices.Concat(shape, Shape{x.Dim(-2), y.Dim(-1)}))
}

func inferGemm(n *Node) ([]Type, error) {
	if err := n.needFloats(0, 1); err != nil {
		return nil, err
	}
	x, y := n.Inputs[0], n.Inputs[1]
	if len(x.Shape) != 2 || len(y.Shape) != 2 {
		return nil, fmt.Errorf("expected two matrices, got %s and %s", x.Shape, y.Shape)
	}
	rows, columns := y.Dim(0), y.Dim(1)
	if n.Int("transB", 0) == 1 {
		rows, columns = columns, rows
	}
	if !x.Dim(1).Equal(rows) {
		return nil, fmt.Errorf("a matrix %s does not have as many columns as the other one, %sx%s, has rows", x.Shape, rows, columns)
	}
	shape := Shape{x.Dim(0), columns}
	if bias := n.input(2); bias != nil {
		if s, err := broadcast(shape, bias.Shape); bias.DType != x.DType || err != nil || !s.Equal(shape) {
			return nil, fmt.Errorf("the bias is %s %s, expected a shape that broadcasts to %s %s", bias.DType, bias.Shape, x.DType, shape)
		}
	}
	return single(x.DType, shape)
}

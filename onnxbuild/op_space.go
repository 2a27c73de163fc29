package onnxbuild

import (
	"fmt"
	"slices"
)

// Operators that move elements between channels and places, and those that add a margin.
var (
	opDepthToSpace = register(Op{Name: "DepthToSpace", infer: inferDepthToSpace})
	opSpaceToDepth = register(Op{Name: "SpaceToDepth", infer: inferSpaceToDepth})
	opPad          = register(Op{Name: "Pad", infer: inferPad})
)

// DepthToSpace makes squares of pixels from channels: [N, C·s², H, W] to [N, C, H·s, W·s]. The channel that a pixel comes
// from is (row·s + column)·C + c, or where interleaved says so, as of PyTorch's PixelShuffle, (c·s + row)·s + column.
func (b Builder) DepthToSpace(x *Value, size int64, interleaved bool) *Value {
	mode := "DCR"
	if interleaved {
		mode = "CRD"
	}
	return b.add1(opDepthToSpace, []Attr{{"blocksize", size}, {"mode", mode}}, x)
}

// SpaceToDepth makes channels from squares of pixels: [N, C, H, W] to [N, s²·C, H/s, W/s]. The pixel at row and column of a
// square becomes channel (row·s + column)·C + c.
func (b Builder) SpaceToDepth(x *Value, size int64) *Value {
	return b.add1(opSpaceToDepth, []Attr{{"blocksize", size}}, x)
}

// Pad adds a margin to x: pads has its size before each axis, then behind each. mode is "constant", which fills it with
// value, "edge", which repeats the outermost element, or "reflect", which mirrors at it.
func (b Builder) Pad(x *Value, mode string, value float64, pads ...int64) *Value {
	inputs := []*Value{x, b.Ints("pads", pads...)}
	if mode == "constant" {
		inputs = append(inputs, b.ScalarOf(x.DType, "value", value))
	}
	return b.add1(opPad, []Attr{{"mode", mode}}, inputs...)
}

func inferDepthToSpace(n *Node) ([]Type, error) {
	x, s := n.Inputs[0], n.Int("blocksize", 0)
	if len(x.Shape) != 4 || s < 1 || s > maxFactor {
		return nil, fmt.Errorf("squares of %d cannot be made of %s", s, x.Shape)
	}
	c, ok := x.Dim(1).Static()
	if !ok || c%(s*s) != 0 {
		return nil, fmt.Errorf("%s channels do not make squares of %d", x.Dim(1), s)
	}
	return single(x.DType, Shape{x.Dim(0), D(c / (s * s)), x.Dim(2).Times(D(s)), x.Dim(3).Times(D(s))})
}

func inferSpaceToDepth(n *Node) ([]Type, error) {
	x, s := n.Inputs[0], n.Int("blocksize", 0)
	if len(x.Shape) != 4 || s < 1 || s > maxFactor {
		return nil, fmt.Errorf("squares of %d cannot be taken from %s", s, x.Shape)
	}
	shape := Shape{x.Dim(0), x.Dim(1).Times(D(s * s))}
	for _, d := range x.Shape[2:] {
		part, ok := d.DivExact(D(s))
		if !ok {
			return nil, fmt.Errorf("a size of %s is not made of squares of %d", d, s)
		}
		shape = append(shape, part)
	}
	return single(x.DType, shape)
}

func inferPad(n *Node) ([]Type, error) {
	x, mode := n.Inputs[0], n.Text("mode", "")
	if !slices.Contains([]string{"constant", "edge", "reflect"}, mode) {
		return nil, fmt.Errorf("the mode is %q, expected constant, edge or reflect", mode)
	}
	if x.DType == Bool {
		return nil, fmt.Errorf("the input is bool, expected numbers")
	}
	pads, err := n.constInts(1)
	if err != nil {
		return nil, err
	}
	rank := len(x.Shape)
	if len(pads) != 2*rank {
		return nil, fmt.Errorf("%d margins are given for %s, expected two for each axis", len(pads), x.Shape)
	}
	shape := make(Shape, rank)
	for i, d := range x.Shape {
		before, behind := pads[i], pads[i+rank]
		if before < 0 || behind < 0 || before > maxElements || behind > maxElements {
			return nil, fmt.Errorf("margins of %d and %d cannot be added to axis %d", before, behind, i)
		}
		if widest := max(before, behind); widest > 0 && (mode == "reflect" && !d.atLeast(widest+1) || mode == "edge" && !d.atLeast(1)) {
			return nil, fmt.Errorf("a size of %s is too small for a margin of %d that shows it (%s)", d, widest, mode)
		}
		shape[i] = d.Plus(D(before + behind))
	}
	return single(x.DType, shape)
}

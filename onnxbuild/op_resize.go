package onnxbuild

import (
	"fmt"
	"math"
	"slices"
)

var opResize = register(Op{Name: "Resize", infer: inferResize, form: formResize})

// Resizing says how the pixels of a resized map are made from those of the original, which lie at whole numbers.
type Resizing struct {
	// Mode is "nearest", the pixel itself, or "linear", a mean of the two next to a place, along each axis.
	Mode string
	// Place says where pixel o of an axis is looked for: "asymmetric" at o/scale, "half_pixel" at (o + 1/2)/scale - 1/2,
	// "align_corners" at o·(size-1)/(new-1). PyTorch's interpolate is "asymmetric" where the mode is nearest, and
	// "half_pixel" where it is bilinear unless told to align corners.
	Place string
	// Nearest rounds the place to a pixel: "floor" as PyTorch, "ceil", "round_prefer_floor", "round_prefer_ceil".
	Nearest string
}

// Upsample enlarges the last two dimensions of x [N, C, H, W] by whole factors, repeating the nearest pixel.
func (b Builder) Upsample(x *Value, scaleH, scaleW int64) *Value {
	return b.Resize(x, Resizing{Mode: "nearest", Place: "asymmetric", Nearest: "floor"}, 1, 1, float32(scaleH), float32(scaleW))
}

// Resize resizes each axis of x by a scale: to ⌊size · scale⌋.
func (b Builder) Resize(x *Value, r Resizing, scales ...float32) *Value {
	return b.add1(opResize, r.attrs(), x, nil, b.Constant("scales", FloatTensor([]int64{int64(len(scales))}, scales)))
}

// ResizeTo resizes x to the shape that an integer list holds, such as [Builder.Sizes] gives; the scale of an axis is the new
// size over the old.
func (b Builder) ResizeTo(x *Value, r Resizing, sizes *Value) *Value {
	return b.add1(opResize, r.attrs(), x, nil, nil, sizes)
}

func (r Resizing) attrs() []Attr {
	attrs := []Attr{{"coordinate_transformation_mode", r.Place}, {"mode", r.Mode}}
	if r.Mode == "nearest" {
		attrs = append(attrs, Attr{"nearest_mode", r.Nearest})
	}
	return attrs
}

// maxFactor bounds how much a map can grow.
const maxFactor = 1 << 20

func inferResize(n *Node) ([]Type, error) {
	if err := n.needFloats(0); err != nil {
		return nil, err
	}
	for _, a := range []struct {
		name, or string
		known    []string
	}{
		{"mode", "", []string{"nearest", "linear"}},
		{"coordinate_transformation_mode", "", []string{"asymmetric", "half_pixel", "align_corners"}},
		{"nearest_mode", "floor", []string{"floor", "ceil", "round_prefer_floor", "round_prefer_ceil"}},
	} {
		if text := n.Text(a.name, a.or); !slices.Contains(a.known, text) {
			return nil, fmt.Errorf("%s is %q, expected one of %q", a.name, text, a.known)
		}
	}
	if n.input(3) != nil {
		return inferResizeTo(n)
	}
	x, scales := n.Inputs[0], n.Inputs[2]
	if scales == nil || scales.Const == nil {
		return nil, fmt.Errorf("the scales must be constant")
	}
	factors, err := scales.Const.ReadAll()
	if err != nil {
		return nil, err
	}
	if len(factors) != len(x.Shape) {
		return nil, fmt.Errorf("%d scales were given for %s", len(factors), x.Shape)
	}
	shape := make(Shape, len(x.Shape))
	for i, f := range factors {
		if shape[i], err = scaled(x.Shape[i], f); err != nil {
			return nil, err
		}
	}
	return single(x.DType, shape)
}

// scaled is ⌊d · f⌋. Where float32 and float64 do not agree on it, readers would not either.
func scaled(d Dim, f float32) (Dim, error) {
	if !(f > 0 && f <= maxFactor) {
		return d, fmt.Errorf("a scale of %g is not above 0 and up to %d", f, maxFactor)
	}
	if f == float32(int64(f)) {
		return d.Times(D(int64(f))), nil
	}
	if size, ok := d.Static(); ok {
		exact, rounded := math.Floor(float64(size)*float64(f)), math.Floor(float64(float32(size)*f))
		if exact != rounded || exact < 1 {
			return d, fmt.Errorf("a size of %d cannot be scaled by %g to a size that all readers agree on", size, f)
		}
		return D(int64(exact)), nil
	}
	if by := math.Round(1 / float64(f)); float32(1/by) == f && float64(f) == 1/by {
		if part, ok := d.FloorDiv(int64(by)); ok {
			return part, nil
		}
	}
	return d, fmt.Errorf("a size of %s cannot be scaled by %g", d, f)
}

func inferResizeTo(n *Node) ([]Type, error) {
	x, sizes := n.Inputs[0], n.Inputs[3]
	if sizes.DType != Int64 || len(sizes.content) != len(x.Shape) {
		return nil, fmt.Errorf("the new sizes of %s are not known", x.Shape)
	}
	for i, d := range sizes.content {
		if !d.atLeast(1) {
			return nil, fmt.Errorf("axis %d of %s cannot be resized to %s", i, x.Shape, d)
		}
	}
	return single(x.DType, Shape(sizes.content))
}

// formResize: at opsets 11 and 12 neither the region of interest nor the scales could be left out; empty ones are ignored
// there.
func formResize(n *Node, opset int) ([]WireNode, error) {
	w := wire(n)
	if opset < 13 {
		w.Inputs = slices.Clone(w.Inputs)
		for i, label := range []string{1: "/roi", 2: "/scales"} {
			if i > 0 && w.Inputs[i] == "" {
				w.Inputs[i] = n.Name + label
				w.Extra = append(w.Extra, &Value{Name: w.Inputs[i], DType: Float32, Shape: ShapeOf(0), Const: FloatTensor([]int64{0}, nil)})
			}
		}
	}
	return []WireNode{w}, nil
}

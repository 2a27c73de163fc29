package onnxbuild

// half is d/2.
func half(d Dim) Dim {
	h, _ := d.FloorDiv(2)
	return h
}

func ceiling(w Window) Window {
	w.Ceil = true
	return w
}

var smooth = Resizing{Mode: "linear", Place: "half_pixel"}

// windowInferences goes on from inferences, for operators with a kernel and those that resize maps.
var windowInferences = []inference{
	{"Conv", "float32 1x6x4", func(b bench) []*Value {
		return results(b.Conv(b.in(1, 4, 9), b.weight(6, 2, 3), nil, Window{Kernel: []int64{3}, Stride: []int64{2}}, 2))
	}},
	{"Conv", "float32 1x6x3x4x5", func(b bench) []*Value {
		return results(b.Conv(b.in(1, 2, 3, 4, 5), b.weight(6, 2, 1, 3, 1), nil, Window{Kernel: []int64{1, 3, 1}, Pads: []int64{0, 1, 0, 0, 1, 0}}, 1))
	}},
	{"Conv", "Conv: kernel [3 3], stride [1], dilation [1 1] and padding [0 0 0 0] do not describe a window", func(b bench) []*Value {
		return results(b.Conv(b.in(1, 2, 5, 5), b.weight(6, 2, 3, 3), nil, Window{Kernel: []int64{3, 3}, Stride: []int64{1}}, 1))
	}},
	{"Conv", "Conv: 0 groups cannot be made", func(b bench) []*Value {
		return results(b.Conv(b.in(1, 2, 5, 5), b.weight(6, 2, 3, 3), nil, square(3, 1, 1), 0))
	}},
	{"Conv", "float16 1x6x5x5", func(b bench) []*Value {
		return results(b.Conv(b.typed(Float16, 1, 2, 5, 5), b.typed(Float16, 6, 2, 3, 3), nil, square(3, 1, 1), 1))
	}},
	{"Conv", "Conv: input 1 is float32, input 0 is float16", func(b bench) []*Value {
		return results(b.Conv(b.typed(Float16, 1, 2, 5, 5), b.weight(6, 2, 3, 3), nil, square(3, 1, 1), 1))
	}},
	{"ConvTranspose", "float32 batchx16xheightxwidth", func(b bench) []*Value {
		return results(b.ConvTranspose(b.in(batch, 8, half(height), half(width)), b.weight(8, 16, 4, 4), b.weight(16), square(4, 2, 1), nil, 1))
	}},
	{"ConvTranspose", "float32 1x6x8x12", func(b bench) []*Value {
		return results(b.ConvTranspose(b.in(1, 8, 4, 6), b.weight(8, 3, 3, 3), nil, square(3, 2, 1), []int64{1, 1}, 2))
	}},
	{"ConvTranspose", "ConvTranspose: the input has 8 channels, the weight 4x16x4x4 takes 4", func(b bench) []*Value {
		return results(b.ConvTranspose(b.in(1, 8, 4, 4), b.weight(4, 16, 4, 4), nil, square(4, 2, 1), nil, 1))
	}},
	{"ConvTranspose", "ConvTranspose: 8 input channels do not form 3 groups", func(b bench) []*Value {
		return results(b.ConvTranspose(b.in(1, 8, 4, 4), b.weight(8, 16, 4, 4), nil, square(4, 2, 1), nil, 3))
	}},
	{"ConvTranspose", "ConvTranspose: the bias is float32 8, expected float32 32", func(b bench) []*Value {
		return results(b.ConvTranspose(b.in(1, 8, 4, 4), b.weight(8, 16, 4, 4), b.weight(8), square(4, 2, 1), nil, 2))
	}},
	{"ConvTranspose", "ConvTranspose: the output's padding 2 must be smaller than the stride 2 or the dilation 1", func(b bench) []*Value {
		return results(b.ConvTranspose(b.in(1, 8, 4, 4), b.weight(8, 16, 4, 4), nil, square(4, 2, 1), []int64{0, 2}, 1))
	}},
	{"ConvTranspose", "ConvTranspose: the output's padding [1] is not for 2 axes", func(b bench) []*Value {
		return results(b.ConvTranspose(b.in(1, 8, 4, 4), b.weight(8, 16, 4, 4), nil, square(4, 2, 1), []int64{1}, 1))
	}},
	{"ConvTranspose", "ConvTranspose: padding 2 and 2 leave nothing of a map of 1", func(b bench) []*Value {
		return results(b.ConvTranspose(b.in(1, 8, 1, 1), b.weight(8, 16, 4, 4), nil, square(4, 2, 2), nil, 1))
	}},
	{"DeformConv", "float32 1x6x3x4", func(b bench) []*Value {
		return results(b.DeformConv(b.in(1, 4, 6, 5), b.weight(6, 2, 3, 2), b.in(1, 24, 3, 4), b.in(1, 12, 3, 4), b.weight(6), Window{Kernel: []int64{3, 2}, Stride: []int64{2, 1}, Pads: []int64{1, 0, 1, 0}}, 2, 2))
	}},
	{"DeformConv", "DeformConv: the offset is float32 1x18x4x4, expected float32 1x18x5x5", func(b bench) []*Value {
		return results(b.DeformConv(b.in(1, 4, 5, 5), b.weight(6, 4, 3, 3), b.in(1, 18, 4, 4), nil, nil, square(3, 1, 1), 1, 1))
	}},
	{"DeformConv", "DeformConv: the mask is float32 1x18x5x5, expected float32 1x9x5x5", func(b bench) []*Value {
		return results(b.DeformConv(b.in(1, 4, 5, 5), b.weight(6, 4, 3, 3), b.in(1, 18, 5, 5), b.in(1, 18, 5, 5), nil, square(3, 1, 1), 1, 1))
	}},
	{"DeformConv", "DeformConv: 4 channels do not form 3 groups with offsets of their own", func(b bench) []*Value {
		return results(b.DeformConv(b.in(1, 4, 5, 5), b.weight(6, 4, 3, 3), b.in(1, 54, 5, 5), nil, nil, square(3, 1, 1), 1, 3))
	}},
	{"DeformConv", "DeformConv: the kernel has 1 axes, expected 2", func(b bench) []*Value {
		return results(b.DeformConv(b.in(1, 4, 5), b.weight(6, 4, 3), b.in(1, 18, 5), nil, nil, Window{Kernel: []int64{3}}, 1, 1))
	}},
	{"MaxPool", "float32 1x8x3x3", func(b bench) []*Value { return results(b.MaxPool(b.in(1, 8, 5, 5), ceiling(square(2, 2, 1)))) }},
	{"MaxPool", "MaxPool: rounded up, the last window along axis 3 of 1x8x4x3 begins in the padding", func(b bench) []*Value {
		return results(b.MaxPool(b.in(1, 8, 4, 3), ceiling(Window{Kernel: []int64{3, 2}, Stride: []int64{2, 2}, Pads: []int64{0, 1, 0, 1}})))
	}},
	{"MaxPool", "MaxPool: padding 2 and 2 is too much for a kernel of 2", func(b bench) []*Value { return results(b.MaxPool(b.in(1, 8, 5, 5), square(2, 2, 2))) }},
	{"MaxPool", "MaxPool: input 0 is int64, expected a float type", func(b bench) []*Value { return results(b.MaxPool(b.typed(Int64, 1, 8, 5, 5), square(2, 2, 0))) }},
	{"AveragePool", "float32 batchx8xheightxwidth", func(b bench) []*Value {
		return results(b.AveragePool(b.in(batch, 8, height, width), square(3, 1, 1), true))
	}},
	{"AveragePool", "float32 1x8x3x3", func(b bench) []*Value {
		return results(b.AveragePool(b.in(1, 8, 6, 6), ceiling(square(3, 2, 0)), false))
	}},
	{"AveragePool", "AveragePool: windows with a dilation of [2 2] are not averaged", func(b bench) []*Value {
		return results(b.AveragePool(b.in(1, 8, 9, 9), Window{Kernel: []int64{3, 3}, Dilation: []int64{2, 2}}, false))
	}},
	{"AveragePool", "AveragePool: expected an input of rank 4, got 8x9", func(b bench) []*Value { return results(b.AveragePool(b.in(8, 9), square(3, 1, 1), false)) }},
	{"GlobalMaxPool", "float32 batchx8x1x1", func(b bench) []*Value { return results(b.GlobalMaxPool(b.in(batch, 8, height, 7))) }},
	{"GlobalMaxPool", "GlobalMaxPool: input 0 is bool, expected a float type", func(b bench) []*Value { return results(b.GlobalMaxPool(b.typed(Bool, 1, 8, 9, 7))) }},
	{"GlobalAveragePool", "float32 2x8x1", func(b bench) []*Value { return results(b.GlobalAveragePool(b.in(2, 8, 7))) }},
	{"Resize", "float32 1x8x10x9", func(b bench) []*Value { return results(b.Resize(b.in(1, 8, 5, 6), smooth, 1, 1, 2, 1.5)) }},
	{"Resize", "float32 1x8xheight/2x3", func(b bench) []*Value { return results(b.Resize(b.in(1, 8, height, 6), smooth, 1, 1, 0.5, 0.5)) }},
	{"Resize", "float32 1x8xheightxwidth", func(b bench) []*Value {
		return results(b.ResizeTo(b.in(1, 8, 5, 6), smooth, b.Sizes(b.in(1, 8, height, width), 0, 4)))
	}},
	{"Resize", "Resize: a size of height cannot be scaled by 1.5", func(b bench) []*Value { return results(b.Resize(b.in(1, 8, height, 6), smooth, 1, 1, 1.5, 2)) }},
	{"Resize", "Resize: a size of 10 cannot be scaled by 0.7 to a size that all readers agree on", func(b bench) []*Value { return results(b.Resize(b.in(1, 8, 10, 9), smooth, 1, 1, 0.7, 1)) }},
	{"Resize", `Resize: mode is "cubic", expected one of ["nearest" "linear"]`, func(b bench) []*Value {
		return results(b.Resize(b.in(1, 8, 10, 9), Resizing{Mode: "cubic", Place: "half_pixel"}, 1, 1, 2, 2))
	}},
	{"Resize", `Resize: nearest_mode is "", expected one of ["floor" "ceil" "round_prefer_floor" "round_prefer_ceil"]`, func(b bench) []*Value {
		return results(b.Resize(b.in(1, 8, 10, 9), Resizing{Mode: "nearest", Place: "half_pixel"}, 1, 1, 2, 2))
	}},
	{"Resize", `Resize: coordinate_transformation_mode is "half", expected one of ["asymmetric" "half_pixel" "align_corners"]`, func(b bench) []*Value {
		return results(b.Resize(b.in(1, 8, 10, 9), Resizing{Mode: "linear", Place: "half"}, 1, 1, 2, 2))
	}},
	{"Resize", "Resize: the new sizes of 1x8x10x9 are not known", func(b bench) []*Value { return results(b.ResizeTo(b.in(1, 8, 10, 9), smooth, b.Ints("sizes", 5, 5))) }},
	{"Resize", "Resize: axis 2 of 1x8x10x9 cannot be resized to 0", func(b bench) []*Value {
		return results(b.ResizeTo(b.in(1, 8, 10, 9), smooth, b.Ints("sizes", 1, 8, 0, 5)))
	}},
	{"DepthToSpace", "float32 batchx3x2*heightx8", func(b bench) []*Value { return results(b.DepthToSpace(b.in(batch, 12, height, 4), 2, false)) }},
	{"DepthToSpace", "DepthToSpace: 10 channels do not make squares of 2", func(b bench) []*Value { return results(b.DepthToSpace(b.in(1, 10, 4, 4), 2, true)) }},
	{"DepthToSpace", "DepthToSpace: squares of 0 cannot be made of 1x10x4x4", func(b bench) []*Value { return results(b.DepthToSpace(b.in(1, 10, 4, 4), 0, true)) }},
	{"SpaceToDepth", "float32 batchx12xheight/2x2", func(b bench) []*Value { return results(b.SpaceToDepth(b.in(batch, 3, height, 4), 2)) }},
	{"SpaceToDepth", "SpaceToDepth: a size of 5 is not made of squares of 2", func(b bench) []*Value { return results(b.SpaceToDepth(b.in(1, 3, 5, 4), 2)) }},
	{"SpaceToDepth", "SpaceToDepth: squares of 2 cannot be taken from 3x4x4", func(b bench) []*Value { return results(b.SpaceToDepth(b.in(3, 4, 4), 2)) }},
	{"Pad", "float32 1x8xheight+3x9", func(b bench) []*Value {
		return results(b.Pad(b.in(1, 8, height, 7), "constant", 0, 0, 0, 1, 2, 0, 0, 2, 0))
	}},
	{"Pad", "uint8 5", func(b bench) []*Value { return results(b.Pad(b.typed(Uint8, 3), "constant", 114, 1, 1)) }},
	{"Pad", "Pad: a size of 3 is too small for a margin of 3 that shows it (reflect)", func(b bench) []*Value { return results(b.Pad(b.in(3), "reflect", 0, 3, 0)) }},
	{"Pad", `Pad: the mode is "wrap", expected constant, edge or reflect`, func(b bench) []*Value { return results(b.Pad(b.in(3), "wrap", 0, 1, 0)) }},
	{"Pad", "Pad: margins of -1 and 0 cannot be added to axis 0", func(b bench) []*Value { return results(b.Pad(b.in(3), "constant", 0, -1, 0)) }},
	{"Pad", "Pad: 3 margins are given for 3, expected two for each axis", func(b bench) []*Value { return results(b.Pad(b.in(3), "edge", 0, 1, 2, 3)) }},
	{"Pad", "Pad: the input is bool, expected numbers", func(b bench) []*Value { return results(b.Pad(b.typed(Bool, 3), "edge", 0, 1, 2)) }},
}

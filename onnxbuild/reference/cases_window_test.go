package reference_test

import (
	"ysc2onnx/onnxbuild"
)

// windows has the cases of operators with a kernel.
var windows = map[string]build{
	"Conv": one(func(b onnxbuild.Builder, x, c []*onnxbuild.Value) *onnxbuild.Value {
		return b.Conv(x[0], c[1], c[2], onnxbuild.Window{Kernel: []int64{3, 2}, Stride: []int64{2, 1}, Dilation: []int64{1, 1}, Pads: []int64{1, 0, 2, 1}}, 1)
	}),
	"Conv in groups": one(func(b onnxbuild.Builder, x, c []*onnxbuild.Value) *onnxbuild.Value {
		return b.Conv(x[0], c[1], nil, onnxbuild.Window{Kernel: []int64{3, 3}, Stride: []int64{1, 1}, Dilation: []int64{1, 2}, Pads: []int64{1, 2, 1, 2}}, 2)
	}),
	"Conv 6x6": one(func(b onnxbuild.Builder, x, c []*onnxbuild.Value) *onnxbuild.Value {
		return b.Conv(x[0], c[1], c[2], onnxbuild.Window{Kernel: []int64{6, 6}, Stride: []int64{2, 2}, Dilation: []int64{1, 1}, Pads: []int64{2, 2, 2, 2}}, 1)
	}),
	"MaxPool": one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value {
		return b.MaxPool(x[0], onnxbuild.Window{Kernel: []int64{5, 5}, Stride: []int64{1, 1}, Dilation: []int64{1, 1}, Pads: []int64{2, 2, 2, 2}})
	}),
	"MaxPool 2x3": one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value {
		return b.MaxPool(x[0], onnxbuild.Window{Kernel: []int64{2, 3}, Stride: []int64{2, 1}, Dilation: []int64{2, 1}, Pads: []int64{0, 1, 0, 1}, Ceil: true})
	}),
	"GlobalAveragePool": one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value { return b.GlobalAveragePool(x[0]) }),

	"Conv of sequences": one(func(b onnxbuild.Builder, x, c []*onnxbuild.Value) *onnxbuild.Value {
		return b.Conv(x[0], c[1], nil, onnxbuild.Window{Kernel: []int64{3}, Stride: []int64{2}, Dilation: []int64{2}, Pads: []int64{2, 2}}, 2)
	}),
	"Conv of volumes": one(func(b onnxbuild.Builder, x, c []*onnxbuild.Value) *onnxbuild.Value {
		return b.Conv(x[0], c[1], c[2], onnxbuild.Window{Kernel: []int64{2, 1, 3}, Stride: []int64{1, 2, 1}, Pads: []int64{1, 0, 2, 1, 0, 2}}, 1)
	}),
	"ConvTranspose": one(func(b onnxbuild.Builder, x, c []*onnxbuild.Value) *onnxbuild.Value {
		return b.ConvTranspose(x[0], c[1], c[2], onnxbuild.Window{Kernel: []int64{3, 2}, Stride: []int64{2, 3}, Dilation: []int64{1, 2}, Pads: []int64{1, 0, 1, 0}}, []int64{1, 0}, 2)
	}),
	"ConvTranspose of sequences": one(func(b onnxbuild.Builder, x, c []*onnxbuild.Value) *onnxbuild.Value {
		return b.ConvTranspose(x[0], c[1], nil, onnxbuild.Window{Kernel: []int64{4}, Stride: []int64{2}, Pads: []int64{1, 1}}, nil, 1)
	}),
	"AveragePool": one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value {
		return b.AveragePool(x[0], onnxbuild.Window{Kernel: []int64{3, 2}, Stride: []int64{2, 1}, Pads: []int64{1, 0, 1, 0}}, false)
	}),
	"AveragePool with padding": one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value {
		return b.AveragePool(x[0], onnxbuild.Window{Kernel: []int64{3, 3}, Stride: []int64{2, 2}, Pads: []int64{1, 1, 1, 1}}, true)
	}),
	"AveragePool rounded up": one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value {
		return b.AveragePool(x[0], onnxbuild.Window{Kernel: []int64{3, 3}, Stride: []int64{2, 2}, Ceil: true}, false)
	}),
	"AveragePool rounded up with padding": one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value {
		return b.AveragePool(x[0], onnxbuild.Window{Kernel: []int64{4, 4}, Stride: []int64{3, 3}, Pads: []int64{1, 1, 1, 1}, Ceil: true}, true)
	}),
	"MaxPool rounded up": one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value {
		return b.MaxPool(x[0], onnxbuild.Window{Kernel: []int64{2, 2}, Stride: []int64{2, 2}, Pads: []int64{1, 1, 1, 1}, Ceil: true})
	}),
	"MaxPool of sequences": one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value {
		return b.MaxPool(x[0], onnxbuild.Window{Kernel: []int64{3}, Stride: []int64{2}, Pads: []int64{1, 1}})
	}),
	"MaxPool of volumes": one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value {
		return b.MaxPool(x[0], onnxbuild.Window{Kernel: []int64{2, 3, 1}, Stride: []int64{2, 1, 1}, Pads: []int64{0, 1, 0, 0, 1, 0}})
	}),
	"GlobalMaxPool": one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value { return b.GlobalMaxPool(x[0]) }),
	"DeformConv": one(func(b onnxbuild.Builder, x, c []*onnxbuild.Value) *onnxbuild.Value {
		return b.DeformConv(x[0], c[1], x[2], x[3], c[4], onnxbuild.Window{Kernel: []int64{3, 2}, Stride: []int64{2, 1}, Pads: []int64{1, 0, 1, 0}}, 2, 2)
	}),
	"DeformConv without a mask": one(func(b onnxbuild.Builder, x, c []*onnxbuild.Value) *onnxbuild.Value {
		return b.DeformConv(x[0], c[1], x[2], nil, nil, onnxbuild.Window{Kernel: []int64{3, 3}, Pads: []int64{1, 1, 1, 1}}, 1, 1)
	}),
}

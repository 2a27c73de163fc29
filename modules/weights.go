package modules

import (
	"math"

	"ysc2onnx/onnxbuild"
	"ysc2onnx/weights"
)

// Weights gives the tensors of a model by state_dict name.
type Weights interface {
	// Tensor gives the elements of a tensor of the given shape. init says how PyTorch fills it before training.
	Tensor(name string, shape []int64, init Init) (onnxbuild.FloatSource, error)
}

// Init makes the elements that PyTorch gives a tensor before training.
type Init func(seed weights.Seed, name string) onnxbuild.FloatSource

// Seeded are untrained weights: PyTorch's default distributions, from a seed.
type Seeded weights.Seed

// Tensor implements [Weights].
func (s Seeded) Tensor(name string, _ []int64, init Init) (onnxbuild.FloatSource, error) {
	return init(weights.Seed(s), name), nil
}

// KaimingUniform fills the weight or the bias of a convolution whose weight has the given shape: uniform within
// ±1/√fan_in (torch.nn.modules.conv, reset_parameters).
func KaimingUniform(weight ...int64) Init {
	return func(seed weights.Seed, name string) onnxbuild.FloatSource {
		return seed.Uniform(name, weights.Bound(weights.FanIn(weight)))
	}
}

// XavierUniform fills a matrix of the given shape: uniform within ±√(6 / (rows + columns)) (torch.nn.init.xavier_uniform_).
func XavierUniform(rows, columns int64) Init {
	return func(seed weights.Seed, name string) onnxbuild.FloatSource {
		return seed.Uniform(name, math.Sqrt(6/float64(rows+columns)))
	}
}

// Normal fills a tensor from the normal distribution with mean 0 and variance 1 (torch.randn).
func Normal() Init {
	return func(seed weights.Seed, name string) onnxbuild.FloatSource { return seed.Normal(name, 0, 1) }
}

// Constant fills a tensor with x.
func Constant(x float32) Init {
	return func(weights.Seed, string) onnxbuild.FloatSource { return weights.Constant(x) }
}

// Values fills a tensor with given elements.
func Values(elements []float32) Init {
	return func(weights.Seed, string) onnxbuild.FloatSource { return onnxbuild.Literal(elements) }
}

// Plus adds an offset to each element that init makes.
func (init Init) Plus(offset func(i int64) float64) Init {
	return func(seed weights.Seed, name string) onnxbuild.FloatSource {
		return weights.Offset(init(seed, name), offset)
	}
}

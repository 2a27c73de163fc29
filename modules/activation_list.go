package modules

import (
	"math"

	"ysc2onnx/onnxbuild"
)

// number is an argument that is any number.
func number(name string, usual float64) activationArg {
	return activationArg{name: name, usual: usual}
}

// The kinds that the lowering itself makes.
var (
	identityClass = Class{Path: "torch.nn.modules.linear.Identity"}
	identityKind  = &activationKind{class: &identityClass, apply: func(_ *Scope, x *onnxbuild.Value, _ []float64) *onnxbuild.Value { return x }}
	siluKind      = torchActivation("SiLU").computedBy(true, applySiLU)
	reluKind      = torchActivation("ReLU").computedBy(true, func(s *Scope, x *onnxbuild.Value, _ []float64) *onnxbuild.Value { return s.Relu(x) })
	sigmoidKind   = torchActivation("Sigmoid").computedBy(false, func(s *Scope, x *onnxbuild.Value, _ []float64) *onnxbuild.Value { return s.Sigmoid(x) })
	hardswishKind = torchActivation("Hardswish").computedBy(true, applyHardswish)
	leakyReLUKind = torchActivation("LeakyReLU", number("negative_slope", 0.01)).computedBy(true, func(s *Scope, x *onnxbuild.Value, args []float64) *onnxbuild.Value {
		return s.LeakyRelu(x, float32(args[0]))
	})
)

// activationKinds are the activations that are known, as torch.nn's documentation defines them. RReLU and others that are
// random in training are not among them.
var activationKinds = []*activationKind{
	identityKind, siluKind, reluKind, sigmoidKind, hardswishKind, leakyReLUKind,
	torchActivation("CELU", number("alpha", 1)).computedBy(true, applyCELU),
	torchActivation("ELU", number("alpha", 1)).computedBy(true, func(s *Scope, x *onnxbuild.Value, args []float64) *onnxbuild.Value {
		return s.Elu(x, float32(args[0]))
	}),
	torchActivation("GELU", activationArg{name: "approximate", among: []string{"none", "tanh"}}).computedBy(false, applyGELU),
	torchActivation("Hardsigmoid").computedBy(true, func(s *Scope, x *onnxbuild.Value, _ []float64) *onnxbuild.Value {
		return s.HardSigmoid(x, 1.0/6, 0.5)
	}),
	torchActivation("Hardtanh", number("min_val", -1), number("max_val", 1)).computedBy(true, applyClip),
	torchActivation("LogSigmoid").computedBy(false, func(s *Scope, x *onnxbuild.Value, _ []float64) *onnxbuild.Value { return s.Neg(s.Softplus(s.Neg(x))) }),
	torchActivation("Mish").computedBy(true, applyMish),
	torchActivation("PReLU", activationArg{name: "num_parameters", usual: 1, whole: true}, number("init", 0.25)).computedBy(false, applyPReLU),
	torchActivation("ReLU6", activationArg{name: "min_val", fixed: true}, activationArg{name: "max_val", usual: 6, fixed: true}).computedBy(true, applyClip),
	torchActivation("SELU").computedBy(true, applySELU),
	torchActivation("Softplus", number("beta", 1), number("threshold", 20)).computedBy(false, applySoftplus),
	torchActivation("Softsign").computedBy(false, func(s *Scope, x *onnxbuild.Value, _ []float64) *onnxbuild.Value {
		return s.Div(x, s.Add(s.Abs(x), s.Scalar("one", 1)))
	}),
	torchActivation("Tanh").computedBy(false, func(s *Scope, x *onnxbuild.Value, _ []float64) *onnxbuild.Value { return s.Tanh(x) }),
	ownActivation("SiLU").computedBy(false, applySiLU),
	ownActivation("Hardswish").computedBy(false, applyHardswish),
	ownActivation("Mish").computedBy(false, applyMish),
	ownActivation("MemoryEfficientMish").computedBy(false, applyMish),
	ownActivation("FReLU").computedBy(false, applyFReLU),
}

func applySiLU(s *Scope, x *onnxbuild.Value, _ []float64) *onnxbuild.Value {
	return s.Mul(x, s.Sigmoid(x))
}

func applyHardswish(s *Scope, x *onnxbuild.Value, _ []float64) *onnxbuild.Value {
	return s.HardSwish(x)
}

func applyMish(s *Scope, x *onnxbuild.Value, _ []float64) *onnxbuild.Value { return s.Mish(x) }

// applyClip is max(min_val, min(max_val, x)).
func applyClip(s *Scope, x *onnxbuild.Value, args []float64) *onnxbuild.Value {
	if args[0] > args[1] {
		s.Err("min_val is %g, which is above max_val, %g", args[0], args[1])
	}
	return s.Clip(x, args[0], args[1])
}

// applyCELU is alpha · elu(x / alpha) (Barron, 2017).
func applyCELU(s *Scope, x *onnxbuild.Value, args []float64) *onnxbuild.Value {
	if args[0] == 0 {
		s.Err("alpha is 0, by which CELU divides")
	}
	alpha := s.Scalar("alpha", float32(args[0]))
	return s.Mul(s.Elu(s.Div(x, alpha), 1), alpha)
}

// applyGELU is x·Φ(x), or with approximate 'tanh' x/2 · (1 + tanh(u)), u = √(2/π)·(x + 0.044715·x³), where (1 + tanh(u))/2
// is sigmoid(2u) (Hendrycks and Gimpel, 2016).
func applyGELU(s *Scope, x *onnxbuild.Value, args []float64) *onnxbuild.Value {
	if args[0] == 0 {
		return s.Gelu(x)
	}
	slope := 2 * math.Sqrt(2/math.Pi)
	cubic := s.Mul(s.Mul(x, x), s.Scalar("cubic", float32(slope*0.044715)))
	return s.Mul(x, s.Sigmoid(s.Mul(x, s.Add(cubic, s.Scalar("slope", float32(slope))))))
}

// applyPReLU is x where it is positive, and weight · x elsewhere, with one weight or one for each channel.
func applyPReLU(s *Scope, x *onnxbuild.Value, args []float64) *onnxbuild.Value {
	n := int64(args[0])
	weight := s.Param("weight", Constant(float32(args[1])), n)
	s.CountMACs(x.Shape.Elements(), 1)
	if n > 1 {
		s.ExpectChannels(x, int(n))
		weight = s.Reshape(weight, s.Ints("channels", n, 1, 1))
	}
	return s.PRelu(x, weight)
}

// applySELU is scale · elu(x) with the alpha and scale of Klambauer et al. (NIPS 2017).
func applySELU(s *Scope, x *onnxbuild.Value, _ []float64) *onnxbuild.Value {
	return s.Mul(s.Elu(x, 1.6732632423543772), s.Scalar("scale", 1.0507009873554805))
}

// applySoftplus is ln(1 + exp(beta·x)) / beta, and x where beta·x is over the threshold. Over 20, where float32 gives x
// for both, the threshold shows nowhere.
func applySoftplus(s *Scope, x *onnxbuild.Value, args []float64) *onnxbuild.Value {
	beta, threshold := args[0], args[1]
	if beta == 0 {
		s.Err("beta is 0, by which Softplus divides")
	}
	scaled := x
	if beta != 1 {
		scaled = s.Mul(x, s.Scalar("beta", float32(beta)))
	}
	y := s.Softplus(scaled)
	if beta != 1 {
		y = s.Div(y, s.Scalar("beta", float32(beta)))
	}
	if threshold >= 20 {
		return y
	}
	return s.Where(s.Greater(scaled, s.Scalar("threshold", float32(threshold))), x, y)
}

// applyFReLU is max(x, bn(conv(x))) with a depthwise convolution (Ma et al., ECCV 2020), of a checkpoint.
func applyFReLU(s *Scope, x *onnxbuild.Value, _ []float64) *onnxbuild.Value {
	shape, ok := s.TensorShape("conv.weight")
	if !ok || len(shape) != 4 || min(shape[0], shape[2], shape[3]) < 1 || max(shape[0], shape[2], shape[3]) > limit {
		s.Err("the checkpoint's conv.weight is %v, expected four dimensions", shape)
		return x
	}
	c := int(shape[0])
	conv := &Conv2d{C1: c, C2: c, Kernel: [2]int{int(shape[2]), int(shape[3])}, Stride: square(1), Pad: square(1), Dilation: square(1), Groups: c}
	return s.Max(x, s.Call("bn", &BatchNorm2d{c}, s.Call("conv", conv, x)))
}

package modules

import "ysc2onnx/onnxbuild"

var (
	groupBatchnormClass = Class{Path: "models.common.GroupBatchnorm2d"}
	groupNormClass      = Class{Path: "torch.nn.modules.normalization.GroupNorm"}
)

// GroupBatchnorm2d normalises groups of channels by their mean and their unbiased standard deviation, eps added to the
// latter: (x - mean) / (std + eps) · gamma + beta. [N, c, H, W], same out.
type GroupBatchnorm2d struct {
	C, Groups    int
	Eps          float64
	Scale, Shift string // what gamma and beta are called, of the shape [c, 1, 1]
}

// scale is the factor of each channel, [c, 1, 1], in the module's scope.
func (m *GroupBatchnorm2d) scale(s *Scope) *onnxbuild.Value {
	return s.Param(m.Scale, Normal(), int64(m.C), 1, 1)
}

// Class is GroupBatchnorm2d.
func (m *GroupBatchnorm2d) Class() *Class { return &groupBatchnormClass }

// Forward normalises x.
func (m *GroupBatchnorm2d) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	s.ExpectChannels(x, m.C)
	count := int(s.Number("group_num", float64(m.Groups)))
	if count < 1 || m.C%count != 0 {
		s.Err("%d channels do not form %d groups: group_num must divide the channels", m.C, count)
		return x
	}
	groups := s.Reshape(x, s.Ints("groups", 0, int64(count), -1))
	if n, ok := groups.Dim(2).Static(); ok && n < 2 && !groups.Refused() && !s.model.counting {
		s.Err("each of the %d groups holds one number, whose standard deviation is not defined: PyTorch gives NaN; use fewer groups or a larger image", count)
		return x
	}
	d := s.Sub(groups, s.ReduceMean(groups, 2))
	variance := s.Div(s.ReduceSum(s.Mul(d, d), 2), s.degrees(groups))
	y := s.Div(d, s.Add(s.Sqrt(variance), s.Scalar("eps", float32(s.Epsilon(m.Eps)))))
	y = s.Reshape(y, s.WithMap(x, 0, int64(m.C)))
	return s.Add(s.Mul(y, m.scale(s)), s.Param(m.Shift, Constant(0), int64(m.C), 1, 1))
}

// degrees is the number of elements of a group, the last of three axes, less one, by which the unbiased variance divides.
func (s *Scope) degrees(groups *onnxbuild.Value) *onnxbuild.Value {
	if n, ok := groups.Dim(2).Static(); ok {
		return s.Scalar("degrees", float32(n-1))
	}
	n := s.Cast(s.Sizes(groups, 2, 3), onnxbuild.Float32)
	return s.Sub(n, s.Scalar("one", 1))
}

// GroupNorm is torch.nn.GroupNorm (Wu and He, 2018): (x - mean) / √(var + eps) · weight + bias, with the biased variance of
// each group of channels. [N, c, H, W], same out.
type GroupNorm struct{ C, Groups int }

// scale is the factor of each channel, [c, 1, 1], in the module's scope.
func (m *GroupNorm) scale(s *Scope) *onnxbuild.Value {
	return s.Reshape(m.weight(s), s.Ints("column", int64(m.C), 1, 1))
}

func (m *GroupNorm) weight(s *Scope) *onnxbuild.Value {
	return s.Param("weight", Constant(1), int64(m.C))
}

// Class is torch.nn.GroupNorm.
func (m *GroupNorm) Class() *Class { return &groupNormClass }

// groupNormEps is the default of torch.nn.GroupNorm.
const groupNormEps = 1e-5

// Forward normalises x.
func (m *GroupNorm) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	s.ExpectChannels(x, m.C)
	s.RequireNumber("num_channels", float64(m.C))
	s.RequireNumber("affine", 1)
	count := int(s.Number("num_groups", float64(m.Groups)))
	if count < 1 || m.C%count != 0 {
		s.Err("%d channels do not form %d groups: num_groups must divide the channels", m.C, count)
		return x
	}
	weight, bias := m.weight(s), s.Param("bias", Constant(0), int64(m.C))
	return s.GroupNormalization(x, int64(count), weight, bias, float32(s.Epsilon(groupNormEps)))
}

package modules

import "ysc2onnx/onnxbuild"

// Upsample is torch.nn.Upsample in mode nearest with whole factors. [N, c, H, W] -> [N, c, H·fh, W·fw].
type Upsample struct{ FactorH, FactorW int }

// Forward repeats the pixels.
func (u *Upsample) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	factor := s.ints("Upsample", "scale_factor", [2]int{u.FactorH, u.FactorW}, 1)
	y := s.Upsample(x, int64(factor[0]), int64(factor[1]))
	s.countMACs(y.Shape.Elements(), 1)
	return y
}

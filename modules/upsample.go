package modules

import "ysc2onnx/onnxbuild"

// Upsample is torch.nn.Upsample in mode nearest with whole factors. [N, c, H, W] -> [N, c, H·fh, W·fw].
type Upsample struct{ FactorH, FactorW int }

// Forward repeats the pixels.
func (u *Upsample) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	y := s.Upsample(x, int64(u.FactorH), int64(u.FactorW))
	s.countMACs(y.Shape.Elements(), 1)
	return y
}

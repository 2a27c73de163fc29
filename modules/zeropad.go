package modules

import "ysc2onnx/onnxbuild"

// ZeroPad2d is torch.nn.ZeroPad2d. [N, c, H, W] -> [N, c, H + top + bottom, W + left + right].
type ZeroPad2d struct{ Sides [4]int } // left, right, top, bottom

// Class is torch.nn.ZeroPad2d.
func (m *ZeroPad2d) Class() *Class { return &zeroPad2dClass }

// Forward adds the zeros.
func (m *ZeroPad2d) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	s.RequireNumber("value", 0)
	found := s.Numbers("padding", float64(m.Sides[0]), float64(m.Sides[1]), float64(m.Sides[2]), float64(m.Sides[3]))
	var p [4]int64
	for i, x := range found {
		if p[i] = int64(x); x != float64(p[i]) || x < 0 || x > limit {
			s.Err("the checkpoint's padding is %s, expected integers from 0 to %d", numbersText(found...), limit)
		}
	}
	return s.Pad(x, "constant", 0, 0, 0, p[2], p[0], 0, 0, p[3], p[1])
}

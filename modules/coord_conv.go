package modules

import "ysc2onnx/onnxbuild"

var (
	coordConvClass = Class{Path: "models.common.CoordConv"}
	addCoordsClass = Class{Path: "models.common.AddCoords"}
)

var coordConvSpec = Spec{
	Name: "CoordConv", Class: &coordConvClass, Wiring: Scaled, Source: "Liu et al., NeurIPS 2018; github.com/z1069614715/objectdetection_script",
	Doc: "Conv of the map and of where its pixels are: c2, kernel_size=1, stride=1, with_r=False",
	New: func(a *Args) Module {
		kernel, stride, radius := a.Pair("kernel_size", 1), a.Pair("stride", 1), a.Bool("with_r", false)
		more := 2
		if radius {
			more = 3
		}
		return &CoordConv{radius, NewConv(a.C1+more, a.C2, ConvArgs{Kernel: kernel, Stride: stride, Pad: square(-1), Groups: 1, Dilation: 1}, a.Act)}
	},
}

// CoordConv is a convolution that knows where it is (Liu et al., NeurIPS 2018), as in
// github.com/z1069614715/objectdetection_script. [N, c1, H, W] -> [N, c2, H', W'].
type CoordConv struct {
	radius bool
	conv   *Conv
}

// Class is CoordConv.
func (m *CoordConv) Class() *Class { return &coordConvClass }

// Forward is conv(addcoords(x)).
func (m *CoordConv) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	if k := s.known("addcoords"); k != nil && k.Class() != "" && s.ChildClass("addcoords") == "" {
		s.Err("the checkpoint has no addcoords here: in forks that add coordinates in the forward they come in another order, which is not converted")
		return x
	}
	return s.Call("conv", m.conv, s.Call("addcoords", addCoords{m.radius}, x))
}

// addCoords appends to a map a channel of rows and one of columns, each from -1 to 1, and perhaps one of distances.
type addCoords struct{ radius bool }

// Class is AddCoords.
func (addCoords) Class() *Class { return &addCoordsClass }

// Forward is cat(x, rows, columns), and √((rows - 0.5)² + (columns - 0.5)²).
func (m addCoords) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	radius := s.Flag("with_r", m.radius)
	if x.Refused() {
		return x
	}
	all := s.Concat(0, s.Sizes(x, 0, 1), s.Ints("one", 1), s.Sizes(x, 2, 4))
	line := func(name string, axis int, shape ...int64) *onnxbuild.Value {
		if n, ok := x.Dim(axis).Static(); ok && n < 2 && !s.model.counting {
			s.Err("its map has one %s, whose place is not defined: PyTorch gives NaN; use a larger image", name)
		}
		size := s.Squeeze(s.Sizes(x, axis, axis+1), 0)
		place := s.Cast(s.Range(s.Int("zero", 0), size, s.Int("step", 1)), onnxbuild.Float32)
		last := s.Cast(s.Sub(size, s.Int("step", 1)), onnxbuild.Float32)
		place = s.Sub(s.Mul(s.Div(place, last), s.Scalar("two", 2)), s.Scalar("unit", 1))
		return s.Expand(s.Reshape(place, s.Ints(name, shape...)), all)
	}
	rows, columns := line("row", 2, 1, 1, -1, 1), line("column", 3, 1, 1, 1, -1)
	if !radius {
		return s.Concat(1, x, rows, columns)
	}
	square := func(v *onnxbuild.Value) *onnxbuild.Value {
		d := s.Sub(v, s.Scalar("half", 0.5))
		return s.Mul(d, d)
	}
	return s.Concat(1, x, rows, columns, s.Sqrt(s.Add(square(rows), square(columns))))
}

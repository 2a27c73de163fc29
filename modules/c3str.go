package modules

import "ysc2onnx/onnxbuild"

// The two forms of SwinTransformerBlock, by the names of their layers.
const (
	swinBlocks = "blocks" // pads the map, then normalises
	swinTr     = "tr"     // normalises, then pads; windows of the transposed map
)

var (
	c3STRClass = Class{Path: "models.common.C3STR", Flavours: []Flavour{
		{Name: swinBlocks, Doc: "layers called blocks", Keys: map[string]int{"m.blocks.0.attn.qkv.weight": 2}},
		{Name: swinTr, Doc: "layers called tr", Keys: map[string]int{"m.tr.0.attn.qkv.weight": 2}},
	}}
	swinBlockClass = Class{Path: "models.common.SwinTransformerBlock", Inert: []string{"window_size", "shift_size"}}
	swinLayerClass = Class{Path: "models.common.SwinTransformerLayer", Inert: []string{"dim", "num_heads", "mlp_ratio"}}
	swinMlpClass   = Class{Path: "models.common.Mlp"}
)

// swinWindow is the height and width of a window.
const swinWindow = 8

var c3STRSpec = Spec{
	Name: "C3STR", Class: &c3STRClass, Wiring: Repeats, Source: "Liu et al., ICCV 2021; github.com/iscyy/yoloair, github.com/cv516Buaa/tph-yolov5",
	Doc: "C3 with attention in windows (Swin), of a fixed image size: c2, shortcut and g (not used), e=0.5",
	New: func(a *Args) Module {
		a.Bool("shortcut", true)
		a.Positive("g", 1)
		hidden := int(float64(a.C2) * a.Float("e", 0.5))
		if hidden < 32 || hidden%(hidden/32) != 0 {
			a.Errorf("its %d hidden channels do not form heads of 32", hidden)
		}
		form := a.Flavour(&c3STRClass)
		if a.trained == nil {
			a.NoteOnce(a.row.ArgsSpan, "its layers are assumed to pad the map before they normalise it; in some forks they do it the other way round, which a checkpoint tells")
		}
		if form == swinTr && a.N > 1 {
			a.Errorf("its layers are called tr, and there are %d: of the second one on, windows are shifted, and forks with this name differ in their mask, which a checkpoint does not hold; "+
				"one layer is converted", a.N)
		}
		return newCSP(&c3STRClass, a.C1, a.C2, hidden, a.Act, &swinBlock{form, hidden, a.N})
	},
}

// swinBlock is n layers of Swin (Liu et al., ICCV 2021), every second one with shifted windows, as in
// github.com/iscyy/yoloair (blocks) and github.com/cv516Buaa/tph-yolov5 (tr). [N, c, H, W], same out.
type swinBlock struct {
	form string
	c, n int
}

// Class is SwinTransformerBlock.
func (m *swinBlock) Class() *Class { return &swinBlockClass }

// Forward applies the layers in turn.
func (m *swinBlock) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	if x.Refused() {
		return x
	}
	if _, ok := x.Shape[2:].Static(); !ok {
		s.Err("its windows are cut for one size of the image, and the map is %s: give a fixed size", x.Shape)
		return x
	}
	if m.form == swinTr {
		x = s.Transpose(x, 0, 3, 2, 1) // and so to height and width, [N, W, H, c]
	} else {
		x = s.Transpose(x, 0, 2, 3, 1)
	}
	var layers Sequential
	for i := range m.n {
		layers = append(layers, &swinLayer{m.form, m.c, i % 2 * (swinWindow / 2)})
	}
	x = s.Call(m.form, layers, x)
	if m.form == swinTr {
		return s.Transpose(x, 0, 3, 2, 1)
	}
	return s.Transpose(x, 0, 3, 1, 2)
}

// swinLayer is attention in windows and a perceptron, each normalised before and added to what it gets. [N, H, W, c],
// same out.
type swinLayer struct {
	form     string
	c, shift int
}

// Class is SwinTransformerLayer.
func (m *swinLayer) Class() *Class { return &swinLayerClass }

// Forward is y + mlp(norm2(y)) with y = x + unshifted(attn(windows of shifted(norm1(x)))). The map is padded with zeros
// below and on the right to whole windows, and cut again: in tr for the attention alone.
func (m *swinLayer) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	if x.Refused() {
		return x
	}
	s.RequireNumber("window_size", swinWindow)
	s.RequireNumber("shift_size", float64(m.shift))
	h, _ := x.Dim(1).Static()
	w, _ := x.Dim(2).Static()
	tall, wide := up(h, swinWindow), up(w, swinWindow)
	pad := func(v *onnxbuild.Value) *onnxbuild.Value {
		if tall == h && wide == w {
			return v
		}
		return s.Pad(v, "constant", 0, 0, 0, 0, 0, 0, tall-h, wide-w, 0)
	}
	cut := func(v *onnxbuild.Value) *onnxbuild.Value {
		if tall == h && wide == w {
			return v
		}
		return s.Slices(v, onnxbuild.Cut{Axis: 1, To: h}, onnxbuild.Cut{Axis: 2, To: w})
	}
	if m.form == swinBlocks {
		x = pad(x)
	}
	y := s.Call("norm1", &LayerNorm{m.c}, x)
	if m.form == swinTr {
		y = pad(y)
	}
	c, rows, columns := int64(m.c), tall/swinWindow, wide/swinWindow
	y = s.roll(y, int64(m.shift))
	y = s.Reshape(y, s.Ints("grid", -1, rows, swinWindow, columns, swinWindow, c))
	y = s.Reshape(s.Transpose(y, 0, 1, 3, 2, 4, 5), s.Ints("windows", -1, swinWindow*swinWindow, c))
	y = s.Call("attn", &windowAttention{m.c, m.shift, rows, columns}, y)
	y = s.Reshape(y, s.Ints("grid", -1, rows, columns, swinWindow, swinWindow, c))
	y = s.Reshape(s.Transpose(y, 0, 1, 3, 2, 4, 5), s.Ints("map", -1, tall, wide, c))
	y = s.roll(y, -int64(m.shift))
	if m.form == swinTr {
		y = cut(y)
	}
	x = s.Add(x, s.callDropPath(y))
	x = s.Add(x, s.callDropPath(s.Call("mlp", &swinMlp{m.c}, s.Call("norm2", &LayerNorm{m.c}, x))))
	if m.form == swinBlocks {
		x = cut(x)
	}
	return x
}

// up rounds up to a multiple.
func up(n, unit int64) int64 { return (n + unit - 1) / unit * unit }

// roll moves a map [N, H, W, c] by as many rows up and columns left, or down and right; what goes out comes in on the
// other side.
func (s *Scope) roll(x *onnxbuild.Value, by int64) *onnxbuild.Value {
	if by == 0 {
		return x
	}
	for axis := int64(1); axis < 3; axis++ {
		back, front := onnxbuild.Cut{Axis: axis, From: by, To: onnxbuild.ToEnd}, onnxbuild.Cut{Axis: axis, To: by}
		x = s.Concat(axis, s.Slices(x, back), s.Slices(x, front))
	}
	return x
}

// swinMlp is two linear maps, four times the channels wide between. [N, H, W, c], same out.
type swinMlp struct{ c int }

// Class is Mlp.
func (m *swinMlp) Class() *Class { return &swinMlpClass }

// Forward is fc2(act(fc1(x))).
func (m *swinMlp) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	y := s.CallActivation("act", GELU(), s.Call("fc1", &Linear{m.c, s.Rows("fc1.weight", 4*m.c), true}, x))
	return s.Call("drop", dropout{}, s.Call("fc2", &Linear{s.Rows("fc1.weight", 4*m.c), m.c, true}, y))
}

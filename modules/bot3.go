package modules

import "ysc2onnx/onnxbuild"

var (
	bot3Class     = Class{Path: "models.common.BoT3"}
	botBlockClass = Class{Path: "models.common.BottleneckTransformer"}
	mhsaClass     = Class{Path: "models.common.MHSA", Inert: []string{"pos"}} // its tensors tell
)

// botHeads is the number of heads in BoT3.
const botHeads = 4

var bot3Spec = Spec{
	Name: "BoT3", Class: &bot3Class, Wiring: Repeats, Source: "Srinivas et al., CVPR 2021; github.com/iscyy/yoloair",
	Doc: "C3 with self-attention over all places in its bottlenecks: c2, e=0.5, e2=1 (no other), w=20, h=20 (of positions, where a checkpoint has them)",
	New: func(a *Args) Module {
		e := a.Float("e", 0.5)
		if e2 := a.Float("e2", 1); e2 != 1 {
			a.Errorf("argument e2 is %g, expected 1: the attention takes the channels of the bottleneck, and PyTorch refuses others", e2)
		}
		if hidden := int(float64(a.C2) * e); hidden%botHeads != 0 {
			a.Errorf("its %d hidden channels do not form %d heads", hidden, botHeads)
		}
		a.Positive("w", 20)
		a.Positive("h", 20)
		return NewCSP(&bot3Class, a.C1, a.C2, e, a.Act, a.N, func(hidden int) Module {
			return &botBlock{hidden, NewConv1x1(hidden, hidden, a.Act)}
		})
	},
}

// botBlock is the bottleneck of BoTNet (Srinivas et al., CVPR 2021), as in github.com/iscyy/yoloair. [N, c, H, W], same out.
type botBlock struct {
	c   int
	cv1 *Conv
}

// Class is BottleneckTransformer.
func (m *botBlock) Class() *Class { return &botBlockClass }

// Forward is x + cv2(cv1(x)); fc1 is never called.
func (m *botBlock) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	s.RequireNumber("shortcut", 1)
	y := s.Call("cv2", Sequential{&MHSA{m.c}}, s.Call("cv1", m.cv1, x))
	s.Call("fc1", unusedLinear{m.c}, y)
	return s.Add(x, y)
}

// unusedLinear is a torch.nn.Linear that is there and never called.
type unusedLinear struct{ c int }

// Class is torch.nn.Linear.
func (unusedLinear) Class() *Class { return &linearClass }

// Forward declares the parameters, and gives x.
func (m unusedLinear) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	c := int64(m.c)
	s.Param("weight", KaimingUniform(c, c), c, c)
	s.Param("bias", KaimingUniform(c, c), c)
	return x
}

// MHSA is multi-head self-attention of all places of a map, without the division by √d. [N, c, H, W], same out.
type MHSA struct{ c int }

// Class is MHSA.
func (m *MHSA) Class() *Class { return &mhsaClass }

// Forward is v·softmax(qᵀ·k + pᵀ·q)ᵀ in each head, with q, k, v of 1x1 convolutions and p the positions, if there are any.
func (m *MHSA) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	heads := int64(s.Numbers("heads", float64(botHeads))[0])
	c := int64(m.c)
	if heads < 1 || c%heads != 0 {
		s.Err("%d channels do not form %d heads", c, heads)
		return x
	}
	part := func(name string) *onnxbuild.Value { // [N, heads, d, places]
		conv := pointwise(m.c, m.c)
		conv.Bias = true
		return s.Reshape(s.Call(name, conv, x), s.Ints("heads", 0, heads, c/heads, -1))
	}
	q, k, v := part("query"), part("key"), part("value")
	energy := s.MatMul(s.Transpose(q, 0, 1, 3, 2), k)
	if s.Has("rel_h_weight") {
		energy = s.Add(energy, m.positions(s, x, q, heads))
	}
	weights := s.Call("softmax", Softmax{-1}, energy)
	return s.Reshape(s.MatMul(v, s.Transpose(weights, 0, 1, 3, 2)), s.WithMap(x, 0, c))
}

// positions is pᵀ·q with p the sum of a trained vector for each row and one for each column, in the order of the places of a
// map as wide and high as they are many. The first places are taken where there are more; the published code does so.
func (m *MHSA) positions(s *Scope, x, q *onnxbuild.Value, heads int64) *onnxbuild.Value {
	rows, columns := int64(1), int64(1)
	if shape, ok := s.TensorShape("rel_h_weight"); ok && len(shape) == 5 {
		columns = shape[4]
	}
	if shape, ok := s.TensorShape("rel_w_weight"); ok && len(shape) == 5 {
		rows = shape[3]
	}
	d := int64(m.c) / heads
	p := s.Add(s.Param("rel_h_weight", Normal(), 1, heads, d, 1, columns), s.Param("rel_w_weight", Normal(), 1, heads, d, rows, 1))
	if x.Refused() || p.Refused() {
		return q
	}
	places, ok := x.Dim(2).Times(x.Dim(3)).Static()
	if !ok || places > rows*columns {
		s.Err("the positions are for %d places, and the map is %s: they are for one size of the image, and no larger", rows*columns, x.Shape)
		return q
	}
	y := s.MatMul(s.Transpose(s.Reshape(p, s.Ints("positions", 1, heads, d, -1)), 0, 1, 3, 2), q)
	if places < rows*columns {
		y = s.Slice(y, 2, 0, places)
	}
	return y
}

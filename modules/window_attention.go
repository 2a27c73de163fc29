package modules

import (
	"math"

	"ysc2onnx/onnxbuild"
)

var windowAttentionClass = Class{Path: "models.common.WindowAttention", Inert: []string{"dim"}}

// windowAttention is multi-head self-attention in windows of a map, with a trained bias for each two places that lie alike
// (Liu et al., ICCV 2021). [N·rows·columns, 64, c], same out.
type windowAttention struct {
	c             int
	shift         int   // by how much the map was moved: parts of a window that did not lie together do not see each other
	rows, columns int64 // of windows on the map
}

// Class is WindowAttention.
func (m *windowAttention) Class() *Class { return &windowAttentionClass }

// Forward is proj(softmax(q·kᵀ·scale + bias + mask)·v) in each head.
func (m *windowAttention) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	const places = swinWindow * swinWindow
	for _, side := range s.Numbers("window_size", swinWindow, swinWindow) {
		if side != swinWindow {
			s.Err("the checkpoint's window_size is %g, expected %d", side, swinWindow)
			return x
		}
	}
	heads := int64(s.Numbers("num_heads", float64(m.c/32))[0])
	c := int64(m.c)
	if heads < 1 || c%heads != 0 {
		s.Err("%d channels do not form %d heads", c, heads)
		return x
	}
	d := c / heads
	qkv := s.Call("qkv", &Linear{m.c, 3 * m.c, m.biased(s)}, x)
	qkv = s.Transpose(s.Reshape(qkv, s.Ints("heads", -1, places, 3, heads, d)), 2, 0, 3, 1, 4)
	part := func(i int64) *onnxbuild.Value { return s.Squeeze(s.Slice(qkv, 0, i, i+1), 0) } // [windows, heads, 64, d]
	scores := s.MatMul(s.Mul(part(0), s.Scalar("scale", m.scale(s, d))), s.Transpose(part(1), 0, 1, 3, 2))
	scores = s.Add(scores, m.bias(s, heads))
	if m.shift > 0 {
		windows := m.rows * m.columns
		scores = s.Add(s.Reshape(scores, s.Ints("by_window", -1, windows, heads, places, places)), m.mask(s))
		scores = s.Reshape(scores, s.Ints("by_head", -1, heads, places, places))
	}
	y := s.MatMul(s.Call("attn_drop", dropout{}, s.Call("softmax", Softmax{-1}, scores)), part(2))
	y = s.Reshape(s.Transpose(y, 0, 2, 1, 3), s.Ints("places", -1, places, c))
	return s.Call("proj_drop", dropout{}, s.Call("proj", &Linear{m.c, m.c, true}, y))
}

// scale is 1/√d, unless a checkpoint has another number than that, as Python rounds it.
func (m *windowAttention) scale(s *Scope, d int64) float32 {
	usual := 1 / math.Sqrt(float64(d))
	if k := s.known("scale"); k != nil {
		if n := k.Numbers("scale"); len(n) == 1 && float32(n[0]) == float32(usual) {
			return float32(usual)
		}
	}
	return float32(s.Number("scale", usual))
}

// biased reports whether queries, keys and values have a bias: one form has none, which its checkpoints tell.
func (m *windowAttention) biased(s *Scope) bool { return s.trained() == nil || s.Has("qkv.bias") }

// bias is a row of the table for each two places of a window, by how far they lie apart: [1, heads, 64, 64].
func (m *windowAttention) bias(s *Scope, heads int64) *onnxbuild.Value {
	const span = 2*swinWindow - 1
	table := s.Param("relative_position_bias_table", Constant(0), span*span, heads)
	var rows []int64
	for i := range int64(swinWindow * swinWindow) {
		for j := range int64(swinWindow * swinWindow) {
			dy, dx := i/swinWindow-j/swinWindow, i%swinWindow-j%swinWindow
			rows = append(rows, (dy+swinWindow-1)*span+dx+swinWindow-1)
		}
	}
	s.RequireIntegers("relative_position_index", rows)
	y := s.Reshape(s.Gather(table, s.Ints("relative_position_index", rows...), 0), s.Ints("pairs", 1, swinWindow*swinWindow, swinWindow*swinWindow, heads))
	return s.Transpose(y, 0, 3, 1, 2)
}

// mask is -100 for two places of a window that did not lie together before the map was moved: [1, windows, 1, 64, 64].
func (m *windowAttention) mask(s *Scope) *onnxbuild.Value {
	part := func(i, size int64) int64 { // in which part of the moved map a row or a column lies
		switch {
		case i < size-swinWindow:
			return 0
		case i < size-int64(m.shift):
			return 1
		}
		return 2
	}
	const places = int64(swinWindow * swinWindow)
	var values []float32
	for window := range m.rows * m.columns {
		var parts [places]int64
		for i := range places {
			row, column := window/m.columns*swinWindow+i/swinWindow, window%m.columns*swinWindow+i%swinWindow
			parts[i] = 3*part(row, m.rows*swinWindow) + part(column, m.columns*swinWindow)
		}
		for i := range places {
			for j := range places {
				value := float32(0)
				if parts[i] != parts[j] {
					value = -100
				}
				values = append(values, value)
			}
		}
	}
	shape := []int64{1, m.rows * m.columns, 1, places, places}
	return s.Constant("mask", &onnxbuild.Tensor{DType: onnxbuild.Float32, Shape: shape, Floats: onnxbuild.Literal(values)})
}

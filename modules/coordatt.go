package modules

import "ysc2onnx/onnxbuild"

// coordAttNames are the children that weigh by height and by width, and the activation.
type coordAttNames struct{ rows, columns, act string }

var coordAttForms = map[string]coordAttNames{
	"conv_h": {"conv_h", "conv_w", "act"},
	"conv2":  {"conv2", "conv3", "relu"},
}

var coordAttClass = Class{Path: "models.common.CoordAtt", Aliases: []string{"CA", "CoordAttention", "CoorAttention"}, Flavours: []Flavour{
	{Name: "conv_h", Doc: "heights by conv_h, widths by conv_w", Keys: coordAttKeys("", "conv_h", "conv_w")},
	{Name: "conv2", Doc: "heights by conv2, widths by conv3", Keys: coordAttKeys("", "conv2", "conv3")},
}}

// coordAttKeys are the tensors of CoordAtt under a prefix.
func coordAttKeys(prefix, rows, columns string) map[string]int {
	return map[string]int{prefix + "conv1.weight": 4, prefix + "bn1.running_mean": 1, prefix + rows + ".weight": 4, prefix + columns + ".weight": 4}
}

var coordAttSpec = Spec{
	Name: "CoordAtt", Aliases: []string{"CA"}, Class: &coordAttClass, Wiring: Attends, Source: "Hou et al., CVPR 2021; github.com/houqb/CoordAttention",
	Doc: "coordinate attention: c2, reduction=32",
	New: func(a *Args) Module { return NewCoordAtt(a.C2, a.Positive("reduction", 32)) },
}

// CoordAtt weighs each row and each column of each channel by what their means give (Hou et al., CVPR 2021, and
// github.com/houqb/CoordAttention). [N, c, H, W], same out.
type CoordAtt struct{ c, hidden int }

// NewCoordAtt makes a CoordAtt of c/reduction hidden channels, but of 8 at least.
func NewCoordAtt(c, reduction int) *CoordAtt { return &CoordAtt{c, max(8, c/reduction)} }

// Class is CoordAtt.
func (m *CoordAtt) Class() *Class { return &coordAttClass }

// Forward is x · σ(conv_w(w)) · σ(conv_h(h)), where h and w are the parts of act(bn1(conv1(cat(mean of each row, mean of each
// column)))).
func (m *CoordAtt) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	return m.attend(s, x, coordAttForms[s.Flavour()])
}

// attend is the forward in the scope of a module that has the layers as children.
func (m *CoordAtt) attend(s *Scope, x *onnxbuild.Value, names coordAttNames) *onnxbuild.Value {
	hidden := s.Rows("conv1.weight", m.hidden)
	conv := func(name string, c1, c2 int) *Conv2d {
		conv := pointwise(c1, c2)
		conv.Bias = s.trained() == nil || s.Has(name+".bias")
		return conv
	}
	lines := s.rowsAndColumns(x)
	y := s.callEither(names.act, hSwish{}, s.Call("bn1", &BatchNorm2d{hidden}, s.Call("conv1", conv("conv1", m.c, hidden), lines)))
	rows, columns := s.splitLines(x, y)
	byWidth := s.Sigmoid(s.Call(names.columns, conv(names.columns, hidden, m.c), columns))
	byHeight := s.Sigmoid(s.Call(names.rows, conv(names.rows, hidden, m.c), rows))
	return s.Mul(s.Mul(x, byWidth), byHeight)
}

// rowsAndColumns are the means of the rows of a map and of its columns, one after the other: [N, c, H, W] -> [N, c, H+W, 1].
func (s *Scope) rowsAndColumns(x *onnxbuild.Value) *onnxbuild.Value {
	rows := s.Call("pool_h", axisMean{3}, x)
	return s.Concat(2, rows, s.Transpose(s.Call("pool_w", axisMean{2}, x), 0, 1, 3, 2))
}

// splitLines parts what was made of [Scope.rowsAndColumns] of x: [N, c, H, 1] and [N, c, 1, W].
func (s *Scope) splitLines(x, y *onnxbuild.Value) (rows, columns *onnxbuild.Value) {
	if x.Refused() || y.Refused() {
		return y, y
	}
	if sizes, ok := x.Shape[2:].Static(); ok {
		parts := s.Split(y, 2, sizes[0], sizes[1])
		rows, columns = parts[0], parts[1]
	} else {
		height, width := s.Squeeze(s.Sizes(x, 2, 3), 0), s.Squeeze(s.Sizes(x, 3, 4), 0)
		zero, one := s.Int("zero", 0), s.Int("one", 1)
		rows = s.Gather(y, s.Range(zero, height, one), 2)
		columns = s.Gather(y, s.Add(s.Range(zero, width, one), height), 2)
	}
	return rows, s.Transpose(columns, 0, 1, 3, 2)
}

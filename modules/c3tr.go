package modules

import (
	"math"

	"ysc2onnx/onnxbuild"
)

var (
	c3TRClass               = Class{Path: "models.common.C3TR"}
	transformerBlockClass   = Class{Path: "models.common.TransformerBlock", Inert: []string{"c2"}}
	transformerLayerClass   = Class{Path: "models.common.TransformerLayer"}
	linearClass             = Class{Path: "torch.nn.modules.linear.Linear", Inert: []string{"in_features", "out_features"}}
	nonDynamicLinearClass   = Class{Path: "torch.nn.modules.linear.NonDynamicallyQuantizableLinear", Aliases: []string{"_LinearWithBias", "Linear"}, Inert: linearClass.Inert}
	multiheadAttentionClass = Class{Path: "torch.nn.modules.activation.MultiheadAttention",
		Inert: []string{"embed_dim", "kdim", "vdim", "dropout", "head_dim", "_qkv_same_embed_dim", "batch_first"}}
)

var c3TRSpec = Spec{
	Name: "C3TR", Class: &c3TRClass, Wiring: Repeats,
	Doc: "C3 with a TransformerBlock inside: c2, shortcut (not used), g (not used), e=0.5",
	New: func(a *Args) Module {
		a.Bool("shortcut", true)
		a.Positive("g", 1)
		hidden := int(float64(a.C2) * a.Float("e", 0.5))
		if hidden%transformerHeads != 0 {
			a.Errorf("its %d hidden channels do not form %d heads", hidden, transformerHeads)
		}
		return newCSP(&c3TRClass, a.C1, a.C2, hidden, a.Act, &TransformerBlock{hidden, a.N})
	},
}

// transformerHeads is the number of heads in C3TR.
const transformerHeads = 4

// TransformerBlock treats the pixels of a map as a sequence: a linear embedding is added, then come n layers (Dosovitskiy
// et al., ICLR 2021, without layer norms). [N, c, H, W], same out.
type TransformerBlock struct{ C, N int }

// Class is YOLOv5's TransformerBlock.
func (m *TransformerBlock) Class() *Class { return &transformerBlockClass }

// Forward is the layers over p + linear(p), where p is [H·W, N, c].
func (m *TransformerBlock) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	c := int64(m.C)
	p := s.Transpose(s.Reshape(x, s.Ints("sequence", 0, c, -1)), 2, 0, 1)
	p = s.Add(p, s.Call("linear", &Linear{m.C, m.C, true}, p))
	var layers Sequential
	for range m.N {
		layers = append(layers, &TransformerLayer{m.C})
	}
	p = s.Call("tr", layers, p)
	return s.Reshape(s.Transpose(p, 1, 2, 0), s.WithMap(x, 0, c))
}

// TransformerLayer is self-attention and two linear maps, each added to what it gets. [L, N, c], same out.
type TransformerLayer struct{ C int }

// Class is YOLOv5's TransformerLayer.
func (m *TransformerLayer) Class() *Class { return &transformerLayerClass }

// Forward is z + fc2(fc1(z)) with z = ma(q(x), k(x), v(x)) + x.
func (m *TransformerLayer) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	plain := &Linear{m.C, m.C, false}
	ma := &MultiheadAttention{m.C, transformerHeads}
	z := s.Add(s.CallJoin("ma", ma, s.Call("q", plain, x), s.Call("k", plain, x), s.Call("v", plain, x)), x)
	return s.Add(s.Call("fc2", plain, s.Call("fc1", plain, z)), z)
}

// Linear is torch.nn.Linear on the last axis. [..., c1] -> [..., c2].
type Linear struct {
	C1, C2 int
	Bias   bool
}

// Class is torch.nn.Linear.
func (m *Linear) Class() *Class { return &linearClass }

// Forward is x·weightᵀ + bias.
func (m *Linear) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	shape := []int64{int64(m.C2), int64(m.C1)}
	if trained := s.pickledWeight(2); trained != nil {
		shape = trained
	}
	y := s.MatMul(x, s.Transpose(s.Param("weight", KaimingUniform(shape...), shape...), 1, 0))
	s.CountMACs(y.Shape.Elements(), shape[1])
	if m.Bias {
		y = s.Add(y, s.Param("bias", KaimingUniform(shape...), shape[0]))
	}
	return y
}

// MultiheadAttention is torch.nn.MultiheadAttention of queries, keys and values of one width: softmax(q·kᵀ/√d)·v in each
// head (Vaswani et al., NIPS 2017). Three times [L, N, c] -> [L, N, c].
type MultiheadAttention struct{ C, Heads int }

// Class is torch.nn.MultiheadAttention.
func (m *MultiheadAttention) Class() *Class { return &multiheadAttentionClass }

// Forward projects queries, keys and values, attends in each head, and projects what comes out.
func (m *MultiheadAttention) Forward(s *Scope, inputs []*onnxbuild.Value) *onnxbuild.Value {
	s.RequireNone("bias_k")
	s.RequireNone("bias_v")
	s.RequireNumber("add_zero_attn", 0)
	heads := int64(s.Numbers("num_heads", float64(m.Heads))[0])
	c := int64(m.C)
	if heads < 1 || c%heads != 0 {
		s.Err("%d channels do not form %d heads", c, heads)
		return inputs[0]
	}
	d := c / heads
	weight := s.Param("in_proj_weight", XavierUniform(3*c, c), 3*c, c)
	bias := s.Param("in_proj_bias", Constant(0), 3*c)
	var parts [3]*onnxbuild.Value // [N·heads, L, d]
	for i, x := range inputs {
		from, to := int64(i)*c, int64(i+1)*c
		y := s.MatMul(x, s.Transpose(s.Slice(weight, 0, from, to), 1, 0))
		s.CountMACs(y.Shape.Elements(), c)
		y = s.Add(y, s.Slice(bias, 0, from, to))
		parts[i] = s.Transpose(s.Reshape(y, s.Concat(0, s.Sizes(x, 0, 1), s.Ints("heads", -1, d))), 1, 0, 2)
	}
	scale := s.Scalar("scale", float32(1/math.Sqrt(float64(d))))
	scores := s.Softmax(s.MatMul(s.Mul(parts[0], scale), s.Transpose(parts[1], 0, 2, 1)), 2)
	y := s.Transpose(s.MatMul(scores, parts[2]), 1, 0, 2)
	y = s.Reshape(y, s.Concat(0, s.Sizes(inputs[0], 0, 2), s.Ints("width", c)))
	return s.Call("out_proj", &outProjection{Linear{m.C, m.C, true}}, y)
}

// outProjection is the Linear of MultiheadAttention, which has a class of its own.
type outProjection struct{ Linear }

// Class is the class of MultiheadAttention's projection.
func (m *outProjection) Class() *Class { return &nonDynamicLinearClass }

package modules

import "ysc2onnx/onnxbuild"

var sumClass = Class{Path: "models.experimental.Sum", Inert: []string{"iter"}}

var sumSpec = Spec{
	Name: "Sum", Class: &sumClass, Wiring: Keeps,
	Doc: "sum of maps: n (the number of inputs), weight=False",
	Join: func(a *Args) Joiner {
		if n := a.Positive("n", len(a.In)); n != len(a.In) {
			a.Errorf("adds %d maps, but reads %d", n, len(a.In))
		}
		return &Sum{a.Bool("weight", false)}
	},
}

// Sum adds maps of one shape, with weights or without. n times [N, c, H, W] -> [N, c, H, W].
type Sum struct{ Weight bool }

// Class is YOLOv5's Sum.
func (m *Sum) Class() *Class { return &sumClass }

// Forward is x₀ + x₁ + …, or x₀ + 2·σ(w₀)·x₁ + 2·σ(w₁)·x₂ + ….
func (m *Sum) Forward(s *Scope, inputs []*onnxbuild.Value) *onnxbuild.Value {
	y := inputs[0]
	if !s.Flag("weight", m.Weight) || len(inputs) < 2 {
		for _, x := range inputs[1:] {
			y = s.Add(y, x)
		}
		return y
	}
	n := int64(len(inputs) - 1)
	first := make([]float32, n)
	for i := range first {
		first[i] = -float32(i+1) / 2
	}
	w := s.Mul(s.Sigmoid(s.Param("w", Values(first), n)), s.Scalar("two", 2))
	for i, x := range inputs[1:] {
		y = s.Add(y, s.Mul(x, s.Slice(w, 0, int64(i), int64(i+1))))
	}
	return y
}

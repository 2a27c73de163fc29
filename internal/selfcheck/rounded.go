package selfcheck

import (
	"context"

	"ysc2onnx/modules"
	"ysc2onnx/onnxbuild/reference"
	"ysc2onnx/verify"
	"ysc2onnx/verify/engine"
)

// roundedValues are layers and outputs as they are with every value rounded to float32, beside what they are exactly; values inside
// layers are the exact ones.
type roundedValues struct {
	layerValues // exact
	rounded     layerValues
}

// valuesRounded computes a model twice.
func valuesRounded(ctx context.Context, m *modules.Model, input engine.Tensor, inner []verify.Inner) (verify.Reference, error) {
	exact, err := values(ctx, m, input, inner, reference.Run)
	if err != nil {
		return nil, err
	}
	rounded, err := values(ctx, m, input, nil, reference.RunRounded)
	if err != nil {
		return nil, err
	}
	return roundedValues{exact, rounded}, nil
}

// Read implements [verify.Reference].
func (r roundedValues) Read(name string) (engine.Tensor, error) {
	if _, layer := r.values[name]; !layer {
		return r.layerValues.Read(name)
	}
	t, err := r.rounded.Read(name)
	if err != nil {
		return t, err
	}
	t.Exact = r.arrays[r.values[name]].Data
	return t, nil
}

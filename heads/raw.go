package heads

import (
	"fmt"

	"ysc2onnx/heads/roles"
	"ysc2onnx/modules"
	"ysc2onnx/onnxbuild"
)

// Raw leaves a head's maps as its convolutions give them: output0, output1, … are [N, na·no, Hᵢ, Wᵢ], with the columns of each
// anchor after those of the one before. A model that segments has its prototypes, [N, nm, H, W], as the last output.
func Raw(_ *modules.Scope, raw *modules.Raw) []modules.Output {
	return maps(raw, func(l level) *onnxbuild.Value { return l.Value })
}

// RawSigmoid is Raw with the sigmoid that decoding begins with: of all columns but landmarks and the coefficients of masks.
func RawSigmoid(s *modules.Scope, raw *modules.Raw) []modules.Output {
	return maps(raw, func(l level) *onnxbuild.Value { return l.sigmoids(s) })
}

// Raw5D is Raw with the anchors and the columns of each taken apart, the columns last, as YOLOv5's Detect gives its maps in
// training: [N, na, Hᵢ, Wᵢ, no].
func Raw5D(s *modules.Scope, raw *modules.Raw) []modules.Output {
	return maps(raw, func(l level) *onnxbuild.Value {
		na, no := int64(len(l.anchors)/2), l.all()
		return s.Transpose(s.Reshape(l.Value, s.WithMap(l.Value, 0, na, no)), 0, 1, 3, 4, 2)
	})
}

// maps are the outputs of a head whose maps are not put together.
func maps(raw *modules.Raw, each func(l level) *onnxbuild.Value) []modules.Output {
	var outputs []modules.Output
	add := func(role roles.Role, v *onnxbuild.Value) {
		outputs = append(outputs, modules.Output{Output: roles.Of(fmt.Sprintf("output%d", len(outputs)), role), Value: v})
	}
	for i := range raw.Maps {
		add(roles.Raw, each(levelOf(raw, i)))
	}
	if raw.Prototypes != nil {
		add(roles.Prototypes, raw.Prototypes)
	}
	return outputs
}

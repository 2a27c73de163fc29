package heads

import (
	"slices"

	"ysc2onnx/heads/roles"
	"ysc2onnx/modules"
	"ysc2onnx/onnxbuild"
)

// V8 is the form of YOLOv8 and later, which has no objectness: output0 is [N, 4+nc, boxes], centre x and y, width and height in
// pixels, and the score of each class, which is YOLOv5's times the objectness. A model that segments has the coefficients of nm masks
// behind the scores, [N, 4+nc+nm, boxes], and its prototypes as output1.
func V8(s *modules.Scope, raw *modules.Raw) []modules.Output {
	if raw.Landmarks+raw.Angles > 0 {
		s.Err("the head v8 has no columns for landmarks or angles; take decoded or raw")
	}
	outputs := Decoded(s, raw)
	sizes := []int64{4, 1, int64(raw.Classes)}
	meaning := roles.Output{Name: "output0", Axis: 1, Parts: []roles.Part{{Role: roles.Boxes, Size: 4}, {Role: roles.Scores, Size: raw.Classes}}}
	if raw.Masks > 0 {
		sizes = append(sizes, int64(raw.Masks))
		meaning.Parts = append(meaning.Parts, roles.Part{Role: roles.Masks, Size: raw.Masks})
	}
	parts := s.Split(outputs[0].Value, 2, sizes...)
	columns := slices.Concat([]*onnxbuild.Value{parts[0], s.Mul(parts[1], parts[2])}, parts[3:])
	outputs[0] = modules.Output{Output: meaning, Value: s.Transpose(s.Concat(2, columns...), 0, 2, 1)}
	return outputs
}

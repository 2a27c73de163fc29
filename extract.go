package ysc2onnx

import (
	"encoding/json"
	"fmt"

	"ysc2onnx/checkpoint"
	"ysc2onnx/internal/trained"
)

// ExtractYAML gives the model YAML of a checkpoint, as YOLOv5 reads it: with the number of classes and the anchors that
// the model was trained with, and the names of its classes. Of the input, the weights matter.
func ExtractYAML(in Input) ([]byte, error) {
	t, err := trained.Open(in.WeightsName, in.Weights, in.WeightsSize)
	if err != nil {
		return nil, err
	}
	text, err := t.YAML(true)
	return []byte(text), err
}

// ExtractWeights lays out a checkpoint's tensors as a safetensors file, by their names in the state_dict and with their
// types. Its metadata has what tensors do not say (the YAML, the names of the classes, epsilons and other attributes of
// modules), so that it converts to the same model. notes say what is left out. Of the input, the weights matter.
func ExtractWeights(in Input) (layout *checkpoint.SafetensorsLayout, notes []string, err error) {
	t, err := trained.Open(in.WeightsName, in.Weights, in.WeightsSize)
	if err != nil {
		return nil, nil, err
	}
	known, notes, err := t.Describe()
	if err != nil {
		return nil, nil, err
	}
	text, err := json.Marshal(known)
	if err != nil {
		return nil, nil, err
	}
	layout, err = checkpoint.PlanSafetensors(t.StateDict(), map[string]string{"format": "pt", checkpoint.DescriptionKey: string(text)})
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", in.WeightsName, err)
	}
	return layout, notes, nil
}

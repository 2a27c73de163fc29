package modules_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"ysc2onnx/modules"
	"ysc2onnx/verify/engine"
)

// pickled is what a checkpoint keeps of one module of an oracle case, as Python's values come out of JSON.
type pickled struct {
	Name   string         `json:"class"`
	Values map[string]any `json:"attributes"`
}

// trainedCase is a case whose parameters are those of a checkpoint, with the modules that it names.
type trainedCase struct {
	*oracleCase
	all map[string]engine.Tensor
}

// Shape implements [modules.Trained].
func (c trainedCase) Shape(name string) ([]int64, bool) {
	t, ok := c.all[strings.TrimPrefix(name, "model.0.")]
	return t.Shape, ok
}

// Integers implements [modules.Trained]: cases have none.
func (c trainedCase) Integers(string, int) ([]int64, error) { return nil, nil }

// Module implements [modules.Trained]: of a module that the case does not name nothing is known but that it has parameters.
func (c trainedCase) Module(path string) modules.TrainedModule {
	if m, ok := c.Pickled[strings.TrimPrefix(path, "model.0.")]; ok {
		return m
	}
	for name := range c.all {
		if strings.HasPrefix("model.0."+name, path+".") {
			return pickled{}
		}
	}
	return nil
}

func (p pickled) Class() string      { return p.Name }
func (p pickled) Children() []string { return nil }
func (p pickled) Tensors() []string  { return nil }

func (p pickled) Attributes() []string {
	return slices.Sorted(maps.Keys(p.Values))
}

func (p pickled) Numbers(attribute string) []float64 {
	items, ok := p.Values[attribute].([]any)
	if !ok {
		items = []any{p.Values[attribute]}
	}
	var numbers []float64
	for _, item := range items {
		switch x := item.(type) {
		case float64:
			numbers = append(numbers, x)
		case bool:
			numbers = append(numbers, map[bool]float64{true: 1}[x])
		default:
			return nil
		}
	}
	return numbers
}

func (p pickled) Text(attribute string) (string, bool) {
	text, ok := p.Values[attribute].(string)
	return text, ok
}

func (p pickled) Show(attribute string) string { return fmt.Sprint(p.Values[attribute]) }

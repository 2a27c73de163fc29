package trained

import (
	"encoding/json"
	"errors"
	"maps"
	"math"
	"slices"

	"ysc2onnx/checkpoint"
)

// Describe describes the model, and says what it leaves out.
func (t *Model) Describe() (c checkpoint.Description, left []string, err error) {
	if c.YAML, err = t.YAML(true); err != nil {
		left = append(left, "a model YAML, which "+t.name+" does not carry")
		if _, has := t.root.Attr("yaml"); has {
			left[0] = "the model YAML, which cannot be written: " + err.Error()
		}
	}
	for i, e := range t.classNames {
		name, isText := checkpoint.AsString(e.Value)
		if !isText || e.Key != checkpoint.Value(checkpoint.Int(i)) {
			c.Names, left = nil, append(left, "the names of the classes, which are not numbered texts")
			break
		}
		c.Names = append(c.Names, name)
	}
	index := map[string]int{}
	room := int(checkpoint.DefaultLimits().HeaderSize) // of the file that it goes into
	for _, path := range slices.Sorted(maps.Keys(t.modules)) {
		m := t.modules[path]
		if m.Class == (checkpoint.Global{}) {
			continue
		}
		like := checkpoint.DescribedModules{Class: m.Class.String(), Attributes: map[string]json.RawMessage{}}
		for _, name := range (trainedModule{t, m}).Attributes() {
			if path == "" && (name == "yaml" || name == "names") { // which are stored elsewhere
				continue
			}
			v, _ := m.Attr(name)
			if room -= checkpoint.TextSize(v, room); room == 0 { // several modules may share what is large
				return c, nil, errors.New(t.name + ": the attributes of its modules take more bytes than a safetensors file has for them")
			}
			value, err := t.plainValue(m, name)
			if err != nil {
				return c, nil, err
			}
			like.Attributes[name] = value
		}
		key, err := json.Marshal(like)
		if err != nil {
			return c, nil, err
		}
		i, known := index[string(key)]
		if !known {
			i = len(c.Modules)
			index[string(key)] = i
			c.Modules = append(c.Modules, like)
		}
		c.Modules[i].Paths = append(c.Modules[i].Paths, path)
	}
	return c, left, nil
}

// maxDescribed bounds the text by which an attribute is named that has no form in JSON here.
const maxDescribed = 80

// plainValue is an attribute in JSON: a number, a text, or a list of numbers; anything else as a text that describes it, so
// that a conversion refuses it where its value matters.
func (t *Model) plainValue(m *checkpoint.Module, name string) (json.RawMessage, error) {
	v, _ := m.Attr(name)
	path := m.Path
	if text, ok := checkpoint.AsString(v); ok {
		return json.Marshal(text)
	}
	finite := func(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }
	if numbers := t.Numbers(path, name); numbers != nil && allOf(numbers, finite) {
		if _, isList := checkpoint.AsSlice(v); !isList {
			return json.Marshal(numbers[0])
		}
		return json.Marshal(numbers)
	}
	if whole := t.wholeNumbers(path, name); whole != nil { // a tensor
		return json.Marshal(whole)
	}
	return json.Marshal(checkpoint.Repr(v, maxDescribed))
}

func allOf(list []float64, holds func(float64) bool) bool {
	return !slices.ContainsFunc(list, func(x float64) bool { return !holds(x) })
}

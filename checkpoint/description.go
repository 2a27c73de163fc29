package checkpoint

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// DescriptionKey is the name in the __metadata__ of a safetensors file under which a [Description] is, as JSON.
const DescriptionKey = "ysc2onnx"

// Description is what is known of a model beside its tensors, which a safetensors file cannot say as tensors.
type Description struct {
	YAML    string             `json:"yaml,omitempty"`    // the model YAML
	Names   []string           `json:"names,omitempty"`   // of the classes
	Modules []DescribedModules `json:"modules,omitempty"` // those that are alike together
}

// DescribedModules are modules of one class with the same attributes.
type DescribedModules struct {
	Class      string                     `json:"class"`
	Attributes map[string]json.RawMessage `json:"attributes,omitempty"` // numbers, texts, and lists of numbers
	Paths      []string                   `json:"paths"`
}

// describe gives the modules of a safetensors file what its metadata say of them.
func (b *moduleBuilder) describe(root *Module, metadata []Entry) error {
	text := ""
	for _, e := range metadata {
		if e.Key == Value(Str(DescriptionKey)) {
			text, _ = AsString(e.Value)
		}
	}
	if text == "" {
		return nil
	}
	var d Description
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		return err
	}
	for _, like := range d.Modules {
		var entries []Entry
		for _, name := range slices.Sorted(maps.Keys(like.Attributes)) {
			value, err := attributeValue(like.Attributes[name])
			if err != nil {
				return fmt.Errorf("%s of %s: %w", name, like.Class, err)
			}
			entries = append(entries, Entry{Key: Str(name), Value: value})
		}
		class := Global{Name: like.Class}
		if i := strings.LastIndexByte(like.Class, '.'); i >= 0 {
			class = Global{Module: like.Class[:i], Name: like.Class[i+1:]}
		}
		shared := NewDict(entries...) // not one for each of many paths
		for _, path := range like.Paths {
			m, err := b.moduleAt(path) // made where it has no tensors
			if err != nil {
				return err
			}
			m.Class, m.Attrs = class, shared
		}
	}
	attributes := slices.Clone(root.Attrs.Entries)
	if d.YAML != "" {
		attributes = append(attributes, Entry{Key: Str("yaml"), Value: Str(d.YAML)})
	}
	if d.Names != nil {
		names := &List{}
		for _, name := range d.Names {
			names.Items = append(names.Items, Str(name))
		}
		attributes = append(attributes, Entry{Key: Str("names"), Value: names})
	}
	root.Attrs = NewDict(attributes...)
	return nil
}

// attributeValue is a number, a text or a list of numbers.
func attributeValue(raw json.RawMessage) (Value, error) {
	var value any
	if err := json.Unmarshal(raw, &value); err != nil {
		return nil, err
	}
	switch v := value.(type) {
	case string:
		return Str(v), nil
	case float64:
		return number(v), nil
	case []any:
		list := &List{}
		for _, item := range v {
			x, ok := item.(float64)
			if !ok {
				return nil, fmt.Errorf("%v is not a number", item)
			}
			list.Items = append(list.Items, number(x))
		}
		return list, nil
	}
	return nil, fmt.Errorf("%s is neither a number, nor a text, nor a list of numbers", raw)
}

// number is an int where x is whole, which JSON does not tell from a float.
func number(x float64) Value {
	if n, ok := AsInt(Float(x)); ok {
		return Int(n)
	}
	return Float(x)
}

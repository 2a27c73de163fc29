package ysc2onnx

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"ysc2onnx/checkpoint"
)

// What a safetensors file cannot say of a model as tensors goes into its __metadata__ under this name, as JSON.
const carriedKey = "ysc2onnx"

// carried is what is known of a model beside its tensors.
type carried struct {
	YAML    string          `json:"yaml,omitempty"`    // the model YAML
	Names   []string        `json:"names,omitempty"`   // of the classes
	Modules []carriedModule `json:"modules,omitempty"` // those that are alike together
}

// carriedModule are modules of one class with the same attributes.
type carriedModule struct {
	Class      string                     `json:"class"`
	Attributes map[string]json.RawMessage `json:"attributes,omitempty"` // numbers, texts, and lists of numbers
	Paths      []string                   `json:"paths"`
}

// carriedAttributes are those that decide what a module of YOLOv5 computes, beside its tensors and its arguments in the YAML.
var carriedAttributes = []string{"i", "f", "type", "nc", "stride", "eps", "group_num", "gate_treshold", "up_channel", "low_channel",
	"kernel_size", "padding", "padding_mode", "dilation", "groups", "negative_slope", "add", "scale_factor", "mode", "d"}

// carry describes the model, and says what it leaves out.
func (t *trained) carry() (c carried, left []string, err error) {
	if c.YAML, err = t.modelYAML(true); err != nil {
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
		like := carriedModule{Class: m.Class.String(), Attributes: map[string]json.RawMessage{}}
		for _, name := range carriedAttributes {
			v, _ := m.Attr(name)
			if room -= checkpoint.TextSize(v, room); room == 0 { // several modules may share what is large
				return c, nil, errors.New(t.name + ": the attributes of its modules take more bytes than a safetensors file has for them")
			}
			value, err := t.plainValue(m, name)
			if err != nil {
				return c, nil, err
			}
			if value != nil {
				like.Attributes[name] = value
			}
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

// plainValue is an attribute in JSON; nil where it is neither a finite number, nor a text, nor a list of such numbers.
func (t *trained) plainValue(m *checkpoint.Module, name string) (json.RawMessage, error) {
	v, ok := m.Attr(name)
	if !ok {
		return nil, nil
	}
	path := m.Path
	if text, ok := checkpoint.AsString(v); ok {
		return json.Marshal(text)
	}
	if numbers := t.Numbers(path, name); numbers != nil {
		if slices.ContainsFunc(numbers, func(x float64) bool { return math.IsNaN(x) || math.IsInf(x, 0) }) {
			return nil, nil
		}
		if _, isList := checkpoint.AsSlice(v); !isList {
			return json.Marshal(numbers[0])
		}
		return json.Marshal(numbers)
	}
	if whole := t.wholeNumbers(path, name); whole != nil { // a tensor
		return json.Marshal(whole)
	}
	return nil, nil
}

// adopt takes what the metadata of a safetensors file carries.
func (t *trained) adopt(metadata []checkpoint.Entry) error {
	text := ""
	for _, e := range metadata {
		if e.Key == checkpoint.Value(checkpoint.Str(carriedKey)) {
			text, _ = checkpoint.AsString(e.Value)
		}
	}
	if text == "" {
		return nil
	}
	var c carried
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		return fmt.Errorf("__metadata__ %q: %w", carriedKey, err)
	}
	for _, like := range c.Modules {
		var entries []checkpoint.Entry
		for _, name := range carriedAttributes {
			raw, ok := like.Attributes[name]
			if !ok {
				continue
			}
			value, err := attributeValue(raw)
			if err != nil {
				return fmt.Errorf("__metadata__ %q: %s of %s: %w", carriedKey, name, like.Class, err)
			}
			entries = append(entries, checkpoint.Entry{Key: checkpoint.Str(name), Value: value})
		}
		class := checkpoint.Global{Name: like.Class}
		if i := strings.LastIndexByte(like.Class, '.'); i >= 0 {
			class = checkpoint.Global{Module: like.Class[:i], Name: like.Class[i+1:]}
		}
		for _, path := range like.Paths {
			m := t.modules[path]
			if most := checkpoint.DefaultLimits().Tensors; m == nil && len(t.modules) >= most {
				return fmt.Errorf("__metadata__ %q: more than %d modules", carriedKey, most)
			}
			if m == nil { // it has no tensors
				m = &checkpoint.Module{Path: path}
				t.modules[path] = m
			}
			m.Class, m.Attrs = class, checkpoint.NewDict(slices.Clone(entries)...)
		}
	}
	attributes := t.root.Attrs.Entries
	if c.YAML != "" {
		attributes = append(attributes, checkpoint.Entry{Key: checkpoint.Str("yaml"), Value: checkpoint.Str(c.YAML)})
	}
	if c.Names != nil {
		names := &checkpoint.List{}
		for _, name := range c.Names {
			names.Items = append(names.Items, checkpoint.Str(name))
		}
		attributes = append(attributes, checkpoint.Entry{Key: checkpoint.Str("names"), Value: names})
	}
	t.root.Attrs = checkpoint.NewDict(attributes...)
	return nil
}

// attributeValue is a number, a text or a list of numbers.
func attributeValue(raw json.RawMessage) (checkpoint.Value, error) {
	var value any
	if err := json.Unmarshal(raw, &value); err != nil {
		return nil, err
	}
	switch v := value.(type) {
	case string:
		return checkpoint.Str(v), nil
	case float64:
		return checkpoint.Float(v), nil
	case []any:
		list := &checkpoint.List{}
		for _, item := range v {
			x, ok := item.(float64)
			if !ok {
				return nil, fmt.Errorf("%v is no number", item)
			}
			list.Items = append(list.Items, checkpoint.Float(x))
		}
		return list, nil
	}
	return nil, fmt.Errorf("%s is neither a number, nor a text, nor a list of numbers", raw)
}

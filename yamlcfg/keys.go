package yamlcfg

import (
	"maps"
	"slices"
	"strings"

	"ysc2onnx/diag"
	"ysc2onnx/yamlcfg/python"
)

// mapping collects the keys of the top level. PyYAML takes the last of equal keys; explicit ones win over merged.
func (p *parser) mapping(root *node) {
	twice := map[string][]*node{} // the keys before the last, of those that are repeated
	for i := 0; i+1 < len(root.items); i += 2 {
		key, value := root.items[i], root.items[i+1]
		if key.kind == scalarNode && key.plain && key.value == "<<" {
			continue
		}
		l, err := python.Literal{}, error(nil)
		if key.kind == scalarNode {
			l, err = scalar(key)
		}
		if key.kind != scalarNode || err != nil || l.Kind != python.String {
			p.ds.Warnf(diag.UnknownKey, p.place(key), "a key that YOLOv5 does not read: %s", p.describe(key))
			continue
		}
		if before := p.keys[key.value]; before != nil {
			twice[key.value] = append(twice[key.value], before)
		}
		p.keys[key.value], p.values[key.value] = key, value
	}
	names := slices.Collect(maps.Keys(twice))
	sortByPlace(names, p.keys)
	for _, name := range names {
		before := twice[name]
		d := p.ds.Warnf(diag.RepeatedKey, p.place(p.keys[name]), "the key %s occurs again here; YOLOv5 silently takes the last one, and so does this program", name)
		for _, key := range before[:min(len(before), 3)] {
			d.AddNote(p.place(key), "this one is not read")
		}
	}
	for i := len(root.items) - 2; i >= 0; i -= 2 { // what is merged last wins
		if key := root.items[i]; key.kind == scalarNode && key.plain && key.value == "<<" {
			p.merge(key, root.items[i+1], 0)
		}
	}
}

// merge adds the keys of a merge key's mapping, or list of mappings, that are not there yet.
func (p *parser) merge(key, from *node, depth int) {
	p.budget -= len(from.items) + 1
	switch {
	case depth > maxDepth || p.budget < 0:
		p.ds.Errorf(p.place(key), "merge keys are nested too deep")
	case from.kind == mapNode:
		for i := len(from.items) - 2; i >= 0; i -= 2 { // of equal keys, the last
			k, v := from.items[i], from.items[i+1]
			if k.kind == scalarNode && p.values[k.value] == nil && k.value != "<<" {
				p.keys[k.value], p.values[k.value] = key, v
			}
		}
		for i := len(from.items) - 2; i >= 0; i -= 2 {
			if k := from.items[i]; k.kind == scalarNode && k.plain && k.value == "<<" {
				p.merge(key, from.items[i+1], depth+1)
			}
		}
	case from.kind == seqNode && depth == 0:
		for _, item := range from.items {
			p.merge(key, item, depth+1)
		}
	default:
		p.ds.Errorf(p.place(from), "<< merges a mapping or a list of mappings, not %s", p.describe(from))
	}
}

// laterFormat refuses the model YAML of the ultralytics package, in one error: `scales` has the place of depth_multiple and
// width_multiple, and Detect has no anchors.
func (p *parser) laterFormat() bool {
	const later = "this is a model YAML of the ultralytics package (YOLOv8 and later, and YOLOv5 in that package's form), which %s; only YOLOv5's own format is converted"
	scales, anchors := p.keys["scales"], p.values["anchors"]
	switch {
	case scales != nil && (p.values["depth_multiple"] == nil || p.values["width_multiple"] == nil):
		p.ds.Errorf(p.place(scales), later, "has `scales` in the place of depth_multiple and width_multiple")
	case anchors == nil && anchorless(p.values["head"]):
		rows := p.values["head"].items
		p.ds.Errorf(p.place(rows[len(rows)-1]), later, "has a Detect without anchors")
	default:
		return false
	}
	return true
}

// anchorless says whether the last row of a head is a [from, 1, Detect, [nc]].
func anchorless(head *node) bool {
	if head == nil || head.kind != seqNode || len(head.items) == 0 {
		return false
	}
	row := head.items[len(head.items)-1].items
	return len(row) == 4 && row[2].value == "Detect" && len(row[3].items) == 1
}

// checkKeys reports required keys that are missing and keys that mean nothing, and reads a misspelt required key
// as the one that is missing.
func (p *parser) checkKeys() {
	var missing []string
	for _, k := range requiredKeys {
		if p.values[k] == nil {
			missing = append(missing, k)
		}
	}
	known := append(append([]string{}, requiredKeys...), optionalKeys...)
	var unknown []string
	for k := range p.keys {
		unknown = append(unknown, k)
	}
	sortByPlace(unknown, p.keys)
	for _, k := range unknown {
		key, value := p.keys[k], p.values[k]
		if slices.Contains(known, k) || k == "modules" || inertKeys[k] || value.anchored {
			continue
		}
		if meant, ok := diag.Suggest(k, missing); ok {
			p.ds.Errorf(p.place(key), "unknown key %s; did you mean %s?", k, meant)
			p.keys[meant], p.values[meant] = key, value
			missing = remove(missing, meant)
		} else if meant, ok := diag.Suggest(k, known); ok {
			p.ds.Warnf(diag.UnknownKey, p.place(key), "YOLOv5 does not read the key %s; did you mean %s?", k, meant)
		} else if len(missing) == 0 {
			p.ds.Warnf(diag.UnknownKey, p.place(key), "YOLOv5 does not read the key %s", diag.Quote(k))
		}
	}
	if len(missing) == 0 {
		return
	}
	d := p.ds.Errorf(diag.Span{}, "missing: %s; a YOLOv5 model has the keys %s", strings.Join(missing, ", "), strings.Join(requiredKeys, ", "))
	switch {
	case p.keys["train"] != nil && p.keys["val"] != nil:
		d.AddNote(p.place(p.keys["train"]), "this looks like the YAML of a data set, not of a model")
	case p.keys["lr0"] != nil:
		d.AddNote(p.place(p.keys["lr0"]), "this looks like the hyper-parameters of a training, not a model")
	}
}

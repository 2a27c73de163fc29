package yamlcfg

import (
	"fmt"

	"ysc2onnx/diag"
	"ysc2onnx/yamlcfg/python"
)

// classNames reads the key names: a list of the names of the classes, or a mapping from their numbers, as in the YAML of a
// data set. YOLOv5 takes them from there and ignores them here, so that names which do not fit are only a warning.
func (p *parser) classNames() {
	n := p.values["names"]
	if n == nil {
		return
	}
	names, err := listOfNames(n)
	if err == nil && len(names) != p.m.NC && p.m.NC > 0 {
		err = fmt.Errorf("there are %d, and nc is %d", len(names), p.m.NC)
	}
	if err != nil {
		p.ds.Warnf(diag.ClassNames, p.place(p.keys["names"]), "the names of the classes are not used: %v", err)
		return
	}
	p.m.Names = names
}

// listOfNames gives the names by the numbers of their classes.
func listOfNames(n *node) ([]string, error) {
	items := n.items
	switch n.kind {
	case mapNode:
		items = make([]*node, len(n.items)/2)
		for i := 0; i+1 < len(n.items); i += 2 {
			key, err := python.Literal{}, error(nil)
			if n.items[i].kind == scalarNode {
				key, err = scalar(n.items[i])
			}
			if err != nil || key.Kind != python.Int || key.Int < 0 || key.Int >= int64(len(items)) || items[key.Int] != nil {
				return nil, fmt.Errorf("the numbers of the classes must be 0 to %d, each once", len(items)-1)
			}
			items[key.Int] = n.items[i+1]
		}
	case seqNode:
	default:
		return nil, fmt.Errorf("expected a list, or a mapping from their numbers")
	}
	names := make([]string, len(items))
	for i, item := range items {
		if item.kind != scalarNode {
			return nil, fmt.Errorf("that of class %d is not a text", i)
		}
		name, err := scalar(item)
		if err != nil {
			return nil, fmt.Errorf("that of class %d: %w", i, err)
		}
		names[i], _ = name.Text() // a scalar has one
	}
	return names, nil
}

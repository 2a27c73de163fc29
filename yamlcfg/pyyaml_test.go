package yamlcfg

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ysc2onnx/diag"
	"ysc2onnx/yamlcfg/python"
)

// TestReadsAsPyYAML compares what is read of each text of testdata/pyyaml with what PyYAML's safe_load gives, and refuses what
// it refuses.
func TestReadsAsPyYAML(t *testing.T) {
	var cases []struct {
		Text  string
		Value any
		Error string
	}
	if err := json.Unmarshal(read(t, "testdata/pyyaml/cases.json"), &cases); err != nil || len(cases) < 40 {
		t.Fatalf("%d cases, %v", len(cases), err)
	}
	for _, c := range cases {
		got, ds := readValue(c.Text)
		if ds.HasErrors() != (c.Error != "") {
			t.Errorf("%q: got %v, PyYAML raises %q", c.Text, ds, c.Error)
			continue
		}
		if diff := cmp.Diff(c.Value, got); diff != "" {
			t.Errorf("%q (-PyYAML +got):\n%s", c.Text, diff)
		}
	}
}

// readValue gives a text's value as JSON has it, nil after an error.
func readValue(text string) (any, *diag.Diagnostics) {
	src := diag.NewSource("t.yaml", []byte(text))
	ds := diag.NewDiagnostics(src)
	from := newText(src)
	p := parser{
		reader: reader{text: from, layout: lex(from.ascii), ds: ds}, budget: maxValues,
		values: map[string]*node{}, keys: map[string]*node{},
	}
	root := p.read()
	if root == nil || root.kind != mapNode {
		return valueOf(root), ds
	}
	p.mapping(root)
	value := map[string]any{}
	for key, n := range p.values {
		value[key] = valueOf(n)
	}
	return value, ds
}

func valueOf(n *node) any {
	switch {
	case n == nil:
		return nil
	case n.kind == seqNode:
		list := []any{}
		for _, item := range n.items {
			list = append(list, valueOf(item))
		}
		return list
	case n.kind == mapNode:
		value := map[string]any{}
		for i := 0; i+1 < len(n.items); i += 2 {
			value[n.items[i].value] = valueOf(n.items[i+1])
		}
		return value
	}
	switch l, err := scalar(n); {
	case err != nil:
		return err
	case l.Kind == python.Int:
		return float64(l.Int)
	case l.Kind == python.None:
		return nil
	default:
		return l.Str
	}
}

package trained

import (
	"testing"

	"ysc2onnx/checkpoint"
)

// TestPruneHooks: hooks other than those of torch.nn.utils.prune may compute anything.
func TestPruneHooks(t *testing.T) {
	hook := func(module string) checkpoint.Value {
		return &checkpoint.Object{Class: checkpoint.Global{Module: module, Name: "L1Unstructured"}}
	}
	dict := func(values ...checkpoint.Value) *checkpoint.Dict {
		d := &checkpoint.Dict{}
		for i, v := range values {
			d.Entries = append(d.Entries, checkpoint.Entry{Key: checkpoint.Int(i), Value: v})
		}
		return d
	}
	const known = "torch.nn.utils.prune"
	for name, test := range map[string]struct {
		hooks checkpoint.Value
		want  bool
	}{
		"prune":              {dict(hook(known)), true},
		"two":                {dict(hook(known), hook(known)), true},
		"ordered":            {&checkpoint.Object{Class: checkpoint.Global{Module: "collections", Name: "OrderedDict"}, Map: dict(hook(known))}, true},
		"another":            {dict(hook("utils.hooks")), false},
		"one of two":         {dict(hook(known), hook("utils.hooks")), false},
		"a function":         {dict(checkpoint.Global{Module: known, Name: "remove"}), false},
		"none":               {dict(), false},
		"not a dict of them": {checkpoint.Str("x"), false},
	} {
		if got := pruneHooks(test.hooks); got != test.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

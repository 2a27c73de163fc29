package trained

import (
	"testing"

	"ysc2onnx/checkpoint"
)

// TestClassNames: names that a data set's YAML gives as numbers, yes or nothing are what detect.py prints of them, f"{name}".
func TestClassNames(t *testing.T) {
	attrs := &checkpoint.Dict{Entries: []checkpoint.Entry{{Key: checkpoint.Str("names"), Value: &checkpoint.Dict{Entries: []checkpoint.Entry{
		{Key: checkpoint.Int(0), Value: checkpoint.Int(1126)}, {Key: checkpoint.Int(1), Value: checkpoint.Boolean(true)},
		{Key: checkpoint.Int(2), Value: checkpoint.None{}}, {Key: checkpoint.Int(3), Value: checkpoint.Float(1.5)},
		{Key: checkpoint.Int(4), Value: checkpoint.Str("it's")},
	}}}}}
	m := &Model{root: &checkpoint.Module{Attrs: attrs}}
	if err := m.readNames(); err != nil {
		t.Fatal(err)
	}
	if got, want := m.ClassNames(), `{0: '1126', 1: 'True', 2: 'None', 3: '1.5', 4: "it's"}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

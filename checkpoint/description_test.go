package checkpoint_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"ysc2onnx/checkpoint"
)

// described opens a safetensors file of one tensor, model.0.w, with that description.
func described(t *testing.T, description string) (*checkpoint.Module, error) {
	t.Helper()
	tensors := mustModel(t, mustOpen(t, checkpointOf(tensor(storage("0", 1), 0, []int64{1}, []int64{1}), record{"x/data/0", make([]byte, 4)}))).StateDict()
	tensors[0].Name = "model.0.w"
	layout, err := checkpoint.PlanSafetensors(tensors, map[string]string{checkpoint.DescriptionKey: description})
	if err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	if err := layout.Write(context.Background(), &file, nil); err != nil {
		t.Fatal(err)
	}
	return mustOpen(t, file.Bytes()).Model()
}

// TestDescription gives modules what tensors do not say, those without tensors too.
func TestDescription(t *testing.T) {
	m, err := described(t, `{"yaml":"nc: 1","names":["a"],"modules":[{"class":"x.Y","attributes":{"eps":0.5,"f":[-1,2],"type":"z","other":1},`+
		`"paths":["model.0","model.1",""]}]}`)
	if err != nil {
		t.Fatal(err)
	}
	rows := m.Child("model")
	if rows == nil || len(rows.Children) != 2 {
		t.Fatalf("the rows are %+v", rows)
	}
	for _, x := range []*checkpoint.Module{m, rows.Child("0"), rows.Child("1")} {
		if x.Class != (checkpoint.Global{Module: "x", Name: "Y"}) {
			t.Errorf("%q is %s", x.Path, x.Class)
		}
		want := "{'eps': 0.5, 'f': [-1, 2], 'other': 1, 'type': 'z'"
		if x == m {
			want += ", 'yaml': 'nc: 1', 'names': ['a']"
		}
		if got := checkpoint.Repr(x.Attrs, 1000); got != want+"}" {
			t.Errorf("%q has %s, want %s}", x.Path, got, want)
		}
	}
}

// TestWrongDescriptions: what a description may not have. Its modules count against the limits as those of a pickle do.
func TestWrongDescriptions(t *testing.T) {
	var paths strings.Builder
	for i := range 100_000 {
		fmt.Fprintf(&paths, `,"%d"`, i)
	}
	for _, test := range []struct{ description, want string }{
		{`[`, `unexpected end of JSON input`},
		{`{"modules":[{"class":"x.Y","attributes":{"eps":true},"paths":[""]}]}`, `eps of x.Y: true is neither a number, nor a text, nor a list of numbers`},
		{`{"modules":[{"class":"x.Y","paths":["a..b"]}]}`, `in module "a" something is named ""; a name is not empty and has no dot`},
		{`{"modules":[{"class":"x.Y","paths":["` + strings.Repeat("a.", 300) + `b"]}]}`,
			`levels of modules inside each other: more than the limit of 200; no real checkpoint comes near it, so the file is refused`},
		{`{"modules":[{"class":"x.Y","paths":[` + paths.String()[1:] + `]}]}`,
			`modules and tensors of the model: more than the limit of 100000; no real checkpoint comes near it, so the file is refused`},
	} {
		if _, err := described(t, test.description); err == nil || err.Error() != `__metadata__ "ysc2onnx": `+test.want {
			t.Errorf(" got %v\nwant %s", err, test.want)
		}
	}
}

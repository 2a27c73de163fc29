package verify

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseLayers(t *testing.T) {
	got := parseLayers(`[[[-1],"Conv","/model.0/act/Mul_output_0"],[[-1,6],"Concat"],[[17,20,23],"Detect"]]`)
	want := []Layer{
		{From: []int{-1}, Module: "Conv", Value: "/model.0/act/Mul_output_0"}, {From: []int{-1, 6}, Module: "Concat"}, {From: []int{17, 20, 23}, Module: "Detect"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	for name, text := range map[string]string{
		"no JSON": `conv, bn`, "another form": `{"0": "Conv"}`, "no module": `[[[-1]]]`, "too many parts": `[[[-1],"Conv","a","b"]]`, "value no text": `[[[-1],"Conv",1]]`,
		"from no list": `[[-1,"Conv"]]`, "fraction": `[[[0.5],"Conv"]]`, "module no text": `[[[-1],1]]`,
		"an escape sequence": `[[[-1],"\u001b[31m"]]`, "empty": `[[[-1],""]]`, "a long name": `[[[-1],"` + strings.Repeat("A", 65) + `"]]`,
		"too many": "[" + strings.Repeat(`[[-1],"A"],`, maxLayers) + `[[-1],"A"]]`, "too long": strings.Repeat(" ", maxLayersText) + `[[[-1],"A"]]`,
	} {
		if got := parseLayers(text); got != nil {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func FuzzParseLayers(f *testing.F) {
	f.Add(`[[[-1],"Conv"],[[-1,6],"Concat"]]`)
	f.Add(`[[[1e3],"Conv","/model.0/act/Mul_output_0"]]`)
	f.Add(`[[null,"Conv"],[[],"nn.Upsample"]]`)
	f.Fuzz(func(t *testing.T, text string) {
		for _, l := range parseLayers(text) {
			if l.Module == "" || strings.ContainsFunc(l.Module, func(r rune) bool { return r <= ' ' || r > '~' }) {
				t.Errorf("%q", l.Module)
			}
		}
	})
}

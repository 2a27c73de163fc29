package variants

import (
	"slices"
	"strings"
	"testing"

	"ysc2onnx/modules"
)

// rows makes rows of words such as "Conv(64)<-1": module, arguments, sources. Without sources a row reads the one before it.
func rows(text string) []modules.SummaryRow {
	var list []modules.SummaryRow
	for i, word := range strings.Fields(text) {
		r := modules.SummaryRow{Index: i, N: 1, Sources: []int{i - 1}}
		word, sources, ok := strings.Cut(word, "<")
		if ok {
			r.Sources = nil
			for s := range strings.SplitSeq(sources, ",") {
				r.Sources = append(r.Sources, int(s[0]-'0'))
			}
		}
		r.Module, r.Arguments, _ = strings.Cut(word, "(")
		list = append(list, r)
	}
	return list
}

// TestMatch: each row is found again wherever it went, and what became of it is said.
func TestMatch(t *testing.T) {
	const model = "Conv(8 Conv(16 C3(16 SPPF(16 Concat(1<3,1 Detect(2<2,4"
	for _, test := range []struct{ name, other, want string }{
		{"equal", model, "same same same same same same"},
		{"inserted", "Conv(8 Conv(16 C3(16 ScConv(16 SPPF(16 Concat(1<4,1 Detect(2<2,5", "same same same inserted rewired same same"},
		{"left behind", "Conv(8 Conv(16 C3(16 ScConv(16 SPPF(16 Concat(1<3,1 Detect(2<2,5", "same same same inserted rewired rewired same"},
		{"replaced", "Conv(8 Conv(16 C3_ScConv(16 SPPF(16 Concat(1<3,1 Detect(2<2,4", "same same replaced same same same"},
		{"removed", "Conv(8 Conv(16 C3(16 Concat(1<2,1 Detect(2<2,3", "same same same removed rewired same"},
		{"arguments", "Conv(8 Conv(32 C3(16 SPPF(16 Concat(1<3,1 Detect(2<2,4", "same changed same same same same"},
		{"all others", "Focus", "replaced removed removed removed removed removed"},
		{"nothing", "", "removed removed removed removed removed removed"},
	} {
		changes, err := Match(rows(model), rows(test.other))
		if err != nil {
			t.Fatal(err)
		}
		var kinds []string
		for _, c := range changes {
			kinds = append(kinds, string(c.Kind))
		}
		if got := strings.Join(kinds, " "); got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
	changes, err := Match(rows(model), rows("Conv(8 Conv(16 C3(16 ScConv(16 SPPF(16 Concat(1<3,1 Detect(2<2,5"))
	if err != nil {
		t.Fatal(err)
	}
	if want := []int{4, 1}; !slices.Equal(changes[5].Reads, want) {
		t.Errorf("the Concat that was left behind would read %v, want %v", changes[5].Reads, want)
	}
	if _, err := Match(make([]modules.SummaryRow, 20_000), make([]modules.SummaryRow, 20_000)); err == nil {
		t.Error("20,000 rows are matched with as many others")
	}
}

package roles

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFormatAndParse(t *testing.T) {
	want := []Output{YOLOv5("output0", 80, 32), Of("output1", Prototypes), {Name: "rows", Axis: 1, Parts: []Part{{Image, 1}, {Corners, 4}, {Class, 1}, {Score, 1}}}}
	text := Format(want)
	const json = `[{"name":"output0","axis":2,"parts":[["boxes",4],["objectness",1],["scores",80],["masks",32]]},` +
		`{"name":"output1","axis":0,"parts":[["prototypes",0]]},{"name":"rows","axis":1,"parts":[["image",1],["corners",4],["class",1],["score",1]]}]`
	if text != json {
		t.Errorf("got  %s\nwant %s", text, json)
	}
	got, err := Parse(text)
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v %s", err, diff)
	}
	if from, to, ok := got[0].Columns(Scores); from != 5 || to != 85 || !ok {
		t.Errorf("the scores are %d to %d, %v", from, to, ok)
	}
	if _, _, ok := got[0].Columns(Corners); ok || got[0].Size() != 117 {
		t.Errorf("there are corners, or %d columns", got[0].Size())
	}
	if role, ok := got[1].Whole(); role != Prototypes || !ok {
		t.Errorf("the second output is %s, %v", role, ok)
	}
}

func TestWrongTexts(t *testing.T) {
	for text, want := range map[string]string{
		``:   "unexpected end of JSON input",
		`{}`: "cannot unmarshal object",
		`[{"name":"a","axis":9,"parts":[["raw",0]]}]`:                                           "1 parts along axis 9",
		`[{"name":"a","axis":1,"parts":[]}]`:                                                    "0 parts along axis 1",
		`[{"name":"a","axis":1,"parts":[["teeth",4]]}]`:                                         "expected a known role",
		`[{"name":"a","axis":1,"parts":[["boxes","4"]]}]`:                                       "expected a known role",
		`[{"name":"a","axis":1,"parts":[["boxes",4.5]]}]`:                                       "4.5 columns",
		`[{"name":"a","axis":1,"parts":[["boxes",-4]]}]`:                                        "-4 columns",
		`[{"name":"a","axis":1,"parts":[["boxes",4],["scores",0]]}]`:                            "0 columns of scores",
		`[{"name":"a","axis":1,"parts":[["raw",0]]},{"name":"a","axis":1,"parts":[["raw",0]]}]`: "two outputs are named a",
		`"` + strings.Repeat("x", maxText) + `"`:                                                "expected at most 1048576",
	} {
		if _, err := Parse(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.80s: %v, expected %q", text, err, want)
		}
	}
}

// FuzzParse: what is read can be written and read again.
func FuzzParse(f *testing.F) {
	f.Add(Format([]Output{YOLOv5("output0", 3, 0), Of("x", Raw)}))
	f.Fuzz(func(t *testing.T, text string) {
		outputs, err := Parse(text)
		if err != nil {
			return
		}
		again, err := Parse(Format(outputs))
		if diff := cmp.Diff(outputs, again); diff != "" || err != nil {
			t.Error(err, diff)
		}
	})
}

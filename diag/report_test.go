package diag

import (
	"encoding/json"
	"strings"
	"testing"
)

// reported has a warning with a fix and a note, an error without a place, and what would break a line.
func reported() *Diagnostics {
	ds := NewDiagnostics(NewSource("dir/a b.yaml", []byte("rows:\n  - [-1, 14]\n")))
	at := Span{Pos{2, 10}, Pos{2, 12}}
	d := ds.Warnf(StaleFrom, at, "reads 14, 100%%\nsure").AddNote(Span{Pos{1, 1}, Pos{1, 5}}, "defined here")
	d.Fix = &Fix{at, "15"}
	ds.Errorf(Span{}, "no head")
	return ds
}

// TestGitHub: the form of workflow commands, with what would end a message or a property escaped.
func TestGitHub(t *testing.T) {
	var b strings.Builder
	if err := reported().GitHub(&b); err != nil {
		t.Fatal(err)
	}
	const want = "::warning file=dir/a b.yaml,line=2,endLine=2,col=10,endColumn=12,title=stale-from::reads 14, 100%25%0Asure%0Adefined here (line 1)\n" +
		"::error file=dir/a b.yaml::no head\n"
	if b.String() != want {
		t.Errorf("got\n%swant\n%s", b.String(), want)
	}
}

// TestSARIF: results with place, rule and fix, as the standard names them.
func TestSARIF(t *testing.T) {
	var b strings.Builder
	if err := SARIF(&b, "1.0", []*Diagnostics{nil, reported()}); err != nil {
		t.Fatal(err)
	}
	var doc map[string]any
	if err := json.Unmarshal([]byte(b.String()), &doc); err != nil {
		t.Fatal(err)
	}
	at := func(path string) any {
		var v any = doc
		for key := range strings.SplitSeq(path, ".") {
			switch x := v.(type) {
			case map[string]any:
				v = x[key]
			case []any:
				if i := int(key[0] - '0'); i < len(x) {
					v = x[i]
				} else {
					return nil
				}
			}
		}
		return v
	}
	for path, want := range map[string]any{
		"version":                       "2.1.0",
		"runs.0.tool.driver.rules.0.id": "stale-from",
		"runs.0.results.0.ruleId":       "stale-from",
		"runs.0.results.0.level":        "warning",
		"runs.0.results.0.locations.0.physicalLocation.artifactLocation.uri":                  "dir/a%20b.yaml",
		"runs.0.results.0.locations.0.physicalLocation.region.startLine":                      2.0,
		"runs.0.results.0.locations.0.physicalLocation.region.endColumn":                      12.0,
		"runs.0.results.0.relatedLocations.0.message.text":                                    "defined here",
		"runs.0.results.0.fixes.0.artifactChanges.0.replacements.0.deletedRegion.startColumn": 10.0,
		"runs.0.results.0.fixes.0.artifactChanges.0.replacements.0.insertedContent.text":      "15",
		"runs.0.results.1.level":                               "error",
		"runs.0.results.1.locations.0.physicalLocation.region": nil,
		"runs.0.columnKind":                                    "unicodeCodePoints",
	} {
		if got := at(path); got != want {
			t.Errorf("%s is %v, want %v", path, got, want)
		}
	}
}

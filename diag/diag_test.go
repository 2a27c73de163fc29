package diag

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestCaret: the caret stands under its text in a terminal where a tab is printed as spaces and a Chinese character
// takes two cells, and a long line is cut around it.
func TestCaret(t *testing.T) {
	long := strings.Repeat("x, ", 100) + "wrong" + strings.Repeat(", x", 100)
	for _, c := range []struct{ name, line, text, want string }{
		{"plain", "a: wrong", "wrong", "f:1:4: error: m\n    1 | a: wrong\n      |    ^~~~~"},
		{"tab", "a:\twrong", "wrong", "f:1:4: error: m\n    1 | a:  wrong\n      |     ^~~~~"},
		{"wide", "a: [卷积, wrong]", "wrong", "f:1:9: error: m\n    1 | a: [卷积, wrong]\n      |           ^~~~~"},
		{"escape", "a: \x1b[2J wrong", "wrong", "f:1:9: error: m\n    1 | a: \ufffd[2J wrong\n      |         ^~~~~"},
		{"long", long, "wrong", "f:1:301: error: m\n    1 | ..." + strings.Repeat("x, ", 20) + "wrong" + strings.Repeat(", x", 31) + ", ...\n      |" +
			strings.Repeat(" ", 64) + "^~~~~"},
	} {
		src := NewSource("f", []byte(c.line))
		at := strings.Index(c.line, c.text)
		ds := NewDiagnostics(src)
		ds.Errorf(Span{src.Pos(at), src.Pos(at + len(c.text))}, "m")
		if got := ds.Error(); got != c.want {
			t.Errorf("%s: got\n%s\nwant\n%s", c.name, got, c.want)
		}
	}
}

func TestColor(t *testing.T) {
	src := NewSource("f", []byte("a: 1"))
	ds := NewDiagnostics(src)
	ds.Warnf("", Span{Pos{1, 4}, Pos{1, 5}}, "m")
	var b strings.Builder
	if err := ds.Format(&b, true); err != nil {
		t.Fatal(err)
	}
	if got, want := b.String(), "\x1b[1mf:1:4:\x1b[0m \x1b[1;35mwarning:\x1b[0m m\n    1 | a: 1\n      |    \x1b[1;32m^\x1b[0m\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestJSON(t *testing.T) {
	ds := NewDiagnostics(NewSource("f.yaml", []byte("a: 1\nb: 2\n")))
	ds.Errorf(Span{Pos{2, 1}, Pos{2, 2}}, "second").AddNote(Span{Pos{1, 1}, Pos{1, 2}}, "first")
	ds.Warnf("", Span{}, "whole")
	ds.Sort()
	got, err := json.Marshal(ds)
	if err != nil {
		t.Fatal(err)
	}
	const want = `[{"severity":"warning","file":"f.yaml","message":"whole"},` +
		`{"severity":"error","file":"f.yaml","line":2,"column":1,"endLine":2,"endColumn":2,"message":"second",` +
		`"notes":[{"file":"f.yaml","line":1,"column":1,"endLine":1,"endColumn":2,"message":"first"}]}]`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	var none *Diagnostics
	if got, err := json.Marshal(none); err != nil || string(got) != "null" {
		t.Errorf("nil: got %s, %v", got, err)
	}
}

func TestDiagnosticsAsError(t *testing.T) {
	ds := NewDiagnostics(NewSource("f", nil))
	ds.Warnf("", Span{}, "w")
	if err := ds.Err(); err != nil {
		t.Errorf("warnings alone: got error %v", err)
	}
	ds.PromoteWarnings()
	if err := ds.Err(); err == nil || err.Error() != "f: error: w" {
		t.Errorf("after PromoteWarnings: got %v", err)
	}
	if (*Diagnostics)(nil).Err() != nil {
		t.Error("nil Diagnostics are an error")
	}
}

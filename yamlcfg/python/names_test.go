package python

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestClassNames reads what Python's repr writes of dicts and lists.
func TestClassNames(t *testing.T) {
	for text, want := range map[string][]string{
		"{0: 'person', 1: 'bicycle'}":                    {"person", "bicycle"},
		"['person', 'bicycle']":                          {"person", "bicycle"},
		" {1 : \"driver's seat\" , 0: 'a\\'b\"c\\\\',} ": {`a'b"c\`, "driver's seat"},
		"{0: '行人', 2: '\\u81ea\\U0001f697\\xe9\\n'}":     {"行人", "1", "自🚗é\n"},
		"{}":                                  nil,
		"[]":                                  {},
		"('a',)":                              {"a"},
		"{0: 1126, 1: True, 2: None, 3: 1.5}": {"1126", "True", "None", "1.5"}, // print(*eval(text).values())
		"[1, 2]":                              {"1", "2"},
	} {
		got, err := ClassNames(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
}

func TestClassNamesRefuses(t *testing.T) {
	const neither = "the names of the classes are neither a dict of numbers to strings nor a list of strings: "
	for text, want := range map[string]string{
		"":                           neither + "not a Python literal",
		"person":                     neither + "not a Python literal",
		"5":                          neither + "not a Python literal",
		"{0: 'a'":                    neither + "not a Python literal",
		"{0 'a'}":                    neither + "not a Python literal",
		"{0: 'a' 1: 'b'}":            neither + "not a Python literal",
		"{0: cat}":                   neither + "the name of class 0 is not a string",
		"{3: [1]}":                   neither + "the name of class 3 is not a string",
		"['a', (2,)]":                neither + "the name of class 1 is not a string",
		"{-1: 'a'}":                  neither + "a key is not a number from 0 to 65535",
		"{65536: 'a'}":               neither + "a key is not a number from 0 to 65535",
		"{'a': 'b'}":                 neither + "a key is not a number from 0 to 65535",
		"{0: 'a'} x":                 "the names of the classes are followed by something else",
		strings.Repeat(" ", 1<<24+1): "the names of the classes take 16777217 bytes; at most 16777216 are read",
	} {
		if _, err := ClassNames(text); err == nil || err.Error() != want {
			t.Errorf("%.30q: the error is %v\nwant %s", text, err, want)
		}
	}
}

func FuzzClassNames(f *testing.F) {
	for _, seed := range []string{"{0: 'a', 1: \"b\"}", "['a', 'b']", "{65535: '\\u1234'}", "{0: '", "((((", "{0: ['a']}"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if names, err := ClassNames(text); err == nil && len(names) > maxNames {
			t.Errorf("%d names", len(names))
		}
	})
}

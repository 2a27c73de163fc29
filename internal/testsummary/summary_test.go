package main

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestSummary reads what go test -json -timeout 1s ./... printed, less times and stacks, of five packages: a with tests that
// pass, fail and skip, b that does not compile, c with a test that never ends, d that vet refuses, e without tests.
func TestSummary(t *testing.T) {
	events, err := os.Open("testdata/events.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = events.Close() }()
	var s summary
	var shown strings.Builder
	if err := s.read(events, &shown); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(`# try/b [try/b.test]
b/b_test.go:3:32: undefined: undefined
    a_test.go:4: y is wrong
--- FAIL: TestSub/y (0.00s)
--- FAIL: TestSub (0.00s)
FAIL
FAIL	try/a	0.005s
FAIL	try/b [build failed]
# try/d
# [try/d]
d/d.go:3:24: fmt.Printf format %d has arg "x" of wrong type string
FAIL	try/d [build failed]
?   	try/e	[no test files]
panic: test timed out after 1s
	running tests:
		TestSlow (1s)
FAIL	try/c	1.033s
`, shown.String()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	// TestSub itself is not counted, since it has subtests.
	const line = "3 passed, 2 failed, 2 skipped: 1 × platform: no such thing; 1 × z needs a thing"
	if got, err := s.result(false); got != line || err == nil || err.Error() != "failed: try/a, try/b, try/d, try/c" {
		t.Errorf("%s: %v", got, err)
	}
}

// TestVerdict: a skip is a failure in CI, unless it is the platform's; so are tests that were ended, and none at all.
func TestVerdict(t *testing.T) {
	const start = `{"Action":"run","Package":"p","Test":"T"}` + "\n"
	skip := func(why string) string {
		return start + `{"Action":"output","Package":"p","Test":"T","Output":"    p_test.go:7: ` + why + `\n"}` + "\n" +
			`{"Action":"skip","Package":"p","Test":"T"}` + "\n" + `{"Action":"pass","Package":"p"}` + "\n"
	}
	for _, test := range []struct {
		events string
		ci     bool
		line   string
		err    string
	}{
		{"", false, "0 passed, 0 failed, 0 skipped", "no package was tested"},
		{start, false, "0 passed, 1 failed, 0 skipped", "failed: p"},
		{skip("no x"), false, "0 passed, 0 failed, 1 skipped: 1 × no x", ""},
		{skip("no x"), true, "0 passed, 0 failed, 1 skipped: 1 × no x", "CI=true: 1 tests were skipped, for other reasons than the platform's"},
		{skip("platform: no x"), true, "0 passed, 0 failed, 1 skipped: 1 × platform: no x", ""},
	} {
		var s summary
		if err := s.read(strings.NewReader(test.events), &strings.Builder{}); err != nil {
			t.Fatal(err)
		}
		line, err := s.result(test.ci)
		says := ""
		if err != nil {
			says = err.Error()
		}
		if line != test.line || says != test.err {
			t.Errorf("CI %t: %s: %s", test.ci, line, says)
		}
	}
}

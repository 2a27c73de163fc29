package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// platform begins the reasons of skips that are right in CI, too: what is tested is not there on every system.
const platform = "platform: "

// event is a line of go test -json (go doc test2json).
type event struct {
	Action, Package, ImportPath, Test, Output string
}

// line is one of a package's output, and whose it is: a test's, or where that is empty the package's own.
type line struct{ test, text string }

// run is a package whose tests are running.
type run struct {
	lines []line
	state map[string]string // of the tests: "run", then "pass", "fail" or "skip"
}

// summary counts tests: those without subtests, and those that failed by themselves.
type summary struct {
	passed, failed, skipped int
	packages                int            // that ended
	broken                  []string       // packages that failed
	why                     map[string]int // the skips, by their reason

	running map[string]*run
	built   map[string][]string // what building a package printed
}

// read takes the events from r, and writes to w a line for each package and, of those that failed, all that belongs to it.
func (s *summary) read(r io.Reader, w io.Writer) error {
	s.why, s.running, s.built = map[string]int{}, map[string]*run{}, map[string][]string{}
	in := bufio.NewReader(r)
	for {
		text, err := in.ReadString('\n')
		if text != "" {
			var e event
			if json.Unmarshal([]byte(text), &e) != nil || e.Action == "" {
				_, _ = io.WriteString(w, text) // go's own words, before there are any events
			} else {
				s.take(e, w)
			}
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.running)) { // go test itself was ended
		s.endPackage(name, "fail", w)
	}
	return nil
}

func (s *summary) take(e event, w io.Writer) {
	switch e.Action {
	case "build-output":
		s.built[e.ImportPath] = append(s.built[e.ImportPath], e.Output)
		return
	case "build-fail":
		_, _ = io.WriteString(w, strings.Join(s.built[e.ImportPath], ""))
		s.built[e.ImportPath] = nil
		return
	}
	p := s.running[e.Package]
	if p == nil {
		p = &run{state: map[string]string{}}
		s.running[e.Package] = p
	}
	switch e.Action {
	case "output":
		p.lines = append(p.lines, line{e.Test, e.Output})
	case "run":
		p.state[e.Test] = e.Action
	case "pass", "fail", "skip":
		if e.Test == "" {
			s.endPackage(e.Package, e.Action, w)
			return
		}
		p.state[e.Test] = e.Action
		switch e.Action {
		case "skip":
			s.why[reason(p.outputOf(e.Test))]++
			fallthrough
		case "pass":
			p.lines = slices.DeleteFunc(p.lines, func(l line) bool { return l.test == e.Test })
		}
	}
}

// outputOf is what a test has printed.
func (p *run) outputOf(test string) string {
	var text strings.Builder
	for _, l := range p.lines {
		if l.test == test {
			text.WriteString(l.text)
		}
	}
	return text.String()
}

// endPackage counts a package's tests. A test that has not ended, as the package panicked or took too long, has failed.
func (s *summary) endPackage(name, action string, w io.Writer) {
	p := s.running[name]
	delete(s.running, name)
	s.packages++
	parents, failing := map[string]bool{}, map[string]bool{}
	for test, state := range p.state {
		for i, c := range test {
			if c == '/' {
				parents[test[:i]] = true
				failing[test[:i]] = failing[test[:i]] || state == "fail" || state == "run"
			}
		}
	}
	for test, state := range p.state {
		switch {
		case state == "skip":
			s.skipped++
		case state != "pass" && !failing[test]:
			s.failed++
		case state == "pass" && !parents[test]:
			s.passed++
		}
	}
	if action == "fail" {
		s.broken = append(s.broken, name)
	}
	for _, l := range p.lines {
		own := l.test == "" && l.text != "PASS\n"
		if own || action == "fail" && !strings.HasPrefix(l.text, "=== ") {
			_, _ = io.WriteString(w, l.text)
		}
	}
}

var place = regexp.MustCompile(`^\s+\S+\.go:\d+: `)

// reason is what a skipped test said last.
func reason(output string) string {
	said := ""
	for text := range strings.Lines(output) {
		text = strings.TrimSuffix(text, "\n")
		switch at := place.FindString(text); {
		case at != "":
			said = text[len(at):]
		case strings.HasPrefix(text, "=== ") || strings.HasPrefix(strings.TrimSpace(text), "--- "):
		case said != "":
			said += " " + strings.TrimSpace(text)
		}
	}
	if said == "" {
		said = "no reason given"
	}
	return said
}

// result is the line that counts the tests. The error says what makes the run a failure.
func (s *summary) result(ci bool) (string, error) {
	reasons := slices.Sorted(maps.Keys(s.why))
	slices.SortStableFunc(reasons, func(a, b string) int { return s.why[b] - s.why[a] })
	text, sep, missing := fmt.Sprintf("%d passed, %d failed, %d skipped", s.passed, s.failed, s.skipped), ":", 0
	for _, why := range reasons {
		text += fmt.Sprintf("%s %d × %s", sep, s.why[why], why)
		sep = ";"
		if !strings.HasPrefix(why, platform) {
			missing += s.why[why]
		}
	}
	switch {
	case len(s.broken) > 0:
		return text, fmt.Errorf("failed: %s", strings.Join(s.broken, ", "))
	case s.packages == 0:
		return text, errors.New("no package was tested")
	case ci && missing > 0:
		return text, fmt.Errorf("CI=true: %d tests were skipped, for other reasons than the platform's", missing)
	}
	return text, nil
}

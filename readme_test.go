package ysc2onnx_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var readmes = []string{"README.md", "README.zh-CN.md"}

// inStep are all pages that there are in two languages.
var inStep = [][]string{readmes, {"examples/deploy/README.md", "examples/deploy/README.zh-CN.md"}}

// block is a fenced block of a README: commands, or what the commands before it print.
type block struct {
	kind string // sh, text, go
	line int    // of the opening fence
	text string
}

func blocks(t *testing.T, file string) []block {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var list []block
	inside := false
	for i, line := range strings.SplitAfter(string(text), "\n") {
		kind, fence := strings.CutPrefix(strings.TrimSpace(line), "```")
		switch {
		case fence && inside:
			inside = false
		case fence:
			if !slices.Contains([]string{"sh", "text", "go"}, kind) {
				t.Errorf("%s:%d: a block of %q: write sh for commands, which are run, text for what they print, or go", file, i+1, kind)
			}
			list, inside = append(list, block{kind: kind, line: i + 1}), true
		case inside:
			list[len(list)-1].text += line
		}
	}
	if inside {
		t.Fatalf("%s: the last block is not closed", file)
	}
	return list
}

var comment = regexp.MustCompile(`(?m)(^|[ \t]+)#.*$`)

// TestReadmesAreInStep: both languages have the same commands, outputs and code; comments are translated.
func TestReadmesAreInStep(t *testing.T) {
	for _, pages := range inStep {
		english, chinese := blocks(t, pages[0]), blocks(t, pages[1])
		if len(english) != len(chinese) {
			t.Fatalf("%s has %d blocks, %s has %d", pages[0], len(english), pages[1], len(chinese))
		}
		for i, e := range english {
			c := chinese[i]
			if e.kind != c.kind || comment.ReplaceAllString(e.text, "") != comment.ReplaceAllString(c.text, "") {
				t.Errorf("%s:%d and %s:%d differ:\n%s\n%s", pages[0], e.line, pages[1], c.line, e.text, c.text)
			}
		}
	}
}

var link = regexp.MustCompile(`\]\(([^)#\s]+)[^)]*\)|(?:src|srcset|href)="([^"#]+)"`)

// TestLinks follows every link from one of our pages to a file.
func TestLinks(t *testing.T) {
	pages, err := filepath.Glob("docs/*.md")
	if err != nil || len(pages) == 0 {
		t.Fatal("found no pages in docs", err)
	}
	found := 0
	pages = append(pages, "CONTRIBUTING.md", "CHANGELOG.md")
	for _, page := range append(pages, slices.Concat(inStep...)...) {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range link.FindAllStringSubmatch(string(text), -1) {
			target := match[1] + match[2]
			if strings.Contains(target, "://") {
				continue
			}
			found++
			if _, err := os.Stat(filepath.Join(filepath.Dir(page), target)); err != nil {
				t.Errorf("%s: %v", page, err)
			}
		}
	}
	if found < 10 {
		t.Errorf("found only %d links", found)
	}
}

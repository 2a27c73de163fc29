package ysc2onnx_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"ysc2onnx/verify/ort/orttest"
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

// TestReadmeCommands runs every command of README.md, in a copy of the checkout in which nothing has been built, beside a
// trained best.pt, and holds what is printed to what README.md says. TestReadmesAreInStep makes that enough for the other language.
func TestReadmeCommands(t *testing.T) {
	orttest.Runtime(t)
	dir := t.TempDir()
	copyCheckout(t, dir)
	trained := "" // why there is no best.pt, or no bus.jpg
	for name, from := range map[string]string{"best.pt": "yolov5n-coco.pt", "bus.jpg": "bus.jpg"} {
		if data, err := os.ReadFile(filepath.Join("..", "shared", "data", from)); err != nil {
			trained = err.Error()
		} else if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	python, torch := pythonFolder(t)
	env := append(os.Environ(), "PATH="+python+string(os.PathListSeparator)+
		filepath.Join(dir, "bin")+string(os.PathListSeparator)+os.Getenv("PATH"), "NO_COLOR=1")
	printed, skipped := "", false
	for _, b := range setUpFirst(blocks(t, readmes[0])) {
		where := fmt.Sprintf("%s:%d", readmes[0], b.line)
		switch b.kind {
		case "sh":
			script := comment.ReplaceAllString(b.text, "")
			skipped = strings.Contains(script, "best.") && missing(t, where, trained) ||
				strings.Contains(script, "python3") && missing(t, where, torch)
			if skipped {
				continue
			}
			if strings.Contains(script, "make test\n") {
				t.Logf("%s: make test is what runs this test: here make only says what it would do", where)
				script = strings.ReplaceAll(script, "make test\n", "make -n test\n")
			}
			cmd := exec.Command("bash", "-euo", "pipefail", "-c", script)
			cmd.Dir, cmd.Env = dir, env
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%s: %v\n%s\nprinted\n%s", where, err, script, out)
			}
			printed = string(out)
		case "go":
			source := "package readme\n\nimport (\n\"context\"\n\"os\"\n\n\"ysc2onnx\"\n)\n\nvar _ = export\n\n" + b.text
			folder := filepath.Join(dir, "readme")
			if err := errors.Join(os.Mkdir(folder, 0o755), os.WriteFile(filepath.Join(folder, "readme.go"), []byte(source), 0o644)); err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command("go", "vet", "./readme")
			cmd.Dir = dir
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%s: %v\n%s", where, err, out)
			}
		case "text":
			if line := firstMissing(printed, b.text); line != "" && !skipped {
				t.Errorf("%s: not printed: %s\nprinted was\n%s", where, line, printed)
			}
		}
	}
}

// setUpFirst puts the commands that build the program before those that the page shows above them.
func setUpFirst(list []block) []block {
	i := slices.IndexFunc(list, func(b block) bool { return strings.HasPrefix(b.text, "make ") })
	return slices.Concat(list[i:i+1], list[:i], list[i+1:])
}

// varying is what differs between machines and runs: durations, errors in the last digits and where they are
// largest, the version of a library.
var varying = regexp.MustCompile(`\d+(\.\d+)? m?s\b|\d\.\de-\d\d|(ONNX Runtime|PyTorch) \d[\w.]*|at model\.\d+|` +
	`at layer \d+ \(\w+\)(, output0 (boxes|scores))?|\(read \d+, letterbox \d+, run \d+, nms \d+\)`)

// firstMissing is the first line that is claimed and was not printed, in this order; "…" stands for lines left out.
func firstMissing(printed, claimed string) string {
	plain := func(line string) string {
		return strings.Join(strings.Fields(varying.ReplaceAllString(line, "#")), " ")
	}
	lines := strings.Split(printed, "\n")
	for claim := range strings.Lines(claimed) {
		if claim = plain(claim); claim == "" || claim == "…" {
			continue
		}
		at := slices.IndexFunc(lines, func(line string) bool { return plain(line) == claim })
		if at < 0 {
			return claim
		}
		lines = lines[at+1:]
	}
	return ""
}

// copyCheckout copies what a fresh clone would have.
func copyCheckout(t *testing.T, to string) {
	t.Helper()
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case path == ".git" && !entry.IsDir(): // a worktree's
			return nil
		case path == ".git" || path == "bin" || entry.Name() == "node_modules":
			return fs.SkipDir
		case entry.IsDir():
			return os.MkdirAll(filepath.Join(to, path), 0o755)
		case !entry.Type().IsRegular() || strings.HasSuffix(path, ".onnx") && !strings.Contains(path, "testdata"):
			return nil
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, path), data, 0o644)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// pythonFolder is a folder whose python3 has what verify/parity.py needs: that of $PYTHON, the one on PATH, or the
// system's. problem says that there is none.
func pythonFolder(t *testing.T) (folder, problem string) {
	t.Helper()
	for _, name := range []string{os.Getenv("PYTHON"), "python3", "/usr/bin/python3"} {
		path, err := exec.LookPath(name)
		if err != nil || exec.Command(path, "-c", "import numpy, torch, yaml").Run() != nil {
			continue
		}
		dir := t.TempDir()
		script := fmt.Sprintf("#!/bin/sh\nexec '%s' \"$@\"\n", path)
		if err := os.WriteFile(filepath.Join(dir, "python3"), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
		return dir, ""
	}
	return "", "the comparison with PyTorch needs a python3 with numpy, torch and PyYAML"
}

// missing reports, in CI as a failure, that a block cannot be run for the given reason; an empty one is none.
func missing(t *testing.T, where, reason string) bool {
	t.Helper()
	switch {
	case reason == "":
		return false
	case os.Getenv("CI") == "true":
		t.Fatalf("%s: %s", where, reason)
	}
	t.Logf("*** SKIPPED: %s: %s ***", where, reason)
	return true
}

// TestAddingAModule compiles the module that docs/adding-a-module.md adds as an example.
func TestAddingAModule(t *testing.T) {
	page, err := os.ReadFile("docs/adding-a-module.md")
	if err != nil {
		t.Fatal(err)
	}
	code := regexp.MustCompile("(?s)\n```go\n(.*?\n)```\n").FindAllStringSubmatch(string(page), -1)
	list, err := os.ReadFile("modules/builtin.go")
	if err != nil || len(code) != 2 {
		t.Fatalf("found %d blocks of code, want the file and the line (%v)", len(code), err)
	}
	const begins = "var builtin = []Spec{\n"
	longer := strings.Replace(string(list), begins, begins+code[1][1], 1)
	dir, replace := t.TempDir(), map[string]string{}
	for name, text := range map[string]string{"ghostconv.go": code[0][1], "builtin.go": longer} {
		target, err := filepath.Abs(filepath.Join("modules", name))
		if err != nil {
			t.Fatal(err)
		}
		replace[target] = filepath.Join(dir, name)
		if err := os.WriteFile(replace[target], []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(path, overlay, 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("go", "vet", "-overlay", path, "./modules").CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	if out, err := exec.Command("gofmt", "-l", dir).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("gofmt would change %s (%v)", out, err)
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

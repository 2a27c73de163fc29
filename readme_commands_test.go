//go:build readme

package ysc2onnx_test

import (
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

// TestReadmeCommands runs every command of README.md, in a copy of the checkout in which nothing has been built, beside a
// trained best.pt, and compares what is printed with what README.md says. TestReadmesAreInStep makes that enough for the other language.
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
				t.Logf("%s: make test takes minutes and runs by itself: here make only says what it would do", where)
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

// missing reports, as a skip and in CI as a failure, that a block cannot be run for the given reason; an empty one is none.
func missing(t *testing.T, where, reason string) bool {
	t.Helper()
	if reason == "" {
		return false
	}
	t.Run(where, func(t *testing.T) { orttest.Missing(t, "%s", reason) })
	return true
}

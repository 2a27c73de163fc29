package ysc2onnx_test

import (
	"bytes"
	"cmp"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// base are the rooms that know nothing of models and import nothing but each other: every room may import them.
var base = []string{"diag", "internal/npz", "internal/page", "internal/protofile", "internal/replace", "internal/units", "internal/version", "yamlcfg/python"}

// imports are the rooms that a room may import beside base, as docs/architecture.md draws them. Tests may import any.
var imports = map[string][]string{
	"diag":               {},
	"internal/npz":       {},
	"internal/page":      {},
	"internal/protofile": {},
	"internal/replace":   {},
	"internal/units":     {},
	"internal/version":   {},
	"yamlcfg/python":     {},

	"yamlcfg":      {},
	"yamlcfg/edit": {"yamlcfg"},
	"checkpoint":   {},
	"weights":      {},

	"onnxbuild":           {},
	"onnxbuild/passes":    {"onnxbuild"},
	"onnxbuild/onnxfile":  {"onnxbuild"},
	"onnxbuild/reference": {"onnxbuild"},

	"heads/roles":        {},
	"modules":            {"heads/roles", "onnxbuild", "weights", "yamlcfg"},
	"modules/definition": {"modules", "onnxbuild", "yamlcfg"},
	"heads":              {"heads/roles", "modules", "onnxbuild"},

	"verify/engine": {},
	"verify":        {"heads/roles", "verify/engine"},
	"verify/ort":    {"verify", "verify/engine"},
	"verify/report": {"verify", "verify/engine"},

	"detect/internal/jpeg": {},
	"detect":               {"detect/internal/jpeg", "heads/roles", "verify", "verify/engine"},
	"detect/overlay":       {"detect"},
	"inspect":              {"checkpoint", "verify", "verify/engine"},

	"internal/trained":   {"checkpoint", "modules", "onnxbuild", "weights", "yamlcfg"},
	"internal/pipeline":  {"heads", "heads/roles", "internal/trained", "modules", "modules/definition", "onnxbuild", "onnxbuild/passes", "verify", "yamlcfg"},
	"internal/selfcheck": {"internal/pipeline", "modules", "onnxbuild", "onnxbuild/onnxfile", "onnxbuild/reference", "verify", "verify/engine"},
	"internal/variants":  {"modules", "verify", "verify/engine"},
	"internal/drawing":   {"modules"},
	"internal/foreign":   {"internal/pipeline", "internal/selfcheck", "modules", "onnxbuild/onnxfile", "verify", "verify/engine"},
	"": { // the public API
		"checkpoint", "internal/foreign", "internal/pipeline", "internal/selfcheck", "internal/trained", "modules", "onnxbuild",
		"onnxbuild/onnxfile", "verify", "verify/engine",
	},
}

// programs are the folders of what stands above all rooms: programs and what helps tests. Only their like may import them.
var programs = []string{"bench", "cmd", "examples", "internal/moduledoc", "internal/testsummary", "verify/internal/tiny", "verify/ort/orttest", "verify/peers"}

// TestImportsRunOneWay fails where a file imports a room that stands above its own. It reads the files of every system
// and build tag, as go list would not.
func TestImportsRunOneWay(t *testing.T) {
	used := map[[2]string]bool{}
	for _, file := range goFiles(t) {
		room := strings.TrimPrefix(path.Dir(filepath.ToSlash(file)), ".")
		if isProgram(room) || strings.HasSuffix(file, "_test.go") {
			continue
		}
		if _, listed := imports[room]; !listed {
			t.Errorf("%s: the room %q is not in the table of this test; add it there and to docs/architecture.md", file, room)
			continue
		}
		source, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, spec := range source.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			to, ours := strings.CutPrefix(imported, "ysc2onnx")
			if !ours {
				continue
			}
			to = strings.TrimPrefix(to, "/")
			used[[2]string{room, to}] = true
			if !slices.Contains(base, to) && !slices.Contains(imports[room], to) {
				t.Errorf("%s imports %q: by docs/architecture.md and the table of this test, the room %q may import %q and %q only",
					file, imported, room, imports[room], base)
			}
		}
	}
	for room, list := range imports {
		for _, to := range list {
			if !used[[2]string{room, to}] {
				t.Errorf("the room %q does not import %q any more: take it out of the table of this test", room, to)
			}
		}
	}
}

// TestArchitectureNamesEveryRoom fails where docs/architecture.md lacks a room, or a program or helper, and where its table has
// a room that is no longer there.
func TestArchitectureNamesEveryRoom(t *testing.T) {
	doc, err := os.ReadFile(filepath.Join("docs", "architecture.md"))
	if err != nil {
		t.Fatal(err)
	}
	var rows []string
	for line := range strings.Lines(string(doc)) {
		for cell := range strings.SplitSeq(strings.SplitN(line+" | ", " | ", 2)[0], ", ") {
			if name, ok := strings.CutPrefix(cell, "| `"); ok {
				rows = append(rows, name[:strings.IndexByte(name, '`')])
			}
		}
	}
	for room := range imports {
		if !slices.Contains(rows, cmp.Or(room, "ysc2onnx")) {
			t.Errorf("docs/architecture.md has no row for the room %q", room)
		}
	}
	for _, program := range programs {
		if !bytes.Contains(doc, []byte("`"+program+"`")) && !bytes.Contains(doc, []byte("`"+program+"/")) {
			t.Errorf("docs/architecture.md does not name %s", program)
		}
	}
	for _, row := range rows {
		if info, err := os.Stat(strings.TrimPrefix(row, "ysc2onnx")); row != "ysc2onnx" && (err != nil || !info.IsDir()) && !strings.ContainsAny(row, "*.") {
			t.Errorf("docs/architecture.md has a row for %q, which is no folder", row)
		}
	}
}

// TestImportsHaveNoCircle checks the table itself: following it leads down and never round.
func TestImportsHaveNoCircle(t *testing.T) {
	done := map[string]bool{}
	var follow func(room string, above []string)
	follow = func(room string, above []string) {
		if slices.Contains(above, room) {
			t.Fatalf("the rooms import each other in a circle: %q", append(above, room))
		}
		if done[room] {
			return
		}
		for _, to := range imports[room] {
			if isProgram(to) {
				t.Errorf("the table lets the room %q import the program %q", room, to)
			}
			follow(to, append(above, room))
		}
		done[room] = true
	}
	for room := range imports {
		follow(room, nil)
	}
}

// TestFilesAreShort counts lines: a file of more than 450 is two rooms.
func TestFilesAreShort(t *testing.T) {
	for _, file := range goFiles(t) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if n := bytes.Count(text, []byte("\n")); n > 450 {
			t.Errorf("%s has %d lines, more than 450: split it by purpose", file, n)
		}
	}
}

// goFiles are the Go files of this folder and those below, of every module, system and build tag.
func goFiles(t *testing.T) (files []string) {
	t.Helper()
	err := filepath.WalkDir(".", func(file string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == "testdata" || entry.Name() == "node_modules" || file != "." && strings.HasPrefix(entry.Name(), ".")):
			return fs.SkipDir
		case !entry.IsDir() && filepath.Ext(file) == ".go":
			files = append(files, file)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 100 {
		t.Fatalf("found %d Go files only", len(files))
	}
	return files
}

func isProgram(room string) bool {
	return slices.ContainsFunc(programs, func(p string) bool { return room == p || strings.HasPrefix(room, p+"/") })
}

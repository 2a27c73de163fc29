// Command moduledoc writes docs/modules.md from the registry of modules and from the recorded cases:
//
//	go run ./internal/moduledoc MODULES-FOLDER OUTPUT
package main

import (
	"archive/zip"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"

	"ysc2onnx/modules"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: moduledoc MODULES-FOLDER OUTPUT")
		os.Exit(2)
	}
	text, err := page(os.Args[1])
	if err == nil {
		err = os.WriteFile(os.Args[2], []byte(text), 0o644)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "moduledoc:", err)
		os.Exit(1)
	}
}

// recorded is what the documentation takes of one file of testdata/oracle/cases.
type recorded struct {
	Module string            `json:"module"`
	Args   []json.RawMessage `json:"args"`
	N      int               `json:"n"`
	C1     json.RawMessage   `json:"c1"`
	Tells  string            `json:"tells"`

	name    string
	tensors []string // by their state_dict names
}

// wirings say what the parser hands to a constructor, by the name of the function.
var wirings = map[string]string{
	"Scaled":           "`(c1, c2, …)`, c2 scaled by the width",
	"Repeats":          "`(c1, c2, n, …)`, c2 scaled by the width",
	"RepeatsAsTrained": "`(c1, c2, n, …)`, c2 scaled by the width; or n of `(c1, c2, …)`, as a checkpoint or `--c3-scconv` says",
	"ScaledOrKeeps":    "`(c1, c2, …)`, c2 scaled by the width; `(c1)` where the row has no arguments",
	"Keeps":            "the row's arguments; the channels stay",
	"Sums":             "the row's arguments; the channels of the inputs add up",
	"Ends":             "the row's arguments, then the channels of the inputs",
	"Attends":          "`(c1, c2, …)`, c2 scaled by the width or as it stands; `(c1)` where the row has no arguments; the channels stay",
	"attendsOrKeeps":   "`(c1, c2, …)`, as the attention modules, or the row's arguments; the channels stay",
	"largestInput":     "the row's arguments; as many channels as the input with the most",
}

// page is the whole document.
func page(folder string) (string, error) {
	cases, err := readCases(filepath.Join(folder, "testdata", "oracle", "cases"))
	if err != nil {
		return "", err
	}
	var text strings.Builder
	text.WriteString(`# Modules

<!-- Written by go generate ./modules (internal/moduledoc). Change the Spec in the module's file, not this page. -->

What a row of a YAML can name. The first line of each module says what it is and, after the colon, which arguments it takes,
named as in PyTorch's class, with their defaults. The row is that of a recorded case, whose channels are few. The state is what a
checkpoint holds of the case's module. The cases are files of values that PyTorch computed, in modules/testdata/oracle/cases.
A module that is missing here can be [added](adding-a-module.md).

`)
	specs := modules.Builtin().Specs()
	slices.SortFunc(specs, func(a, b *modules.Spec) int {
		return cmp.Or(strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)), strings.Compare(a.Name, b.Name))
	})
	seen, links := map[string]int{}, []string{}
	for _, s := range specs {
		link := anchor(s.Name)
		if seen[link]++; seen[link] > 1 { // as GitHub numbers headings that differ in case only
			link = fmt.Sprintf("%s-%d", link, seen[link]-1)
		}
		links = append(links, fmt.Sprintf("[%s](#%s)", s.Name, link))
	}
	text.WriteString(strings.Join(links, " · ") + "\n")
	for _, s := range specs {
		writeModule(&text, s, cases[s.Name])
	}
	return text.String(), nil
}

// anchor is the name of a heading as GitHub links it.
func anchor(name string) string { return strings.ReplaceAll(strings.ToLower(name), ".", "") }

func writeModule(text *strings.Builder, s *modules.Spec, cases []*recorded) {
	fmt.Fprintf(text, "\n## %s\n\n%s\n\n", s.Name, upper(s.Doc))
	item := func(title, format string, args ...any) {
		fmt.Fprintf(text, "- %s: %s\n", title, fmt.Sprintf(format, args...))
	}
	if row := example(s, cases); row != "" {
		item("Row", "`%s`", row)
	}
	if len(s.Aliases) > 0 {
		item("Also", "`%s`", strings.Join(s.Aliases, "`, `"))
	}
	item("Class", "`%s`", s.Class.Path)
	item("Wiring", "%s", wiringText(s))
	for _, f := range s.Class.Flavours {
		item("Flavour", "**%s**, %s%s", f.Name, f.Doc, keysText(f.Keys))
	}
	if len(cases) > 0 {
		item("State", "%s", tensorsText(cases[0].tensors))
	}
	item("Source", "%s", s.Origin())
	var names []string
	for _, c := range cases {
		names = append(names, "`"+c.name+"`")
	}
	if len(names) > 0 {
		item("Cases", "%s", strings.Join(names, ", "))
	}
}

// example is the row of the spec, or that of its first case.
func example(s *modules.Spec, cases []*recorded) string {
	if s.Row != "" || len(cases) == 0 {
		return s.Row
	}
	c := cases[0]
	for _, other := range cases {
		if c.Args == nil && other.Args != nil { // no row wires the first
			c = other
		}
	}
	from := "-1"
	var channels []int
	if json.Unmarshal(c.C1, &channels) == nil {
		reads := []string{"-1", "6", "4", "2", "1"}
		from = "[" + strings.Join(reads[:min(len(channels), len(reads))], ", ") + "]"
	}
	args := make([]string, len(c.Args))
	for i, a := range c.Args {
		args[i] = strings.NewReplacer("null", "None", "true", "True", "false", "False", `"`, "").Replace(string(a))
	}
	return fmt.Sprintf("[%s, %d, %s, [%s]]", from, max(c.N, 1), c.Module, strings.Join(args, ", "))
}

func wiringText(s *modules.Spec) string {
	name := runtime.FuncForPC(reflect.ValueOf(s.Wiring).Pointer()).Name()
	if known := wirings[name[strings.LastIndexByte(name, '.')+1:]]; known != "" {
		return known
	}
	return "its own"
}

func keysText(keys map[string]int) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(keys)) {
		parts = append(parts, fmt.Sprintf("%#q of rank %d", name, keys[name]))
	}
	if len(parts) == 0 {
		return ""
	}
	return "; shown by " + strings.Join(parts, ", ")
}

// tensorsText lists tensors, those of one child together.
func tensorsText(names []string) string {
	var order []string
	count := map[string]int{}
	for _, name := range names {
		first, rest, inner := strings.Cut(name, ".")
		key := name
		if inner && strings.Contains(rest, ".") {
			key = first + ".…"
		} else if inner {
			key = first + ".*"
		}
		if count[key] == 0 {
			order = append(order, key)
		}
		count[key]++
	}
	if len(order) == 0 {
		return "none"
	}
	return "`" + strings.Join(order, "`, `") + "`"
}

func upper(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// readCases reads all cases, by module, in the order of their names, the shortest first.
func readCases(folder string) (map[string][]*recorded, error) {
	files, err := filepath.Glob(filepath.Join(folder, "*.npz"))
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("there are no cases in %s", folder)
	}
	slices.SortFunc(files, func(a, b string) int { return cmp.Or(len(a)-len(b), strings.Compare(a, b)) })
	cases := map[string][]*recorded{}
	for _, file := range files {
		c, err := readCase(file)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		cases[c.Module] = append(cases[c.Module], c)
	}
	return cases, nil
}

func readCase(file string) (*recorded, error) {
	z, err := zip.OpenReader(file)
	if err != nil {
		return nil, err
	}
	defer func() { _ = z.Close() }()
	c := &recorded{name: strings.TrimSuffix(filepath.Base(file), ".npz")}
	for _, f := range z.File {
		if name, ok := strings.CutPrefix(f.Name, "p."); ok {
			c.tensors = append(c.tensors, strings.TrimSuffix(name, ".npy"))
		}
	}
	f, err := z.Open("meta.npy")
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(f)
	if err != nil {
		return nil, err
	}
	const magic = 10 // NumPy's signature, the version and the header's length
	if len(data) < magic || len(data) < magic+int(binary.LittleEndian.Uint16(data[8:])) {
		return nil, fmt.Errorf("meta is cut off")
	}
	var meta strings.Builder // UTF-32
	for data = data[magic+binary.LittleEndian.Uint16(data[8:]):]; len(data) >= 4; data = data[4:] {
		meta.WriteRune(rune(binary.LittleEndian.Uint32(data)))
	}
	return c, json.Unmarshal([]byte(meta.String()), c)
}

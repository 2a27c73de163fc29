package ysc2onnx_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ysc2onnx/onnxbuild"
)

var update = flag.Bool("update", false, "write the table of faults in docs/verification.md anew")

// The table of faults stands between these lines of docs/verification.md.
const (
	tableBegins = "<!-- Made by go test . -run FaultsInDocs -update -->\n"
	tableEnds   = "<!-- end -->\n"
)

// TestFaultsInDocs: the documentation lists the faults that the tests plant, no more and no fewer.
func TestFaultsInDocs(t *testing.T) {
	path := filepath.Join("docs", "verification.md")
	page := string(read(t, path))
	before, rest, begins := strings.Cut(page, tableBegins)
	_, after, ends := strings.Cut(rest, tableEnds)
	if !begins || !ends {
		t.Fatalf("%s has no place for the table of faults", path)
	}
	want := before + tableBegins + faultTables() + tableEnds + after
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(want, page); diff != "" && !*update {
		t.Errorf("%s is not what -update makes of it (-want +got)\n%s", path, diff)
	}
}

// TestFaults: there are enough of them, each is planted in one place, and no two are the same.
func TestFaults(t *testing.T) {
	seen := map[string]bool{}
	for _, f := range faults() {
		key := f.what + f.model + f.planted()
		if seen[key] {
			t.Errorf("%s is there twice", f.what)
		}
		seen[key] = true
		plants := 0
		for _, there := range []bool{f.rows != nil, f.lowering != nil, f.wrong != nil, f.form != nil, f.file != nil} {
			if there {
				plants++
			}
		}
		if plants != 1 || (f.pass != "") != (f.wrong != nil) || f.caught == "" || f.names == "" {
			t.Errorf("%s: %d plants, caught by %q, named %q", f.what, plants, f.caught, f.names)
		}
	}
	if len(seen) < 25 {
		t.Errorf("only %d faults", len(seen))
	}
}

// faultTables are a table for each check.
func faultTables() string {
	var out strings.Builder
	for _, check := range []struct{ name, title string }{
		{structure, "Caught by the check of the structure"}, {weights, "Caught by the check of the weights"},
		{numbers, "Caught by the check of the numbers"}, {against, "Caught by `--against`"}, {refused, "Refused, so that there is no file"},
	} {
		fmt.Fprintf(&out, "\n### %s\n\n| fault | planted in | model | named |\n|---|---|---|---|\n", check.title)
		for _, f := range faults() {
			if f.caught == check.name {
				fmt.Fprintf(&out, "| %s | %s | %s | %s |\n", f.what, f.planted(), f.model, strings.Trim(f.names, `:" `))
			}
		}
	}
	out.WriteString("\n")
	return out.String()
}

// planted says where a fault is.
func (f *fault) planted() string {
	where := ""
	switch {
	case f.rows != nil:
		return "the YAML"
	case f.lowering != nil:
		return "lowering"
	case f.pass != "":
		return "pass `" + f.pass + "`"
	case f.form != nil:
		opset := f.opset
		if opset == 0 {
			opset = onnxbuild.DefaultOpset
		}
		where = fmt.Sprintf("form at opset %d", opset)
	case f.file != nil:
		where = "file"
	}
	if f.raw {
		where += ", unfused"
	}
	if f.split {
		where += ", with a data file"
	}
	return where
}

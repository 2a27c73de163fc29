package verify

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// unsound is what is wrong with the files of testdata/files that are not right; testdata/make_files.py made them so.
var unsound = map[string]string{
	"bad_domain":             `node 0 (Conv ""): no opset is imported for domain "my.lib"`,
	"bad_external_outside":   `external data "../../etc/passwd" is not the plain name of a file beside the model, or in a folder there`,
	"bad_function_order":     `function "my.lib.Silu": node 0 (Mul ""): input 1, "s", is no graph input, initializer or output of an earlier node`,
	"bad_function_output":    `function "my.lib.F": output "b" is made by no node`,
	"bad_function_recursive": `function "my.lib.Loopy" calls itself, or functions call each other more than 64 deep`,
	"bad_function_twice":     `function "my.lib.Silu" is defined twice`,
	"bad_init_twice":         `initializer "w" is given twice`,
	"bad_input_type":         `graph input "x": element type 77 is not known`,
	"bad_no_ir":              `the file has no IR version`,
	"bad_no_opset":           `no opset is imported for ONNX's own operators`,
	"bad_no_output":          `the graph has no outputs`,
	"bad_opset_twice":        `opset of domain "" is imported twice, as 13 and 12`,
	"bad_order":              `node 0 (Relu ""): input 0, "y", is no graph input, initializer or output of an earlier node`,
	"bad_output":             `graph output "nowhere" is made by no node`,
	"bad_size":               `initializer "w": has 432 bytes, but float32 5x3x3x3 takes 540`,
	"bad_sparse_indices":     `sparse initializer "w": has indices int64 [4], int64 [2] or [2, 2] is needed`,
	"bad_subgraph":           `node 0 (Neg ""): input 0, "later", is no graph input, initializer or output of an earlier node`,
	"bad_twice":              `node 1 (Relu ""): the name "y" is already taken by another value`,
	"bad_type":               `initializer "w": element type 77 is not known`,
	"bad_wrong_field":        `initializer "w": its values are in field 7 of the tensor, those of float32 belong into 4`,
}

// TestStructureOfFiles reads files of many kinds, most of which this project never writes.
func TestStructureOfFiles(t *testing.T) {
	paths, err := filepath.Glob("testdata/files/*.onnx")
	if err != nil || len(paths) < 90 {
		t.Fatalf("%d files, %v", len(paths), err)
	}
	for _, path := range paths {
		name := strings.TrimSuffix(filepath.Base(path), ".onnx")
		t.Run(name, func(t *testing.T) {
			facts, err := Structure(t.Context(), path)
			if err != nil {
				t.Fatal(err)
			}
			var want []string
			if strings.HasPrefix(name, "bad_") {
				want = []string{unsound[name]}
			}
			if diff := cmp.Diff(want, facts.Problems); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

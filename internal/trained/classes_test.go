package trained

import (
	"iter"
	"os"
	"slices"
	"strings"
	"testing"

	"ysc2onnx/checkpoint"
	"ysc2onnx/heads"
	"ysc2onnx/modules"
	"ysc2onnx/onnxbuild"
	"ysc2onnx/yamlcfg"
)

// alteredFiles are checkpoints of ../../testdata whose modules are changed: rows of many kinds, and every head.
var alteredFiles = []string{"changed.pt", "heads/face.pt", "heads/decoupled.pt", "heads/asff.pt", "heads/iaux.pt", "heads/classify.pt"}

// altered converts a checkpoint of ../../testdata, after change has altered what it has at the path.
func altered(t *testing.T, name, path string, change func(m *checkpoint.Module)) error {
	t.Helper()
	file, err := os.Open("../../testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil {
		t.Fatal(err)
	}
	m, err := Open(name, file, info.Size())
	if err != nil {
		t.Fatal(err)
	}
	m.Alone = true
	change(m.modules[path])
	m.index(m.root)
	text, err := m.YAML(false)
	if err != nil {
		return err
	}
	cfg, diags, carried := m.Override(yamlcfg.Parse("model.yaml", strings.NewReader(text)))
	rows := modules.ParseOptions{Registry: modules.Builtin(), Trained: m}
	net, found := modules.Parse(cfg, rows)
	m.CompareRows(net, carried, rows, diags)
	diags.Append(found)
	m.StartLowering()
	one, side := onnxbuild.D(1), onnxbuild.D(64)
	lowered, found := modules.Lower(t.Context(), net, modules.Options{
		Batch: one, Height: side, Width: side, Weights: m, Stage: heads.Decoded, Flavours: map[string]string{"SRU": "softmax"},
	})
	diags.Append(found)
	if err := m.Check(t.Context(), lowered, cfg, diags); err != nil {
		return err
	}
	return diags.Err()
}

// modulePaths lists the modules inside the rows of a checkpoint of ../../testdata, and the rows.
func modulePaths(t *testing.T, name string) []string {
	t.Helper()
	var paths []string
	if err := altered(t, name, "", func(m *checkpoint.Module) {
		var walk func(m *checkpoint.Module)
		walk = func(m *checkpoint.Module) {
			if strings.Count(m.Path, ".") > 0 && !strings.HasSuffix(m.Path, ".drop") { // a dropout calls nothing that it holds
				paths = append(paths, m.Path)
			}
			for _, c := range m.Children {
				walk(c.Module)
			}
		}
		walk(m)
	}); err != nil {
		t.Fatal(err)
	}
	if len(paths) < 20 || name == "changed.pt" && (!slices.Contains(paths, "model.2.SRU.gn") || !slices.Contains(paths, "model.4.m")) {
		t.Fatalf("found %d modules: %v", len(paths), paths)
	}
	return paths
}

// alteredModules are the modules of all alteredFiles, by the files' names.
func alteredModules(t *testing.T) iter.Seq2[string, string] {
	return func(yield func(name, path string) bool) {
		for _, name := range alteredFiles {
			for _, path := range modulePaths(t, name) {
				if !yield(name, path) {
					return
				}
			}
		}
	}
}

func global(path string) checkpoint.Global {
	i := strings.LastIndexByte(path, '.')
	return checkpoint.Global{Module: path[:i], Name: path[i+1:]}
}

// TestOtherClassesAreRefused makes each module of a checkpoint one of another class with the same tensors, gives it a child
// without weights, and gives it an attribute: each is refused by its path and its name.
func TestOtherClassesAreRefused(t *testing.T) {
	child := func(class string) func(*checkpoint.Module) {
		return func(m *checkpoint.Module) {
			m.Children = append(m.Children, checkpoint.Child{Name: "att", Module: &checkpoint.Module{Class: global(class), Path: m.Path + ".att", Attrs: &checkpoint.Dict{}}})
		}
	}
	for name, path := range alteredModules(t) {
		for _, c := range []struct {
			what, name string
			change     func(m *checkpoint.Module)
		}{
			{"another class", path, func(m *checkpoint.Module) { m.Class = global("models.common.Other") }},
			{"its own name, in torch.nn or out of it", path, func(m *checkpoint.Module) {
				if strings.HasPrefix(m.Class.Module, "torch.") {
					m.Class.Module = "models.common"
				} else {
					m.Class.Module = "torch.nn.modules.conv"
				}
			}},
			{"a child without weights", path + ".att", child("models.common.SimAM")},
			{"an activation as a child", path + ".att", child("torch.nn.modules.activation.ReLU")},
			{"an attribute", path, func(m *checkpoint.Module) {
				m.Attrs = checkpoint.NewDict(append(slices.Clone(m.Attrs.Entries), checkpoint.Entry{Key: checkpoint.Str("scale"), Value: checkpoint.Float(2)})...)
			}},
		} {
			err := altered(t, name, path, c.change)
			if err == nil || !strings.Contains(err.Error(), c.name) {
				t.Errorf("%s: %s, %s: %v", name, path, c.what, err)
			}
		}
	}
}

// TestIdleChildrenAreLetThrough gives each module children that do nothing in eval mode.
func TestIdleChildrenAreLetThrough(t *testing.T) {
	for name, path := range alteredModules(t) {
		for _, class := range []string{"torch.nn.modules.dropout.Dropout", "torch.nn.modules.dropout.Dropout2d", "torch.nn.modules.linear.Identity"} {
			err := altered(t, name, path, func(m *checkpoint.Module) {
				m.Children = append(m.Children, checkpoint.Child{Name: "drop", Module: &checkpoint.Module{Class: global(class), Path: m.Path + ".drop", Attrs: &checkpoint.Dict{}}})
			})
			if err != nil {
				t.Errorf("%s: %s with %s: %v", name, path, class, err)
			}
		}
	}
}

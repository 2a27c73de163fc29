package ysc2onnx

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ysc2onnx/modules"
	"ysc2onnx/yamlcfg"
	"ysc2onnx/yamlcfg/edit"
)

// stockModels are the YAMLs of YOLOv5's models in this project, by name.
func stockModels(t *testing.T) []string {
	t.Helper()
	stock, err := filepath.Glob("modules/testdata/stock/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	examples, err := filepath.Glob("examples/yolov5*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	paths := slices.Concat(stock, examples)
	if len(paths) < 28 {
		t.Fatalf("%d models, expected 28 and more", len(paths))
	}
	return paths
}

// readModel parses a YAML's text.
func readModel(t *testing.T, name string, text []byte) *yamlcfg.Model {
	t.Helper()
	m, diags := yamlcfg.Parse(name, bytes.NewReader(text))
	if err := diags.Err(); err != nil {
		t.Fatal(err)
	}
	return m
}

// rowsOf builds a model for a small image.
func rowsOf(t *testing.T, name string, text []byte) []modules.SummaryRow {
	t.Helper()
	s, _, err := Summarize(context.Background(), Input{Name: name, YAML: bytes.NewReader(text)}, Options{Height: 128, Width: 128})
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return s.Rows
}

// TestRandomEdits makes 200 random changes of YOLOv5's models that keep each map's size and channels: modules that let their input
// through are inserted, blocks removed that give what they get, and C3 replaced. The edited model builds, and each row that
// stays reads the same tensors and has the same parameters as before, under its new index.
func TestRandomEdits(t *testing.T) {
	t.Parallel()
	paths := stockModels(t)
	random := rand.New(rand.NewPCG(1, 2))
	for trial := range 200 {
		path := paths[random.IntN(len(paths))]
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		m, before := readModel(t, path, text), rowsOf(t, path, text)
		e := edit.New(m)
		replaced := map[string]string{}
		said := []string{path}
		want := tensors(m) // what each row reads, by the name of the row that made it
		for range 1 + random.IntN(3) {
			at := random.IntN(len(m.Rows) - 1)
			switch random.IntN(3) {
			case 0:
				said = append(said, fmt.Sprintf("insert before %d", at))
				err = e.Insert(edit.Insertion{Row: "nn.Identity, []", At: at, Behind: random.IntN(2) == 0})
			case 1:
				if len(want[at]) != 1 || want[at][0] < 0 || !slices.Equal(before[at].Shape, before[want[at][0]].Shape) || m.Rows[at].Detects() {
					continue
				}
				said = append(said, fmt.Sprintf("remove %d", at))
				if err = e.Remove(at); err == nil {
					for i := range want {
						for k, source := range want[i] {
							if source == at {
								want[i][k] = want[at][0]
							}
						}
					}
				} else if strings.Contains(err.Error(), "is removed") || strings.Contains(err.Error(), "twice") {
					err = nil // together with another change that was drawn
				}
			default:
				said = append(said, "replace C3")
				if e.Replace("C3", "C3_ScConv", nil) == nil {
					replaced["C3"] = "C3_ScConv"
				}
			}
			if err != nil && !strings.Contains(err.Error(), "nothing to put a row beside") {
				t.Fatalf("%s: %v", said, err)
			}
		}
		done, err := e.Apply()
		if err != nil {
			t.Fatalf("trial %d, %s: %v", trial, said, err)
		}
		after := rowsOf(t, path, done.Text)
		old := map[int]int{} // index before by index now
		for i, now := range done.Index {
			if now >= 0 {
				old[now] = i
			}
		}
		for i, now := range done.Index {
			if now < 0 {
				continue
			}
			var got []int
			for _, source := range done.Model.Rows[now].Sources() {
				for source >= 0 { // through what was inserted and lets its input through
					if _, ok := old[source]; ok {
						break
					}
					source = done.Model.Rows[source].Sources()[0]
				}
				if source >= 0 {
					source = old[source]
				}
				got = append(got, source)
			}
			if !slices.Equal(got, want[i]) {
				t.Fatalf("trial %d, %s: layer %d read the tensors of layers %v, and as layer %d those of %v\n%s", trial, said, i, want[i], now, got, done.Text)
			}
			if _, ok := replaced[m.Rows[i].Module]; ok {
				continue
			}
			if b, a := before[i], after[now]; b.Module != a.Module || b.Arguments != a.Arguments || b.Params != a.Params || !slices.Equal(b.Shape, a.Shape) {
				t.Fatalf("trial %d, %s: layer %d was %+v, and as layer %d it is %+v", trial, said, i, b, now, a)
			}
		}
		if folder := os.Getenv("EDITED"); folder != "" {
			if err := os.WriteFile(filepath.Join(folder, fmt.Sprintf("%03d.yaml", trial)), done.Text, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// tensors gives for each row the rows whose outputs it reads; -1 is the image.
func tensors(m *yamlcfg.Model) [][]int {
	list := make([][]int, len(m.Rows))
	for i, r := range m.Rows {
		list[i] = r.Sources()
	}
	return list
}

// TestAppendP2: with P2 appended, YOLOv5l is the hub's model of four outputs, whose parameters PyTorch counts.
func TestAppendP2(t *testing.T) {
	text, err := os.ReadFile("examples/yolov5l.yaml")
	if err != nil {
		t.Fatal(err)
	}
	e := edit.New(readModel(t, "yolov5l.yaml", text))
	if err := e.AppendP2(); err != nil {
		t.Fatal(err)
	}
	done, err := e.Apply()
	if err != nil {
		t.Fatal(err)
	}
	s, diags, err := Summarize(context.Background(), Input{Name: "p2", YAML: bytes.NewReader(done.Text)}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(diags.List) > 0 {
		t.Errorf("the edited model is warned about:\n%v", diags)
	}
	if s.Parameters != 47_493_372 || s.Layers != 428 {
		t.Errorf("%d parameters in %d layers, PyTorch counts 47,493,372 in 428 for the hub's model\n%s", s.Parameters, s.Layers, done.Text)
	}
	if want := []int{21, 24, 27, 30}; !slices.Equal(done.Model.Rows[31].From, want) {
		t.Errorf("Detect reads %v, want %v", done.Model.Rows[31].From, want)
	}
}

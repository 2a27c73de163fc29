package ysc2onnx_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ysc2onnx"
	"ysc2onnx/internal/pipeline"
	"ysc2onnx/onnxbuild"
	"ysc2onnx/onnxbuild/onnxfile"
	"ysc2onnx/onnxbuild/passes"
	"ysc2onnx/verify"
	"ysc2onnx/verify/engine"
	"ysc2onnx/verify/ort/orttest"
)

// fault is a deliberate mistake. It is planted into a right export, where a mistake in the code would act; a check has to
// catch it, and to name the place.
type fault struct {
	what   string // is wrong, for a reader
	model  string // that is exported, see subjectOf
	caught string // by which check
	names  string // what the check says: the layer, node or tensor where the fault is

	opset int  // 0: the default
	raw   bool // without passes
	split bool // tensors in a data file

	// Where the fault is planted, one of these.
	rows     func(yaml string) string           // the text of the YAML
	lowering func(s *surgery)                   // the graph as it is lowered
	pass     string                             // a pass, which is
	wrong    func(s *surgery, right func())     // done wrong
	form     func(t *testing.T, w *forming)     // the graph in the form of the opset
	file     func(t *testing.T, f *writtenFile) // the file on the disk
}

// The checks that catch faults. Those of an export, which is made without being asked for, have the names that
// verify.Report gives them.
const (
	refused   = "refused"   // the export ends with an error and writes no file
	structure = "structure" // checks of an export, made without being asked for
	weights   = "weights"
	numbers   = "numbers"
	against   = "--against" // the comparison with values that PyTorch recorded
)

// faults are all that are caught.
func faults() []fault { return slices.Concat(loweringFaults, passFaults, formFaults, fileFaults) }

// subject is a model to plant faults into, with the values that PyTorch recorded of it. Its layers pass their signals on at
// full strength, biases, statistics and gates matter, and its input is two images that are not square.
type subject struct {
	in        ysc2onnx.Input
	recording string
}

// subjectPath is a file of a model that the scripts beside it recorded: changed, or edge, insert, replace or c3.
func subjectPath(model, ending string) string {
	if model == "changed" {
		return filepath.Join("testdata", model+ending)
	}
	return filepath.Join("testdata", "faults", model+ending)
}

// subjectOf opens a model.
func subjectOf(t *testing.T, name string) subject {
	t.Helper()
	in := openCheckpoint(t, subjectPath(name, ".pt"))
	in.Name, in.YAML = name+".yaml", bytes.NewReader(read(t, subjectPath(name, ".yaml")))
	return subject{in, subjectPath(name, ".npz")}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func (s subject) reference(t *testing.T) *verify.NPZ {
	t.Helper()
	ref, err := verify.OpenNPZ(s.recording)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ref.Close() })
	return ref
}

// export is a model on its way into a file.
type export struct {
	subject
	opt     ysc2onnx.Options
	model   *pipeline.Model
	written *onnxbuild.Written
}

// exported goes the way of Convert, with the fault on it, at the size of the recording. f has no plant for a right export.
// An error is one of the exporter's.
func exported(t *testing.T, rt engine.Runtime, f *fault) (*export, error) {
	t.Helper()
	ctx := context.Background()
	e := &export{subject: subjectOf(t, f.model)}
	input, err := e.reference(t).Read("input")
	if err != nil {
		t.Fatal(err)
	}
	e.opt = ysc2onnx.Options{
		Batch: int(input.Shape[0]), Height: int(input.Shape[2]), Width: int(input.Shape[3]),
		Opset: f.opset, NoOptimize: f.raw, Runtime: rt, Output: filepath.Join(t.TempDir(), "model.onnx"),
	}
	if f.rows != nil {
		text := f.rows(string(read(t, subjectPath(f.model, ".yaml"))))
		e.in.YAML = strings.NewReader(text)
	}
	e.model, err = ysc2onnx.Lower(ctx, e.in, &e.opt, func(g *onnxbuild.Graph, opt *ysc2onnx.Options) (*onnxbuild.Written, error) {
		if err := f.optimise(t, g); err != nil {
			return nil, err
		}
		w, err := g.AtOpset(opt.Opset)
		if err == nil && f.form != nil {
			f.form(t, &forming{t, w})
		}
		return w, err
	})
	if err != nil {
		return nil, err
	}
	if f.lowering != nil {
		f.lowering(&surgery{t, e.model.Graph})
	}
	if e.written, err = e.model.Written(e.model.Model, e.model.Size); err != nil {
		return nil, err
	}
	var how onnxfile.FileOptions
	if f.split {
		how.ExternalThreshold = 1
	}
	info, err := onnxfile.WriteFile(ctx, e.opt.Output, e.written, how)
	if err != nil {
		return nil, err
	}
	if f.file != nil {
		facts, err := verify.Structure(ctx, e.opt.Output)
		if err != nil {
			t.Fatal(err)
		}
		f.file(t, &writtenFile{info.Path, info.DataPath, facts})
	}
	return e, nil
}

// optimise applies the passes, one of them wrongly if the fault is there.
func (f *fault) optimise(t *testing.T, g *onnxbuild.Graph) error {
	if f.raw {
		return nil
	}
	if f.pass == "" {
		return passes.Run(g)
	}
	found := false
	g.DropDead()
	for _, p := range passes.All() {
		var err error
		right := func() { err = p.Apply(g) }
		if p.Name == f.pass {
			found = true
			f.wrong(&surgery{t, g}, right)
		} else {
			right()
		}
		if err != nil {
			return err
		}
		g.DropDead()
	}
	if !found {
		t.Fatalf("there is no pass %s", f.pass)
	}
	return nil
}

// bytes are those of the file and of its data file.
func (e *export) bytes(t *testing.T) []byte {
	t.Helper()
	files, err := filepath.Glob(e.opt.Output + "*")
	if err != nil {
		t.Fatal(err)
	}
	var all []byte
	for _, path := range files {
		all = append(all, read(t, path)...)
	}
	return all
}

// check gives the first check that fails, with what it says; "" where none does. A lowering that is wrong is so for the
// reference interpreter of the export's checks as well: the recording alone is asked.
func (e *export) check(t *testing.T, f *fault) (check, says string) {
	t.Helper()
	if f.lowering == nil {
		rep, err := ysc2onnx.SelfCheck(context.Background(), e.model, e.written, &e.opt)
		if err != nil {
			return structure, err.Error()
		}
		if failed := rep.Failed(); len(failed) > 0 {
			return failed[0].Name, failed[0].Detail
		}
	}
	c, err := verify.Against(context.Background(), e.opt.Runtime, e.opt.Output, e.reference(t), verify.AgainstOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if !c.OK() {
		return against, c.Summary()
	}
	return "", c.Summary()
}

// TestEveryFaultIsCaught plants each fault, and demands that the file changes, and that the first check that fails is the one
// expected and names the place. Without a fault none may fail.
func TestEveryFaultIsCaught(t *testing.T) {
	t.Parallel()
	rt := orttest.Runtime(t)
	right := map[string][]byte{} // files without a fault
	for _, f := range faults() {
		t.Run(f.what, func(t *testing.T) {
			key := fmt.Sprint(f.model, f.opset, f.raw, f.split)
			if right[key] == nil {
				none := fault{model: f.model, opset: f.opset, raw: f.raw, split: f.split}
				e, err := exported(t, rt, &none)
				if err != nil {
					t.Fatal(err)
				}
				if check, says := e.check(t, &none); check != "" {
					t.Fatalf("without a fault, %s: %s", check, says)
				}
				right[key] = e.bytes(t)
			}
			e, err := exported(t, rt, &f)
			if err != nil {
				if f.caught != refused || !strings.Contains(err.Error(), f.names) {
					t.Errorf("expected %s to name %s, the export says: %v", f.caught, f.names, err)
				}
				return
			}
			if bytes.Equal(e.bytes(t), right[key]) {
				t.Fatal("the fault changes nothing")
			}
			if check, says := e.check(t, &f); check != f.caught || !strings.Contains(says, f.names) {
				t.Errorf("expected %s to name %s, got %q: %s", f.caught, f.names, check, says)
			}
		})
	}
}

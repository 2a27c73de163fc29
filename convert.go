package ysc2onnx

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"ysc2onnx/diag"
	"ysc2onnx/heads"
	"ysc2onnx/heads/roles"
	"ysc2onnx/modules"
	"ysc2onnx/onnxbuild"
	"ysc2onnx/onnxbuild/onnxfile"
	"ysc2onnx/onnxbuild/passes"
	"ysc2onnx/verify"
	"ysc2onnx/yamlcfg"
)

// Convert turns a model YAML into an ONNX file and checks the file. An error of the YAML is a [*diag.Diagnostics]; a
// cancelled context ends the work with its error. After any error the file that was there before is as it was.
//
// A file that was written and failed a check is no error: see [Result.Checks].
func Convert(ctx context.Context, in Input, opt Options) (*Result, error) {
	start := time.Now()
	if err := opt.complete(); err != nil {
		return nil, err
	}
	model, warnings, err := build(ctx, in, &opt)
	if err != nil {
		return nil, err
	}
	trained := model.trained()
	written, err := model.written(model.Model, &opt)
	if err != nil {
		return nil, trained.refuseNotFinite(ctx, warnings, err)
	}
	r := &Result{
		Summary: &model.Summary, Warnings: warnings, Height: opt.Height, Width: opt.Width, Batch: opt.Batch,
		Opset: written.Opset, IRVersion: written.IRVersion, Nodes: len(written.Nodes), Assumed: trained.unproved(),
	}
	if err := write(ctx, written, &opt, r); err != nil {
		return nil, trained.refuseNotFinite(ctx, warnings, err)
	}
	if err := trained.warnNotFinite(ctx, warnings); err != nil {
		return nil, err
	}
	r.Elapsed = time.Since(start)
	if opt.Output != "" && opt.Check != CheckNone {
		r.Checks, err = check(ctx, model, written, &opt)
	}
	return r, err
}

// Summarize counts a model's layers, parameters and operations, as YOLOv5 prints them when training begins. Of the
// options, Height, Width, Batch and Strict matter. The diagnostics are the warnings; errors are as in [Convert].
func Summarize(ctx context.Context, in Input, opt Options) (*modules.Summary, *diag.Diagnostics, error) {
	opt.Dynamic = Static
	if err := opt.complete(); err != nil {
		return nil, nil, err
	}
	model, warnings, err := build(ctx, in, &opt)
	if err != nil {
		return nil, nil, err
	}
	return &model.Summary, warnings, nil
}

// maxPixels bounds height and width: grids and anchors are computed for each cell.
const maxPixels = 1 << 14

// complete fills in the defaults and refuses what cannot be.
func (o *Options) complete() error {
	for _, field := range []struct {
		name     string
		value    *int
		def, max int
	}{
		{"height", &o.Height, 640, maxPixels}, {"width", &o.Width, 640, maxPixels},
		{"batch size", &o.Batch, 1, 1 << 12}, {"opset", &o.Opset, onnxbuild.DefaultOpset, 1 << 12},
	} {
		if *field.value == 0 {
			*field.value = field.def
		}
		if *field.value < 1 || *field.value > field.max {
			return fmt.Errorf("the %s is %d, expected 1 to %d", field.name, *field.value, field.max)
		}
	}
	if o.Opset < MinOpset || o.Opset > MaxOpset {
		return fmt.Errorf("opset %d is not supported: choose %d to %d", o.Opset, MinOpset, MaxOpset)
	}
	if o.Dynamic < Static || o.Dynamic > DynamicAll {
		return fmt.Errorf("dynamic is %d, expected Static, DynamicBatch or DynamicAll", o.Dynamic)
	}
	return o.ScConv.check()
}

// lowered is a model with what it was lowered from.
type lowered struct {
	*modules.Model
	net     *modules.Network
	weights modules.Weights
	names   string                  // of the classes, as the file has them
	strides []int64                 // of the head's inputs
	sizes   map[size]*modules.Model // every lowering, also those that do not fit, which are nil

	// export makes what is written of the lowering: passes, and the form of an opset. The graph is changed.
	export func(g *onnxbuild.Graph, opt *Options) (*onnxbuild.Written, error)
}

// trained is the checkpoint that the weights come from, nil without one.
func (m *lowered) trained() *trained {
	t, _ := m.weights.(*trained)
	return t
}

// build reads the model and lowers it.
func build(ctx context.Context, in Input, opt *Options) (m *lowered, warnings *diag.Diagnostics, err error) {
	if in.Weights == nil {
		if in.YAML == nil {
			return nil, nil, errors.New("there is no YAML to read")
		}
		m, warnings, err = fit(ctx, in.Name, in.YAML, modules.Seeded(opt.Seed), opt)
		if err != nil {
			return nil, nil, err
		}
		m.names = numbered(m.Summary.Classes)
		return m, warnings, nil
	}
	t, err := openTrained(in.WeightsName, in.Weights, in.WeightsSize)
	if err != nil {
		return nil, nil, err
	}
	if err := t.flavour(); err != nil {
		return nil, nil, err
	}
	t.strict, t.alone = opt.Strict, in.YAML == nil
	name, text := in.Name, in.YAML
	if text == nil {
		carried, err := t.modelYAML(false)
		if err != nil {
			return nil, nil, err
		}
		name, text = in.WeightsName+":model.yaml", strings.NewReader(carried)
	}
	if m, warnings, err = fit(ctx, name, text, t, opt); err != nil {
		return nil, nil, err
	}
	if m.names = t.names(); m.names == "" {
		m.names = numbered(m.Summary.Classes)
	}
	return m, warnings, nil
}

// fit parses and lowers a YAML, and rounds the image's size in opt up to the stride that the model turns out to have.
func fit(ctx context.Context, name string, text io.Reader, w modules.Weights, opt *Options) (*lowered, *diag.Diagnostics, error) {
	cfg, diags := yamlcfg.Parse(name, text)
	if cfg == nil {
		return nil, nil, diags.Err()
	}
	t, isTrained := w.(*trained)
	var rows modules.ParseOptions
	var carried *yamlcfg.Model
	if isTrained {
		cfg, diags, carried = t.parse(cfg, diags)
		rows.Trained = t
	} else { // a trained model's wiring is what it was trained with
		diags.Append(cfg.Lint())
	}
	if rows.Registry = opt.Modules; rows.Registry == nil {
		rows.Registry = modules.Builtin()
	}
	net, found := modules.Parse(cfg, rows)
	if isTrained {
		t.compare(net, carried, rows, diags)
	}
	diags.Append(found)
	m := &lowered{net: net, weights: w, export: export, sizes: map[size]*modules.Model{}}
	found = m.fit(ctx, opt)
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	diags.Append(found)
	if isTrained {
		if err := t.settle(ctx, m.Model, cfg, opt.ScConv, diags); err != nil {
			return nil, nil, err
		}
	}
	if opt.Strict {
		diags.PromoteWarnings()
	}
	diags.Sort()
	if diags.HasErrors() {
		return nil, nil, diags.Err()
	}
	return m, diags, nil
}

// probeSize is the height and width at which YOLOv5 finds a model's strides (models/yolo.py, DetectionModel).
const probeSize = 256

// fit lowers the model twice: for an image of 256x256, which gives the strides as in YOLOv5, and for the size that was
// asked, rounded up to the largest of them. A model that does not fit the former is shown with the shapes of the latter.
// Where neither has an error, the model is the second.
func (m *lowered) fit(ctx context.Context, opt *Options) *diag.Diagnostics {
	probe, found := m.at(ctx, size{batch: 1, height: probeSize, width: probeSize}, opt)
	stride, t := 32, m.trained()
	if probe != nil {
		m.strides = probe.Strides
		if t != nil {
			m.strides = t.strides(probe.Strides)
		}
		stride = modules.Stride(m.strides)
		if !slices.Equal(m.strides, probe.Strides) {
			clear(m.sizes)
		}
	}
	opt.Height, opt.Width = roundUp(opt.Height, stride), roundUp(opt.Width, stride)
	model, diags := m.at(ctx, sizeOf(opt), opt)
	if probe == nil && !diags.HasErrors() {
		return found
	}
	m.Model = model
	return diags
}

// size is what a model is lowered for.
type size struct {
	batch, height, width int
	dynamic              Dynamic
}

// sizeOf is the size that options ask for.
func sizeOf(opt *Options) size { return size{opt.Batch, opt.Height, opt.Width, opt.Dynamic} }

// at is the model lowered for a size, or for any multiple of the stride; each is lowered once. It is nil if it does not
// fit that size, or ctx has ended; the diagnostics say why, the first time.
func (m *lowered) at(ctx context.Context, n size, opt *Options) (*modules.Model, *diag.Diagnostics) {
	if model, done := m.sizes[n]; done {
		return model, diag.NewDiagnostics(m.net.Config.Source)
	}
	o := modules.Options{
		Batch: onnxbuild.D(int64(n.batch)), Height: onnxbuild.D(int64(n.height)), Width: onnxbuild.D(int64(n.width)),
		Weights: m.weights, Strides: m.strides, Stage: opt.Head,
	}
	if o.Stage == nil {
		o.Stage = heads.Decoded
	}
	if n.dynamic != Static {
		o.Batch = onnxbuild.Sym(onnxbuild.Symbol{Name: "batch", Unit: 1})
	}
	if n.dynamic == DynamicAll {
		stride := int64(modules.Stride(m.strides))
		o.Height = onnxbuild.Sym(onnxbuild.Symbol{Name: "height", Unit: stride})
		o.Width = onnxbuild.Sym(onnxbuild.Symbol{Name: "width", Unit: stride})
	}
	if t := m.trained(); t != nil {
		t.begin()
	}
	model, diags := modules.Lower(ctx, m.net, o)
	if ctx.Err() == nil {
		m.sizes[n] = model
	}
	return model, diags
}

// written is a lowering of the model as the file has it.
func (m *lowered) written(model *modules.Model, opt *Options) (*onnxbuild.Written, error) {
	g := model.Graph.Clone()
	w, err := m.export(g, opt)
	if err != nil {
		return nil, err
	}
	w.Graph.Properties = properties(model, w.Graph, m.names, opt)
	if assumed := m.trained().unproved(); assumed != "" {
		w.Graph.Properties = append(w.Graph.Properties, onnxbuild.Property{Key: verify.AssumedKey, Value: assumed})
	}
	return w, nil
}

// export applies the passes, unless the options say otherwise, and writes the graph in the form of an opset.
func export(g *onnxbuild.Graph, opt *Options) (*onnxbuild.Written, error) {
	if !opt.NoOptimize {
		if err := passes.Run(g); err != nil {
			return nil, err
		}
	}
	return g.AtOpset(opt.Opset)
}

func roundUp(n, multiple int) int { return (n + multiple - 1) / multiple * multiple }

// numbered are the names of classes that have none, as a Python dict literal: untrained models of YOLOv5 number them, too.
func numbered(classes int) string {
	var names strings.Builder
	for i := range classes {
		if i > 0 {
			names.WriteString(", ")
		}
		fmt.Fprintf(&names, "%d: '%d'", i, i)
	}
	return "{" + names.String() + "}"
}

// properties are the metadata_props that readers of YOLOv5's files look for, and the rows of the YAML with the values that
// they have in the graph as it is written; names is a Python dict literal.
func properties(m *modules.Model, g *onnxbuild.Graph, names string, opt *Options) []onnxbuild.Property {
	s := &m.Summary
	outputs := make([]roles.Output, len(m.Outputs))
	for i, o := range m.Outputs {
		outputs[i] = o.Output
	}
	return []onnxbuild.Property{
		{Key: "stride", Value: fmt.Sprint(s.Stride)},
		{Key: "names", Value: names},
		{Key: "task", Value: "detect"},
		{Key: "batch", Value: fmt.Sprint(opt.Batch)},
		{Key: "imgsz", Value: fmt.Sprintf("[%d, %d]", opt.Height, opt.Width)},
		{Key: "layers", Value: layers(s.Rows, g)},
		{Key: roles.Key, Value: roles.Format(outputs)},
	}
}

// layers spells rows as verify.Structure reads them, [[[-1],"Conv","/model.0/act/Mul_output_0"],[[-1,6],"Concat",…]]: where
// each layer reads from, its class, and the value that it gives. What the head gives is the outputs.
func layers(rows []modules.SummaryRow, g *onnxbuild.Graph) string {
	var text strings.Builder
	for i, row := range rows {
		from := strings.ReplaceAll(strings.Trim(row.From, "[]"), " ", "")
		fmt.Fprintf(&text, `,[[%s],%q`, from, lastPart(row.Module))
		if v := g.Marked(modules.LayerName(i)); v != nil {
			fmt.Fprintf(&text, `,%q`, v.Name)
		}
		text.WriteByte(']')
	}
	return "[" + strings.TrimPrefix(text.String(), ",") + "]"
}

// write puts the model where the options say.
func write(ctx context.Context, w *onnxbuild.Written, opt *Options, r *Result) error {
	progress := func(done, total int64) {
		if opt.Progress != nil {
			opt.Progress("writing", done, total)
		}
	}
	if opt.Output != "" {
		info, err := onnxfile.WriteFile(ctx, opt.Output, w, onnxfile.FileOptions{Version: Version, Sync: opt.Sync, Progress: progress})
		if err != nil {
			return err
		}
		r.File, r.Bytes = info, info.Size+info.DataSize
		return nil
	}
	layout, err := onnxfile.Plan(w, onnxfile.Options{Version: Version})
	if err != nil {
		return err
	}
	r.Bytes = layout.Size() + layout.DataSize()
	if opt.Writer == nil {
		return nil
	}
	if layout.DataSize() > 0 {
		return fmt.Errorf("the model has %d bytes, and more than 2 GB cannot be in one stream: write it to a file", r.Bytes)
	}
	return layout.Write(ctx, opt.Writer, nil, progress)
}

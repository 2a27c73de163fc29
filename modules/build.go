package modules

import (
	"context"
	"strconv"
	"strings"

	"ysc2onnx/onnxbuild"
	"ysc2onnx/yamlcfg"
)

// Options says how a model is lowered.
type Options struct {
	Batch, Height, Width onnxbuild.Dim // of the input
	Weights              Weights
	Strides              []int64 // of the detection head's inputs; nil: as the input's height gives them
}

// Model is a lowered model: the graph as PyTorch's forward has it, before any pass.
type Model struct {
	Graph   *onnxbuild.Graph
	Summary Summary
	Strides []int64 // of the detection head's inputs
	Output  onnxbuild.Shape
	// Settings are what a trained model had the last word on, and what it did not tell, in the order of the layers.
	Settings []Setting
}

// Stride is the largest stride, of which the image's height and width have to be multiples: 32 at least, as in YOLOv5.
func (m *Model) Stride() int { return Stride(m.Strides) }

// Stride is the largest of a model's strides, 32 at least.
func Stride(strides []int64) int {
	stride := int64(32)
	for _, s := range strides {
		stride = max(stride, s)
	}
	return int(stride)
}

// Build wires the rows of a YAML as YOLOv5's parser does and lowers them. The diagnostics hold every error that was
// found, and warnings; the model is nil where there is an error, or one in the YAML before. A cancelled context ends it
// early, with neither.
func Build(ctx context.Context, cfg *yamlcfg.Model, opt Options) (*Model, *yamlcfg.Diagnostics) {
	b := &builder{
		cfg:   cfg,
		diags: yamlcfg.NewDiagnostics(cfg.Source),
		graph: onnxbuild.New(graphName(cfg.Source.Name)),
		act:   SiLU(),
	}
	if cfg.Activation != nil {
		act, err := activation(*cfg.Activation)
		if err != nil {
			b.diags.Errorf(cfg.ActivationSpan, "activation: %v", err)
		} else {
			b.act = act
		}
	}
	b.lowering = &lowering{
		weights: opt.Weights, height: opt.Height, strides: opt.Strides, params: map[string]*onnxbuild.Value{}, submodules: map[any]bool{},
	}
	b.lowering.count.modules = 2 // the model, and the Sequential of its layers
	image := b.graph.Input("images", onnxbuild.Float32, onnxbuild.Shape{opt.Batch, onnxbuild.D(int64(cfg.Channels)), opt.Height, opt.Width})
	b.image = output{value: image, channels: cfg.Channels}
	for i := range cfg.Rows {
		if ctx.Err() != nil {
			return nil, b.diags
		}
		b.row(&cfg.Rows[i])
	}
	b.finish()
	b.diags.Sort()
	if b.missing || b.diags.HasErrors() {
		return nil, b.diags
	}
	return b.model(opt), b.diags
}

// builder wires and lowers row by row.
type builder struct {
	cfg      *yamlcfg.Model
	diags    *yamlcfg.Diagnostics
	graph    *onnxbuild.Graph
	act      *Activation
	lowering *lowering
	image    output
	outputs  []output // of each row
	missing  bool     // a row has no output
	summary  []SummaryRow
}

// output is what a row gives. After an error in the row there is no value: of rows that read it, only the arguments are
// looked at.
type output struct {
	value    *onnxbuild.Value
	channels int // as YOLOv5's parser counts them; 0 where an error hides them
}

// Limits far above any real model, so that a hostile one stays cheap.
const (
	maxNodes   = 1 << 20
	maxRepeats = 1 << 12
)

func (b *builder) row(row *yamlcfg.Row) {
	before := b.lowering.count
	out, args := b.build(row)
	if out.value != nil && len(b.graph.Nodes) > maxNodes {
		b.diags.Errorf(row.Span, "the model has more than %d nodes", maxNodes)
		out.value = nil
	}
	b.outputs = append(b.outputs, out)
	if out.value == nil {
		b.missing = true
		return
	}
	if row.Index < len(b.cfg.Rows)-1 {
		b.graph.Rename(out.value, layerName(row.Index))
		if err := b.graph.TakeErr(); err != nil {
			b.diags.Errorf(row.Span, "%s: %v", row.Module, err)
		}
	}
	b.summary = append(b.summary, summaryRow(row, b.cfg, byName[row.Module], args, b.lowering.count, before, out.value))
}

// build makes a row's module and applies it.
func (b *builder) build(row *yamlcfg.Row) (out output, args *Args) {
	spec := byName[row.Module]
	if spec == nil && row.Module != "" {
		b.unknown(row)
	}
	if row.Broken || spec == nil {
		return out, nil
	}
	inputs, whole := b.inputs(row, spec)
	if inputs == nil {
		return out, nil
	}
	if args, out.channels = b.args(row, spec, inputs); args == nil {
		return out, nil
	}
	var values []*onnxbuild.Value
	for _, in := range inputs {
		if whole {
			values = append(values, in.value)
		}
	}
	warnings := len(b.lowering.warnings)
	y := b.apply(row, spec, args, values)
	if args.failed || y == nil {
		return out, nil
	}
	for _, w := range b.lowering.warnings[warnings:] {
		b.diags.Warnf(row.Span, "%s: %s", row.Module, w)
	}
	if err := b.graph.TakeErr(); err != nil {
		d := b.diags.Errorf(row.Span, "%s: %v", row.Module, trimScope(err, row.Index))
		for _, src := range row.Sources() {
			if src >= 0 {
				d.AddNote(b.cfg.Rows[src].Span, "layer %d is defined here, its output is %s", src, b.outputs[src].value.Shape)
			}
		}
		if n := b.cfg.ScaleDepth(row.Number); n > 1 && args.wiring != Repeats && args.C1 != args.C2 {
			d.AddNote(row.NumberSpan, "the row is repeated %d times, and each copy takes %d channels", n, args.C1)
		}
		return out, nil
	}
	out.value = y
	return out, args
}

// apply makes the module, or several in a Sequential where the number of a module that takes no repeats says so. It
// gives nil after an error in the arguments, and where there are no values.
func (b *builder) apply(row *yamlcfg.Row, spec *Spec, args *Args, values []*onnxbuild.Value) *onnxbuild.Value {
	if spec.Join != nil {
		if n := b.cfg.ScaleDepth(row.Number); n > 1 {
			b.diags.Errorf(row.NumberSpan, "%s: the number is %d, expected 1: PyTorch's Sequential cannot pass several inputs on", row.Module, n)
			return nil
		}
		m := spec.Join(args)
		args.end()
		if args.failed || values == nil {
			return nil
		}
		return m.Forward(b.scope(row.Index), values)
	}
	m := spec.New(args)
	args.end()
	if args.failed || values == nil {
		return nil
	}
	if n := b.cfg.ScaleDepth(row.Number); n > 1 && args.wiring != Repeats {
		m = Repeat(n, func() Module { return m })
	}
	return m.Forward(b.scope(row.Index), values[0])
}

func (b *builder) scope(i int) *Scope {
	return (&Scope{Builder: b.graph.Build(), model: b.lowering}).In(layerName(i))
}

// inputs are the outputs that the row reads, nil after an error; whole is false where one of them has no value because
// of an earlier error.
func (b *builder) inputs(row *yamlcfg.Row, spec *Spec) (inputs []output, whole bool) {
	if spec.New != nil && len(row.From) != 1 {
		b.diags.Errorf(row.FromSpan, "%s: takes one input, got %d", row.Module, len(row.From))
		return nil, false
	}
	if spec.Join != nil && !row.FromList {
		b.diags.Errorf(row.FromSpan, "%s: takes a list of inputs, such as [-1, 6], got %d", row.Module, row.From[0])
		return nil, false
	}
	whole = true
	for _, src := range row.Sources() {
		in := b.image
		if src >= 0 {
			in = b.outputs[src]
		}
		whole = whole && in.value != nil
		if src >= 0 && b.isHead(src) {
			b.diags.Errorf(row.FromSpan, "%s: layer %d is the detection head, whose output no layer can read", row.Module, src)
			return nil, false
		}
		inputs = append(inputs, in)
	}
	return inputs, whole
}

func (b *builder) isHead(row int) bool {
	spec := byName[b.cfg.Rows[row].Module]
	return spec != nil && spec.Wiring == Head
}

// args wires the row's arguments, and gives the channels that YOLOv5's parser books for its output.
func (b *builder) args(row *yamlcfg.Row, spec *Spec, inputs []output) (*Args, int) {
	a := &Args{C1: inputs[0].channels, Act: b.act, wiring: b.wiring(row, spec), row: row, model: b.cfg, diags: b.diags, rest: row.Args}
	channels := a.C1
	switch a.wiring {
	case Joined, Head:
		channels = 0
		for _, in := range inputs {
			channels += in.channels
			a.In = append(a.In, in.channels)
		}
	case Scaled, Repeats:
		c2, ok := a.next("c2")
		n, number := c2.Number()
		if !ok {
			a.Errorf("needs the number of its output channels as first argument")
			return nil, 0
		}
		if !number || n < 1 || n > limit {
			a.wrong("c2", c2, "the number of output channels, 1 to 1048576")
			return nil, 0
		}
		a.names, a.scalable = nil, true
		a.C2 = int(n)
		if a.C2 != b.cfg.NumOutputs() || n != float64(a.C2) {
			a.C2 = b.cfg.ScaleWidth(n)
		}
		if a.C2 < 1 || a.C2 > limit {
			a.wrong("c2", c2, "channels that width_multiple leaves between 1 and 1048576")
			return nil, 0
		}
		channels = a.C2
		if a.C1 == 0 { // not known after an earlier error: what is said of the arguments must not depend on it
			a.C1 = a.C2
		}
	}
	if a.N = b.cfg.ScaleDepth(row.Number); a.N > maxRepeats {
		b.diags.Errorf(row.NumberSpan, "%s: depth_multiple %g makes the number %d, expected at most %d", row.Module, b.cfg.DepthMultiple, a.N, maxRepeats)
		return nil, 0
	}
	return a, channels
}

// wiring is the table's, unless a checkpoint was trained by a fork whose parser leaves the module out of those that take
// the number of repeats: then its blocks are in a Sequential, or have not as many repeats inside.
func (b *builder) wiring(row *yamlcfg.Row, spec *Spec) Wiring {
	t, ok := b.lowering.weights.(Trained)
	if n := b.cfg.ScaleDepth(row.Number); ok && spec.Repeated != "" && n > 0 {
		last := layerName(row.Index) + ".m." + strconv.Itoa(n-1) + "." + spec.Repeated
		if _, there := t.Shape(last); !there {
			return Scaled
		}
	}
	return spec.Wiring
}

func (b *builder) unknown(row *yamlcfg.Row) {
	if near, ok := yamlcfg.Suggest(row.Module, Names()); ok {
		b.diags.Errorf(row.ModuleSpan, "there is no module %q: did you mean %s?", row.Module, near)
		return
	}
	b.diags.Errorf(row.ModuleSpan, "there is no module %q: expected one of %s", row.Module, strings.Join(Names(), ", "))
}

// finish makes the last row the model's output.
func (b *builder) finish() {
	if len(b.cfg.Rows) == 0 {
		b.missing = true
		return
	}
	last := &b.cfg.Rows[len(b.cfg.Rows)-1]
	if spec := byName[last.Module]; spec != nil && spec.Wiring != Head {
		b.diags.Errorf(last.Span, "the last row is %s, expected Detect", last.Module)
		return
	}
	if b.missing || b.diags.HasErrors() {
		return
	}
	b.graph.Output("output0", b.outputs[last.Index].value)
	if err := b.graph.TakeErr(); err != nil {
		b.diags.Errorf(last.Span, "%s: %v", last.Module, err)
	}
}

func (b *builder) model(opt Options) *Model {
	out := b.graph.Outputs[0]
	if _, static := out.Shape[1].Static(); !static {
		b.graph.NameDim(out.Shape[1], "anchors")
	}
	m := &Model{Graph: b.graph, Strides: b.lowering.strides, Output: out.Shape, Settings: b.lowering.settings.list}
	m.Summary = Summary{
		Rows: b.summary, Layers: b.lowering.count.modules, Parameters: b.lowering.count.parameters,
		Stride: m.Stride(), Classes: b.lowering.classes,
	}
	batch, fixed := opt.Batch.Static()
	h, fixedH := opt.Height.Static()
	w, fixedW := opt.Width.Static()
	if fixed && fixedH && fixedW {
		m.Summary.Height, m.Summary.Width = int(h), int(w)
		m.Summary.GFLOPs = b.lowering.count.gflops(batch, h*w, int64(m.Summary.Stride))
	}
	return m
}

// gflops is the figure for one image that YOLOv5 prints (utils/torch_utils.py, model_info): it counts on an image as
// large as the stride and scales by the area, also what does not depend on it.
func (c counts) gflops(batch, area, stride int64) float64 {
	scale := float64(area) / float64(stride*stride)
	macs := float64(c.macs-c.averages) + float64(float64(c.averages)*scale)
	return macs * 2 / 1e9 / float64(batch)
}

// graphName is the YAML's file name without its folder and ending.
func graphName(file string) string {
	if i := strings.LastIndexAny(file, `/\`); i >= 0 {
		file = file[i+1:]
	}
	name, _, _ := strings.Cut(file, ".")
	if name == "" || name == "-" {
		return "model"
	}
	return name
}

// trimScope leaves out the layer's own scope, which the diagnostic's place tells.
func trimScope(err error, i int) string {
	text := err.Error()
	text = strings.TrimPrefix(text, layerName(i)+": ")
	return strings.TrimPrefix(text, layerName(i)+"/")
}

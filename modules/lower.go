package modules

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"ysc2onnx/diag"
	"ysc2onnx/heads/roles"
	"ysc2onnx/onnxbuild"
)

// Options says how a network is lowered.
type Options struct {
	Batch, Height, Width onnxbuild.Dim // of the input
	Weights              Weights
	Strides              []int64 // of the head's inputs; nil: as the input's height gives them
	MinStride            int     // heights and widths are multiples of it, whatever the strides
	Stage                Stage   // makes the outputs from what the head gives; nil: each map is an output
	// Flavours names the flavour to take where a checkpoint's tensors do not tell, by class: mask for SRU. It must be one of
	// the class's.
	Flavours map[string]string
}

// Stage makes a model's outputs from what its head gives, in the head's scope.
type Stage func(s *Scope, raw *Raw) []Output

// outputs are those that the stage makes. Of a classifier there is nothing to make: its logits are the output.
func (stage Stage) outputs(s *Scope, raw *Raw) []Output {
	if raw.Logits == nil {
		return stage(s, raw)
	}
	meaning := roles.Output{Name: "output0", Axis: 1, Parts: []roles.Part{{Role: roles.Logits, Size: raw.Classes}}}
	return []Output{{meaning, raw.Logits}}
}

// Output is an output of a model, and what it means.
type Output struct {
	roles.Output
	Value *onnxbuild.Value
}

// rawMaps is the stage that leaves a head's maps as they are.
func rawMaps(_ *Scope, raw *Raw) []Output {
	var outputs []Output
	for i, m := range raw.Maps {
		outputs = append(outputs, Output{roles.Of(fmt.Sprintf("output%d", i), roles.Raw), m})
	}
	if raw.Prototypes != nil {
		outputs = append(outputs, Output{roles.Of(fmt.Sprintf("output%d", len(raw.Maps)), roles.Prototypes), raw.Prototypes})
	}
	return outputs
}

// Model is a lowered model: the graph as PyTorch's forward has it, before any pass.
type Model struct {
	Graph     *onnxbuild.Graph
	Summary   Summary
	Strides   []int64 // of the head's inputs
	Outputs   []Output
	minStride int
	// Settings are the values that a trained model decided, and those that it did not tell, in the order of the layers.
	Settings []Setting
	Choices  []Choice // the flavours of the modules that have several, in the order of the layers
	Pruned   int      // convolutions whose channels are those of a checkpoint's tensors, and not the YAML's

	gflops  func() float64 // nil where a size is open
	weights Weights
	visits  map[string]*visit // the modules that were applied, by path
}

// Lower makes the graph of a network for one size of its input. The diagnostics hold every error that was found, and
// warnings; the model is nil where there is an error, or one in the rows before. A cancelled context ends it early, with
// neither.
func Lower(ctx context.Context, net *Network, opt Options) (*Model, *diag.Diagnostics) {
	b := newBuilder(net, opt)
	for _, l := range net.Layers {
		if ctx.Err() != nil {
			return nil, b.diags
		}
		b.layer(l)
	}
	b.diags.Sort()
	if b.missing || b.outputs == nil || b.diags.HasErrors() {
		return nil, b.diags
	}
	return b.model(opt), b.diags
}

// builder lowers layer by layer.
type builder struct {
	net      *Network
	diags    *diag.Diagnostics
	graph    *onnxbuild.Graph
	stage    Stage
	lowering *lowering
	image    *onnxbuild.Value
	values   [][]*onnxbuild.Value // of each layer; nil after an error
	outputs  []Output
	missing  bool // a layer has no values
	summary  []SummaryRow
}

func newBuilder(net *Network, opt Options) *builder {
	cfg := net.Config
	b := &builder{
		net:      net,
		diags:    diag.NewDiagnostics(cfg.Source),
		graph:    onnxbuild.New(graphName(cfg.Source.Name)),
		stage:    opt.Stage,
		lowering: newLowering(opt),
		values:   make([][]*onnxbuild.Value, len(net.Layers)),
	}
	if b.stage == nil {
		b.stage = rawMaps
	}
	b.image = b.graph.Input("images", onnxbuild.Float32, onnxbuild.Shape{opt.Batch, onnxbuild.D(int64(cfg.Channels)), opt.Height, opt.Width})
	return b
}

func (b *builder) layer(l *Layer) {
	before := b.lowering.count
	values := b.apply(l)
	row := l.Row
	if values != nil && len(b.graph.Nodes) > maxNodes {
		b.diags.Errorf(row.Span, "the model has more than %d nodes", maxNodes)
		values = nil
	}
	if values == nil {
		b.missing = true
		return
	}
	b.values[row.Index] = values
	for i, v := range values {
		if l.head == nil {
			b.graph.Mark(valueName(row.Index, i), v)
		}
		b.lowering.origins[v] = row.Index
	}
	if err := b.graph.TakeErr(); err != nil {
		b.diags.Errorf(row.Span, "%s: %v", row.Module, err)
	}
	b.summary = append(b.summary, summaryRow(l, b.lowering.count, before, values[0]))
}

// valueName is what the i-th value of a layer is known as.
func valueName(layer, i int) string {
	if i == 0 {
		return LayerName(layer)
	}
	return join(LayerName(layer), i)
}

// apply adds a layer's module, and gives its values; nil after an error, and where a layer that it reads has none.
func (b *builder) apply(l *Layer) []*onnxbuild.Value {
	if !l.made() {
		return nil
	}
	var inputs []*onnxbuild.Value
	for _, src := range l.Row.Sources() {
		switch {
		case src < 0:
			inputs = append(inputs, b.image)
		case b.values[src] == nil:
			return nil
		default:
			inputs = append(inputs, b.values[src]...)
		}
	}
	warnings := len(b.lowering.warnings)
	scope := b.lowering.root(b.graph).enter(LayerName(l.Row.Index), l.class())
	var values []*onnxbuild.Value
	if l.head != nil {
		values = b.applyHead(l, scope, inputs)
	} else {
		values = l.apply(scope, inputs)
	}
	for _, w := range b.lowering.warnings[warnings:] {
		b.diags.Warnf(w.code, l.Row.Span, "%s: %s", l.Row.Module, w.text)
	}
	if err := b.graph.TakeErr(); err != nil {
		b.reportRefusal(l, err)
		return nil
	}
	if !b.checkChannels(l, values) {
		return nil
	}
	return values
}

// applyHead applies the head and the stage that decodes it.
func (b *builder) applyHead(l *Layer, s *Scope, inputs []*onnxbuild.Value) (values []*onnxbuild.Value) {
	raw := l.head.Forward(s, inputs)
	if raw == nil {
		return nil
	}
	b.lowering.strides, b.lowering.classes = raw.Strides, raw.Classes
	outputs := b.stage.outputs(s, raw)
	for _, o := range outputs {
		if o.Value.Refused() {
			return nil
		}
		b.graph.Output(o.Name, o.Value)
		values = append(values, o.Value)
	}
	b.outputs = outputs
	return values
}

// reportRefusal reports the first operator of a layer that did not fit.
func (b *builder) reportRefusal(l *Layer, err error) {
	row := l.Row
	d := b.diags.Errorf(row.Span, "%s: %v", row.Module, trimScope(err, row.Index))
	if placed := (*PlacedError)(nil); errors.As(err, &placed) {
		d.AddNote(placed.Span, "in the definition of the module")
	}
	for _, src := range row.Sources() {
		if src >= 0 {
			d.AddNote(b.net.Layers[src].Row.Span, "layer %d is defined here, its output is %s", src, shapes(b.values[src]))
		}
	}
	if l.N > 1 && !l.inside && l.c1 != l.c2 {
		d.AddNote(row.NumberSpan, "the row is repeated %d times, and each copy takes %d channels", l.N, l.c1)
	}
}

// checkChannels compares the channels that a layer gives with those that YOLOv5's parser counts on, by which the modules that
// read it are made.
func (b *builder) checkChannels(l *Layer, values []*onnxbuild.Value) bool {
	if l.head != nil {
		return values != nil
	}
	if len(values) != len(l.Channels) {
		b.diags.Errorf(l.Row.Span, "%s: gives %d values, and the parser counts on %d", l.Row.Module, len(values), len(l.Channels))
		return false
	}
	if b.lowering.isPickled(LayerName(l.Row.Index)) { // then the channels are the tensors'
		return true
	}
	for i, v := range values {
		if n, static := v.Dim(1).Static(); len(v.Shape) == 4 && static && n != int64(l.Channels[i]) {
			b.diags.Errorf(l.Row.Span, "%s: gives %d channels, while YOLOv5's parser counts on %d: what reads this layer would not fit", l.Row.Module, n, l.Channels[i])
			return false
		}
	}
	return true
}

func shapes(values []*onnxbuild.Value) string {
	parts := make([]string, len(values))
	for i, v := range values {
		parts[i] = v.Shape.String()
	}
	return strings.Join(parts, ", ")
}

func (b *builder) model(opt Options) *Model {
	if first := b.outputs[0].Value.Shape; len(first) == 3 {
		if _, static := first[1].Static(); !static {
			b.graph.NameDim(first[1], "anchors")
		}
	}
	for _, o := range b.outputs {
		if role, _ := o.Whole(); role != roles.Prototypes {
			continue
		}
		for i, name := range []string{"mask_height", "mask_width"} {
			d := o.Value.Dim(2 + i)
			if _, static := d.Static(); !static {
				b.graph.NameDim(d, name)
			}
		}
	}
	m := &Model{
		Graph: b.graph, Strides: b.lowering.strides, Outputs: b.outputs, minStride: opt.MinStride,
		Settings: b.lowering.settings.list, Choices: b.lowering.choices,
		weights: opt.Weights, visits: b.lowering.visits, Pruned: len(b.lowering.pruned),
	}
	m.Summary = Summary{
		Backbone: b.net.Config.BackboneRows,
		Rows:     b.summary, Layers: b.lowering.count.modules, Parameters: b.lowering.count.parameters,
		Stride: m.Stride(), Classes: b.lowering.classes,
	}
	_, fixed := opt.Batch.Static()
	h, fixedH := opt.Height.Static()
	w, fixedW := opt.Width.Static()
	if fixed && fixedH && fixedW {
		m.Summary.Height, m.Summary.Width = int(h), int(w)
		m.gflops = func() float64 { return b.gflops(opt, max(m.Summary.Stride, DefaultStride), h*w) }
	}
	return m
}

// Stride is what the image's height and width must be multiples of: the largest stride of the head's inputs, as in YOLOv5,
// or [Options.MinStride] where that is larger.
func (m *Model) Stride() int { return max(Stride(m.Strides), m.minStride) }

// Classifies reports whether the model's outcome is of whole pictures.
func (m *Model) Classifies() bool {
	_, _, ok := m.Outputs[0].Columns(roles.Logits)
	return ok
}

// DefaultStride is the stride of a model that has none.
const DefaultStride = 32

// Stride is the largest of a model's strides.
func Stride(strides []int64) int {
	if len(strides) == 0 {
		return DefaultStride
	}
	return int(slices.Max(strides))
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
	text = strings.TrimPrefix(text, LayerName(i)+": ")
	return strings.TrimPrefix(text, LayerName(i)+"/")
}

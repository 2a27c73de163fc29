package modules

import (
	"slices"
	"strconv"
	"strings"

	"ysc2onnx/diag"
	"ysc2onnx/onnxbuild"
	"ysc2onnx/yamlcfg"
	"ysc2onnx/yamlcfg/python"
)

// Network is a YAML's rows, each with its module made: arguments resolved, channels counted. It is lowered to a graph once
// for each size that is needed.
type Network struct {
	Config *yamlcfg.Model
	Layers []*Layer
}

// Layer is a row of a YAML as YOLOv5's parser resolves it.
type Layer struct {
	Row       *yamlcfg.Row
	Spec      *Spec      // nil: there is no such module
	N         int        // the number after the depth gain
	Channels  []int      // of each value that it gives, as the parser counts them; nil where an error hides them
	Given     []Argument // what the constructor took
	Arguments string     // all that the constructor gets, as Python prints it

	apply  func(s *Scope, inputs []*onnxbuild.Value) []*onnxbuild.Value // nil after an error
	head   Head
	class  func() *Class
	inside bool // the repeats are inside the module
	c1, c2 int  // of a module that is repeated in a Sequential
}

// ParseOptions are what rows are resolved with.
type ParseOptions struct {
	Registry *Registry   // nil: the modules of [Builtin]
	Blocks   BlockWiring // how C3_ScConv and its kin are wired, where there is no checkpoint
	Trained  Trained     // the checkpoint that the model's weights come from, which shows how forks wire a module; nil: none
}

// Limits far above any real model, so that a hostile one stays cheap.
const (
	maxNodes   = 1 << 20
	maxRepeats = 1 << 12
)

// Parse resolves the rows of a YAML as YOLOv5's parser does, and makes their modules. The diagnostics hold every error of
// the rows and warnings; a network with errors can still be lowered, as far as it goes.
func Parse(cfg *yamlcfg.Model, opt ParseOptions) (*Network, *diag.Diagnostics) {
	p := &parser{
		registry: opt.Registry, trained: opt.Trained, blocks: opt.Blocks, diags: diag.NewDiagnostics(cfg.Source), act: SiLU(),
		net: &Network{Config: cfg}, noted: map[string]bool{},
	}
	if p.registry == nil {
		p.registry = Builtin()
	}
	if cfg.Activation != nil {
		act, err := activation(*cfg.Activation)
		if err != nil {
			p.diags.Errorf(cfg.ActivationSpan, "activation: %v", err)
		} else {
			p.act = act
		}
	}
	for i := range cfg.Rows {
		l := &Layer{Row: &cfg.Rows[i], Spec: p.registry.Find(cfg.Rows[i].Module)}
		p.net.Layers = append(p.net.Layers, l)
		p.layer(l)
	}
	if n := len(p.net.Layers); n > 0 {
		last := p.net.Layers[n-1]
		if last.Spec != nil && last.Spec.Head == nil && !cfg.HeadSpan.IsZero() { // a head that is missing was reported as such
			p.diags.Errorf(last.Row.Span, "the last row is %s, expected Detect", last.Row.Module)
		}
	}
	p.diags.Sort()
	return p.net, p.diags
}

type parser struct {
	registry *Registry
	trained  Trained
	blocks   BlockWiring
	diags    *diag.Diagnostics
	act      *Activation
	net      *Network
	noted    map[string]bool // the notes that were given about the whole model
	channels []int           // of what a row reads that reads the image: nil, but in tests of single rows
}

// layer resolves a row and makes its module.
func (p *parser) layer(l *Layer) {
	row := l.Row
	if l.Spec == nil && row.Module != "" {
		d := p.diags.Errorf(row.ModuleSpan, "%s", unknownText(row.Module, p.registry.Names()))
		if key := "unknown " + row.Module; p.trained != nil && !p.noted[key] {
			p.noted[key] = true
			describeUnknown(d, p.trained, LayerName(row.Index))
		}
	}
	if row.Broken || l.Spec == nil {
		return
	}
	in := p.inputs(l)
	if in == nil {
		return
	}
	cfg := p.net.Config
	a := &Args{
		C1: in[0], In: in, Act: p.act, row: row, model: cfg, diags: p.diags, trained: p.trained, blocks: p.blocks, noted: p.noted, rest: row.Args,
		N: cfg.ScaleDepth(row.Number),
	}
	l.N = a.N
	for _, arg := range row.Args {
		a.shown = append(a.shown, arg.Repr())
	}
	channels := l.Spec.Wiring(a)
	if channels == nil {
		return
	}
	if a.N > maxRepeats {
		p.diags.Errorf(row.NumberSpan, "%s: depth_multiple %g makes the number %d, expected at most %d", row.Module, cfg.DepthMultiple, a.N, maxRepeats)
		return
	}
	l.Channels, l.inside, l.c1, l.c2 = channels, a.inside, a.C1, a.C2
	if l.Spec.New == nil && a.N > 1 {
		p.diags.Errorf(row.NumberSpan, "%s: the number is %d, expected 1: PyTorch's Sequential cannot pass several inputs on", row.Module, a.N)
		return
	}
	l.construct(a)
	a.rejectLeftovers()
	if a.failed {
		l.apply, l.head = nil, nil
		return
	}
	l.Given, l.Arguments = a.given, "["+strings.Join(a.shown, ", ")+"]"
}

// construct makes the module, or several in a Sequential where the number of a module that takes no repeats says so.
func (l *Layer) construct(a *Args) {
	switch spec := l.Spec; {
	case spec.New != nil:
		m := spec.New(a)
		if n := l.N; n > 1 && !a.inside {
			one := m
			m = Repeat(n, func() Module { return one })
		}
		l.class = m.Class
		l.apply = func(s *Scope, in []*onnxbuild.Value) []*onnxbuild.Value {
			return []*onnxbuild.Value{m.Forward(s, in[0])}
		}
	case spec.Join != nil:
		m := spec.Join(a)
		l.class = m.Class
		l.apply = func(s *Scope, in []*onnxbuild.Value) []*onnxbuild.Value { return []*onnxbuild.Value{m.Forward(s, in)} }
	case spec.List != nil:
		m := spec.List(a)
		l.class = m.Class
		l.apply = m.Forward
	default:
		l.head = spec.Head(a)
		l.class = l.head.Class
		if !spec.OneToo {
			a.shown = append(a.shown, intList(a.In))
		}
	}
}

// inputs are the channels of the values that the row reads, 0 where an earlier error hides them; nil after an error here.
func (p *parser) inputs(l *Layer) (channels []int) {
	row, spec := l.Row, l.Spec
	if spec.New != nil && len(row.From) != 1 {
		p.diags.Errorf(row.FromSpan, "%s: takes one input, got %d", row.Module, len(row.From))
		return nil
	}
	if p.channels != nil {
		return p.channels
	}
	for _, src := range row.Sources() {
		if src < 0 {
			channels = append(channels, p.net.Config.Channels)
			continue
		}
		source := p.net.Layers[src]
		if source.Spec != nil && source.Spec.Head != nil {
			p.diags.Errorf(row.FromSpan, "%s: layer %d is the detection head, whose output no layer can read", row.Module, src)
			return nil
		}
		if source.Channels == nil {
			channels = append(channels, 0)
			continue
		}
		channels = append(channels, source.Channels...)
	}
	if spec.New != nil && len(channels) != 1 {
		p.diags.Errorf(row.FromSpan, "%s: takes one input, and layer %d gives %d", row.Module, row.Sources()[0], len(channels))
		return nil
	}
	if spec.New == nil && !spec.OneToo && !row.FromList && len(channels) == 1 {
		p.diags.Errorf(row.FromSpan, "%s: takes a list of inputs, such as [-1, 6], got %d", row.Module, row.From[0])
		return nil
	}
	return channels
}

// Same reports whether two layers make the same module: with the arguments as they come out, scaled by depth and width
// and with the defaults of those that are left out. Layers whose module could not be made must be written alike.
func (l *Layer) Same(other *Layer) bool {
	if l.Spec != nil && l.Spec == other.Spec && l.made() && other.made() {
		return l.N == other.N && slices.Equal(l.Channels, other.Channels) && slices.EqualFunc(l.Given, other.Given, Argument.equal)
	}
	return l.N == other.N && slices.EqualFunc(l.Row.Args, other.Row.Args, python.Literal.Equal)
}

// made reports whether the layer's module could be made.
func (l *Layer) made() bool { return l.apply != nil || l.head != nil }

// LayerName is the state_dict path of a row, and what its value is marked with in the graph: "model.2".
func LayerName(i int) string { return "model." + strconv.Itoa(i) }

// join is a state_dict path of names and indices.
func join(parts ...any) string {
	var text strings.Builder
	for i, p := range parts {
		if i > 0 {
			text.WriteByte('.')
		}
		switch p := p.(type) {
		case string:
			text.WriteString(p)
		case int:
			text.WriteString(strconv.Itoa(p))
		}
	}
	return text.String()
}

func intList(list []int) string {
	parts := make([]string, len(list))
	for i, n := range list {
		parts[i] = strconv.Itoa(n)
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

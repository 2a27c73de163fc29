// Package pipeline is the way from a YAML and a checkpoint to a graph in the form of a file: rows, lowering, passes, opset.
package pipeline

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"ysc2onnx/diag"
	"ysc2onnx/heads"
	"ysc2onnx/heads/roles"
	"ysc2onnx/internal/trained"
	"ysc2onnx/modules"
	"ysc2onnx/modules/definition"
	"ysc2onnx/onnxbuild"
	"ysc2onnx/onnxbuild/passes"
	"ysc2onnx/verify"
	"ysc2onnx/yamlcfg"
)

// Source is the model: a YAML, a checkpoint, or both.
type Source struct {
	Name string    // as messages show it: the YAML's file name
	YAML io.Reader // the model YAML; nil: the one that the checkpoint carries

	WeightsName string      // as messages show it: the checkpoint's file name
	Weights     io.ReaderAt // a trained checkpoint; nil: untrained weights, from Options.Seed
	WeightsSize int64       // of the checkpoint, in bytes
}

// Dynamic says which dimensions of the input stay open.
type Dynamic int

// The choices of Dynamic.
const (
	Static       Dynamic = iota // none
	DynamicBatch                // the batch
	DynamicAll                  // batch, height and width
)

// Size is what a model is lowered for: images a batch, and pixels.
type Size struct {
	Batch, Height, Width int
	Dynamic              Dynamic
}

// Options says how a model is built and written.
type Options struct {
	Size       Size // rounded up to the model's stride
	Opset      int
	Seed       uint64              // of the weights where there is no checkpoint
	NoOptimize bool                // write the lowering as it is
	Precision  Precision           // what of the file is float16
	Modules    *modules.Registry   // what a YAML can name; nil: [modules.Builtin]
	Head       modules.Stage       // makes the outputs; nil: [heads.Decoded]
	Blocks     modules.BlockWiring // how C3_ScConv is wired, where no checkpoint tells
	ScConv     string              // the formula of ScConv, where no checkpoint's parameters tell it; "" for the usual one
	Strict     bool                // warnings are errors
	Allow      []diag.Code         // kinds of warnings that are silenced
}

// MaxPixels bounds height and width: grids and anchors are computed for each cell.
const MaxPixels = 1 << 14

// Complete fills in YOLOv5's defaults, and refuses values out of range. It leaves the size of the image open: see [Model.Size].
func (o *Options) Complete() error {
	for _, field := range []struct {
		name     string
		value    *int
		def, max int
	}{
		{"height", &o.Size.Height, 0, MaxPixels}, {"width", &o.Size.Width, 0, MaxPixels},
		{"batch size", &o.Size.Batch, 1, 1 << 12}, {"opset", &o.Opset, onnxbuild.DefaultOpset, 1 << 12},
	} {
		if *field.value == 0 {
			*field.value = field.def
		}
		if *field.value < min(field.def, 1) || *field.value > field.max {
			return fmt.Errorf("the %s is %d, expected 1 to %d", field.name, *field.value, field.max)
		}
	}
	if o.Opset < onnxbuild.MinOpset || o.Opset > onnxbuild.MaxOpset {
		return fmt.Errorf("opset %d is not supported: choose %d to %d", o.Opset, onnxbuild.MinOpset, onnxbuild.MaxOpset)
	}
	if d := o.Size.Dynamic; d < Static || d > DynamicAll {
		return fmt.Errorf("dynamic is %d, expected Static, DynamicBatch or DynamicAll", d)
	}
	return nil
}

// Model is a model with what it was lowered from.
type Model struct {
	*modules.Model                // lowered for Size
	Size           Size           // as rounded; where the options have none, YOLOv5's 640 pixels, or 224 of a classifier
	Trained        *trained.Model // the checkpoint that the weights come from, nil without one

	// Form turns a lowering into what is written: passes, and the form of an opset. It changes the graph.
	Form func(g *onnxbuild.Graph) (*onnxbuild.Written, error)

	opt       Options
	net       *modules.Network
	weights   modules.Weights
	names     string                  // of the classes, as the file has them
	strides   []int64                 // of the head's inputs
	minStride int                     // heights and widths are multiples of it, whatever the strides
	sizes     map[Size]*modules.Model // every lowering, also those that do not fit, which are nil
}

// Build reads the model and lowers it. An error of the YAML is a [*diag.Diagnostics]; the diagnostics beside a model are
// warnings.
func Build(ctx context.Context, in Source, opt Options) (*Model, *diag.Diagnostics, error) {
	m := &Model{opt: opt, Size: opt.Size, sizes: map[Size]*modules.Model{}}
	m.Form = m.form
	name, text := in.Name, in.YAML
	switch {
	case in.Weights != nil:
		t, err := trained.Open(in.WeightsName, in.Weights, in.WeightsSize)
		if err != nil {
			return nil, nil, err
		}
		if err := t.RefuseOthers(); err != nil {
			return nil, nil, err
		}
		t.Strict, t.Alone = opt.Strict && !slices.Contains(opt.Allow, diag.NotFinite), text == nil
		m.Trained, m.weights = t, t
		if text == nil {
			carried, err := t.YAML(false)
			if err != nil {
				return nil, nil, err
			}
			name, text = in.WeightsName+":model.yaml", strings.NewReader(carried)
		}
	case text == nil:
		return nil, nil, errors.New("there is no YAML to read")
	default:
		m.weights = modules.Seeded(opt.Seed)
	}
	diags, err := m.read(ctx, name, text)
	if err != nil {
		return nil, nil, err
	}
	return m, diags, nil
}

// read parses and lowers a YAML, with the checkpoint's values where it decides.
func (m *Model) read(ctx context.Context, name string, text io.Reader) (*diag.Diagnostics, error) {
	cfg, diags := yamlcfg.Parse(name, text)
	if cfg == nil {
		return nil, diags.Err()
	}
	t, registry := m.Trained, m.opt.Modules
	if registry == nil {
		registry = modules.Builtin()
	}
	if cfg.Definitions != nil {
		registry = registry.Clone()
		if definition.Add(registry, cfg.Definitions, diags); diags.HasErrors() {
			diags.Sort()
			return nil, diags.Err()
		}
	}
	rows := modules.ParseOptions{Registry: registry, Blocks: m.opt.Blocks}
	var carried *yamlcfg.Model
	if t != nil {
		cfg, diags, carried = t.Override(cfg, diags)
		rows.Trained = t
	} else { // a trained model's wiring is what it was trained with
		diags.Append(cfg.Lint())
	}
	net, found := modules.Parse(cfg, rows)
	if t != nil {
		t.CompareRows(net, carried, rows, diags)
	}
	diags.Append(found)
	m.net = net
	found = m.lowerToSize(ctx)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	diags.Append(found)
	if t != nil {
		if err := t.Check(ctx, m.Model, cfg, diags); err != nil {
			return nil, err
		}
		m.names = t.ClassNames()
	}
	if m.Model != nil && m.opt.Head != nil {
		if _, _, logits := m.Outputs[0].Columns(roles.Logits); logits {
			diags.Errorf(diag.Span{}, "the model classifies whole pictures: its output has one form, the logits of the classes; leave the head's form out")
		}
	}
	diags.Allow(m.opt.Allow...)
	if m.opt.Strict {
		diags.PromoteWarnings()
	}
	diags.Sort()
	if diags.HasErrors() {
		return nil, diags.Err()
	}
	m.CountOperations()
	if m.names == "" {
		m.names = classNames(m.net.Config.Names, m.Summary.Classes)
	}
	return diags, nil
}

// The heights and widths where none is asked for, with which YOLOv5 trains detectors and classifiers.
const (
	detectorSide   = 640
	classifierSide = 224
)

// probeSize is the height and width at which YOLOv5 finds a model's strides (models/yolo.py, DetectionModel).
const probeSize = 256

// lowerToSize lowers the model twice: for an image of 256x256, which gives the strides as in YOLOv5, and for the size that was
// asked, rounded up to the largest of them. A model that does not fit the former is shown with the shapes of the latter.
// Where neither has an error, the model is the second.
//
// As in YOLOv5's export.py that stride may be under 32. Where maps inside of the model are coarser than those that the head
// reads, and do not fit together at its multiples (in PyTorch they do not either), it is 32.
func (m *Model) lowerToSize(ctx context.Context) *diag.Diagnostics {
	probe, found := m.lowerAt(ctx, Size{Batch: 1, Height: probeSize, Width: probeSize})
	stride := modules.DefaultStride
	if probe != nil {
		m.strides = probe.Strides
		if m.Trained != nil {
			m.strides = m.Trained.Strides(probe.Strides)
		}
		stride = modules.Stride(m.strides)
		if !slices.Equal(m.strides, probe.Strides) {
			clear(m.sizes)
		}
		if stride < modules.DefaultStride && !m.acceptsSquare(ctx, probeSize+stride) {
			stride, m.minStride = modules.DefaultStride, modules.DefaultStride
			clear(m.sizes)
		}
	}
	side := detectorSide
	if probe != nil && probe.Classifies() {
		side = classifierSide
	}
	m.Size.Height, m.Size.Width = roundUp(cmp.Or(m.Size.Height, side), stride), roundUp(cmp.Or(m.Size.Width, side), stride)
	model, diags := m.lowerAt(ctx, m.Size)
	if probe == nil && !diags.HasErrors() {
		return found
	}
	m.Model = model
	return diags
}

// acceptsSquare reports whether the model fits an image of that height and width.
func (m *Model) acceptsSquare(ctx context.Context, side int) bool {
	model, diags := m.lowerAt(ctx, Size{Batch: 1, Height: side, Width: side})
	return model != nil && !diags.HasErrors()
}

// Precision is what of the file is float16, by the name that package verify has for its tolerances.
func (m *Model) Precision() verify.Precision { return verify.Precision(m.opt.Precision) }

// Precision says what of a file is float16.
type Precision = passes.Precision

// Loss counts what float16 cannot hold of a tensor.
type Loss = passes.Loss

// Losses lists the weights of a file that lose more than rounding as float16; exact is true where none is even rounded. A
// weight that float16 cannot hold at all, which would make a layer infinite, is an error.
func Losses(ctx context.Context, w *onnxbuild.Written) (list []Loss, exact bool, err error) {
	if list, exact, err = passes.Losses(ctx, w.Graph); err != nil {
		return nil, false, err
	}
	const listed = 8
	var names []string
	count := 0
	for _, l := range list {
		if l.Overflow == 0 {
			continue
		}
		if count++; count <= listed {
			names = append(names, fmt.Sprintf("%s (%d of %d)", l.Name, l.Overflow, l.Elements))
		}
	}
	if count == 0 {
		return list, exact, nil
	}
	text := strings.Join(names, ", ")
	if count > listed {
		text += fmt.Sprintf(" and %d more", count-listed)
	}
	return nil, false, fmt.Errorf("weights of 65520 and more do not fit float16, which holds up to 65504: %s; write the file without halves", text)
}

// LoweredAt is the model lowered for a size, of which height and width are multiples of the stride. It is nil if the model does not
// fit that size, or ctx has ended.
func (m *Model) LoweredAt(ctx context.Context, n Size) *modules.Model {
	model, _ := m.lowerAt(ctx, n)
	return model
}

// lowerAt lowers the model for a size, each once. The diagnostics say why it does not fit, the first time.
func (m *Model) lowerAt(ctx context.Context, n Size) (*modules.Model, *diag.Diagnostics) {
	if model, done := m.sizes[n]; done {
		return model, diag.NewDiagnostics(m.net.Config.Source)
	}
	o := modules.Options{
		Batch: onnxbuild.D(int64(n.Batch)), Height: onnxbuild.D(int64(n.Height)), Width: onnxbuild.D(int64(n.Width)),
		Weights: m.weights, Strides: m.strides, MinStride: m.minStride, Stage: m.opt.Head,
	}
	if o.Stage == nil {
		o.Stage = heads.Decoded
	}
	if m.opt.ScConv != "" {
		o.Flavours = map[string]string{"SRU": m.opt.ScConv}
	}
	if n.Dynamic != Static {
		o.Batch = onnxbuild.Sym(onnxbuild.Symbol{Name: "batch", Unit: 1})
	}
	if n.Dynamic == DynamicAll {
		stride := int64(max(modules.Stride(m.strides), m.minStride))
		o.Height = onnxbuild.Sym(onnxbuild.Symbol{Name: "height", Unit: stride})
		o.Width = onnxbuild.Sym(onnxbuild.Symbol{Name: "width", Unit: stride})
	}
	if m.Trained != nil {
		m.Trained.StartLowering()
	}
	model, diags := modules.Lower(ctx, m.net, o)
	if ctx.Err() == nil {
		m.sizes[n] = model
	}
	return model, diags
}

// Written is a lowering of the model as a file for that size has it.
func (m *Model) Written(model *modules.Model, n Size) (*onnxbuild.Written, error) {
	w, err := m.Form(model.Graph.Clone())
	if err != nil {
		return nil, err
	}
	w.Graph.Properties = properties(model, w.Graph, m.names, n)
	if d := m.net.Config.Definitions; d != nil {
		w.Graph.Properties = append(w.Graph.Properties, onnxbuild.Property{Key: "modules", Value: d.Source()})
	}
	if assumed := m.Trained.Assumed(); assumed != "" {
		w.Graph.Properties = append(w.Graph.Properties, onnxbuild.Property{Key: verify.AssumedKey, Value: assumed})
	}
	return w, nil
}

// form applies the passes, unless the options say otherwise, narrows what is float16, and writes the graph in the form of the
// opset.
func (m *Model) form(g *onnxbuild.Graph) (*onnxbuild.Written, error) {
	if !m.opt.NoOptimize {
		if err := passes.Run(g); err != nil {
			return nil, err
		}
	}
	if err := passes.Narrow(g, m.opt.Precision); err != nil {
		return nil, err
	}
	return g.AtOpset(m.opt.Opset)
}

func roundUp(n, multiple int) int { return (n + multiple - 1) / multiple * multiple }

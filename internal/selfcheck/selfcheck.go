// Package selfcheck brings an exported model and the checks of package verify together: what its file must be, and a small
// sample of it that the reference interpreter computes.
package selfcheck

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"

	"ysc2onnx/internal/pipeline"
	"ysc2onnx/internal/version"
	"ysc2onnx/modules"
	"ysc2onnx/onnxbuild"
	"ysc2onnx/onnxbuild/onnxfile"
	"ysc2onnx/onnxbuild/reference"
	"ysc2onnx/verify"
	"ysc2onnx/verify/engine"
)

// Options says how a file is checked.
type Options struct {
	Runtime engine.Runtime // runs the file; nil: it is read, and not run
	Full    bool           // every initializer and every layer's numbers, too
	Seed    uint64         // of the input

	ExactWeights bool // those that are float16 are not rounded
}

// File checks the file at path, to which the model was written as w.
func File(ctx context.Context, path string, m *pipeline.Model, w *onnxbuild.Written, opt Options) (*verify.Report, error) {
	want, skipped := expectation(m, w, opt), ""
	if opt.Full {
		for _, v := range w.Initializers {
			want.Weights = append(want.Weights, verify.Weight{
				Name: v.Name, DType: engine.DType(v.DType), Dims: v.Const.Shape, Encode: v.Const.Encode,
			})
		}
		if opt.Runtime != nil {
			want.Sample, skipped = sample(ctx, m, w)
		}
	}
	rep, err := verify.File(ctx, opt.Runtime, path, want)
	if rep != nil && skipped != "" {
		rep.Skipped = append(rep.Skipped, skipped)
	}
	return rep, err
}

// sampleBatch is how many images a sample has: two, so that they get mixed up where that can happen.
const sampleBatch = 2

// sampleSizes are the sizes of an image that are tried for a sample, in strides. None is square, so that swapped axes show,
// and the smallest leaves maps of 2x3: ScConv normalises by the deviation within a map, which a single pixel does not have.
var sampleSizes = [][2]int{{2, 3}, {4, 5}, {8, 9}}

// sample is a small model of the same weights, computed by the reference interpreter from the lowering, as it was before
// any pass and opset form. w is the model as it was written. Where there is none that small, skipped says so.
func sample(ctx context.Context, m *pipeline.Model, w *onnxbuild.Written) (s *verify.Sample, skipped string) {
	at := m.Size
	at.Batch = sampleBatch
	raw, form := sampled(ctx, m, w, &at)
	if raw == nil {
		return nil, fmt.Sprintf("the numbers of the layers, as the model takes no image as small as %dx%d", at.Height, at.Width)
	}
	s = &verify.Sample{Batch: at.Batch, Height: at.Height, Width: at.Width, Inner: inner(raw, w)}
	for _, row := range m.Summary.Rows {
		s.Classes = append(s.Classes, row.Class())
	}
	s.Values = func(ctx context.Context, input engine.Tensor) (verify.Reference, error) {
		return Values(ctx, raw, input, s.Inner)
	}
	s.Rounded = func(ctx context.Context, input engine.Tensor) (verify.Reference, error) {
		return valuesRounded(ctx, raw, input, s.Inner)
	}
	if at.Dynamic != pipeline.DynamicAll {
		s.Model = func(stored func(string) (verify.Stored, bool)) ([]byte, error) {
			return small(ctx, form, w, stored)
		}
	}
	return s, ""
}

// sampled lowers the model for a sample, and sets the sample's size in at: the smallest at which the model has the nodes
// that were written. On maps of one or two pixels some of them may have dropped out, so that a model exported for an image
// as small as that is its own sample. form is the lowering as the file would have it. Both are nil where the model fits none
// of the sizes; at then holds the last one.
func sampled(ctx context.Context, m *pipeline.Model, w *onnxbuild.Written, at *pipeline.Size) (raw *modules.Model, form *onnxbuild.Written) {
	sizes, own := sampleSizes, [2]int{at.Height / m.Stride(), at.Width / m.Stride()}
	if last := sizes[len(sizes)-1]; own[0]*own[1] <= last[0]*last[1] {
		sizes = append(slices.Clone(sizes), own)
	}
	var fitsAt pipeline.Size // the first of all, for the check to say how the nodes differ
	for _, k := range sizes {
		at.Height, at.Width = k[0]*m.Stride(), k[1]*m.Stride()
		fixed := *at
		fixed.Dynamic = pipeline.Static // an open size would not show that the model does not fit
		if m.LoweredAt(ctx, fixed) == nil {
			continue
		}
		model := m.LoweredAt(ctx, *at)
		if at.Dynamic == pipeline.DynamicAll || model == nil {
			return model, nil
		}
		written, err := m.Written(model, *at)
		if err != nil {
			continue
		}
		if sameNodes(written, w) {
			return model, written
		}
		if raw == nil {
			raw, form, fitsAt = model, written, *at
		}
	}
	if raw != nil {
		*at = fitsAt
	}
	return raw, form
}

// sameNodes reports whether two models have the same operators under the same names.
func sameNodes(a, b *onnxbuild.Written) bool {
	return slices.EqualFunc(a.Nodes, b.Nodes, func(x, y onnxbuild.WireNode) bool { return x.Op == y.Op && x.Name == y.Name })
}

// inner are the values inside the layers that one module gives to another and that the file, w, has as well: those that the
// same operator makes under the same name. A convolution that a batch norm follows is not among them, as the norm may be
// folded into it.
func inner(m *modules.Model, w *onnxbuild.Written) (list []verify.Inner) {
	written := map[string]string{} // operators, by what they give
	for i := range w.Nodes {
		for _, name := range w.Nodes[i].Outputs {
			written[name] = w.Nodes[i].Op
		}
	}
	uses := m.Graph.Uses()
	for _, n := range m.Graph.Nodes {
		layer := 0
		if count, _ := fmt.Sscanf(n.Name, "/model.%d/", &layer); count == 0 {
			continue
		}
		for _, v := range n.Outputs {
			leaves := func(to *onnxbuild.Node) bool { return path.Dir(to.Name) != path.Dir(n.Name) }
			norm := func(to *onnxbuild.Node) bool { return to.Op.Name == "BatchNormalization" }
			if !v.Pinned && v.DType == onnxbuild.Float32 && written[v.Name] == n.Op.Name &&
				slices.ContainsFunc(uses[v], leaves) && !slices.ContainsFunc(uses[v], norm) {
				list = append(list, verify.Inner{Layer: layer, Name: v.Name})
			}
		}
	}
	return list
}

// comparisons are the operators of gates, whose operands package verify asks for.
var comparisons = []string{"Greater", "GreaterOrEqual", "Less", "LessOrEqual"}

// Values computes every layer and output, and the given values inside the layers.
func Values(ctx context.Context, m *modules.Model, input engine.Tensor, inner []verify.Inner) (verify.Reference, error) {
	return values(ctx, m, input, inner, reference.Run)
}

// values computes every layer and output, and the given values inside the layers, by the interpreter in one of its precisions.
func values(ctx context.Context, m *modules.Model, input engine.Tensor, inner []verify.Inner,
	run func(context.Context, *onnxbuild.Graph, map[string]*reference.Array, []string) (map[string]*reference.Array, error),
) (layerValues, error) {
	found := layerValues{values: map[string]string{}}
	add := func(name string, v *onnxbuild.Value) {
		found.names = append(found.names, name)
		found.values[name] = v.Name
	}
	for i := range len(m.Summary.Rows) - 1 {
		add("layer."+strconv.Itoa(i), m.Graph.Marked(modules.LayerName(i)))
	}
	for _, v := range m.Graph.Outputs {
		add(v.Name, v)
	}
	image := &reference.Array{DType: onnxbuild.Float32, Shape: input.Shape, Data: make([]float64, len(input.Floats))}
	for i, x := range input.Floats {
		image.Data[i] = float64(x)
	}
	wanted := slices.Collect(maps.Values(found.values))
	for _, v := range inner {
		wanted = append(wanted, v.Name)
	}
	for _, n := range m.Graph.Nodes {
		if v := n.Inputs; slices.Contains(comparisons, n.Op.Name) && v[0].Const == nil && v[0].DType == onnxbuild.Float32 {
			wanted = append(wanted, v[0].Name)
		}
	}
	var err error
	found.arrays, err = run(ctx, m.Graph, map[string]*reference.Array{m.Graph.Inputs[0].Name: image}, wanted)
	return found, err
}

// layerValues are values of the reference interpreter; it implements [verify.Reference].
type layerValues struct {
	names  []string          // layer.<i>, output<k>; not those inside layers
	values map[string]string // by these names, what the values are called in the graph
	arrays map[string]*reference.Array
}

// Exact implements [verify.Computed64].
func (l layerValues) Exact(name string) ([]int64, []float64, bool) {
	a := l.arrays[name]
	if a == nil {
		return nil, nil, false
	}
	return a.Shape, a.Data, true
}

// Names implements [verify.Reference].
func (l layerValues) Names() []string { return slices.Clone(l.names) }

// Read implements [verify.Reference].
func (l layerValues) Read(name string) (engine.Tensor, error) {
	value, ok := l.values[name]
	if !ok { // inside a layer
		value = name
	}
	a := l.arrays[value]
	if a == nil {
		return engine.Tensor{}, fmt.Errorf("there is no value %q", name)
	}
	t := engine.Tensor{Name: name, Shape: a.Shape, Floats: make([]float32, len(a.Data))}
	for i, x := range a.Data {
		t.Floats[i] = float32(x)
	}
	return t, nil
}

// small is the sample's model, written, with the elements of those initializers left in the file, which w describes, that
// are the same at both sizes.
func small(ctx context.Context, written, w *onnxbuild.Written, stored func(name string) (verify.Stored, bool)) ([]byte, error) {
	large := map[string]*onnxbuild.Tensor{}
	for _, v := range w.Initializers {
		large[v.Name] = v.Const
	}
	var problems []error
	layout, err := onnxfile.Plan(written, onnxfile.Options{Version: version.Version, Elsewhere: func(v *onnxbuild.Value) (onnxfile.Place, bool) {
		place, ok := stored(v.Name)
		if !ok {
			return onnxfile.Place{}, false
		}
		same, err := sameElements(v.Const, large[v.Name])
		problems = append(problems, err)
		return onnxfile.Place{Name: place.File, Offset: place.Offset}, same
	}})
	if err := errors.Join(append(problems, err)...); err != nil {
		return nil, err
	}
	var model bytes.Buffer
	err = layout.Write(ctx, &model, nil, nil)
	return model.Bytes(), err
}

// minElsewhere is the size in bytes from which the elements of a tensor are left in the file: scales of a Resize and the like
// stay in the model, where a runtime reads them while it infers shapes.
const minElsewhere = 64

// maxCompared is the size in bytes up to which the elements of two tensors are compared. What depends on the size of a
// sample is smaller.
const maxCompared = 256 << 10

// sameElements reports whether the elements of a tensor of the sample can be taken from the model that was written, large.
func sameElements(small, large *onnxbuild.Tensor) (bool, error) {
	if large == nil || small.DType != large.DType || !small.DType.IsFloat() || !slices.Equal(small.Shape, large.Shape) {
		return false, nil
	}
	size := small.Bytes()
	if size < minElsewhere || size > maxCompared {
		return size >= minElsewhere, nil
	}
	scratch, a, b := make([]float32, small.Len()), make([]byte, size), make([]byte, size)
	if err := errors.Join(small.Encode(a, 0, scratch), large.Encode(b, 0, scratch)); err != nil {
		return false, err
	}
	return bytes.Equal(a, b), nil
}

// expectation is what the checks expect of the written file.
func expectation(m *pipeline.Model, w *onnxbuild.Written, opt Options) verify.Expect {
	io := func(v *onnxbuild.Value) engine.IO {
		out := engine.IO{Name: v.Name, DType: engine.DType(v.DType)}
		for _, d := range v.Shape {
			n, static := d.Static()
			name := ""
			if !static {
				n, name = -1, m.Graph.DimName(d)
			}
			out.Dims, out.DimNames = append(out.Dims, n), append(out.DimNames, name)
		}
		return out
	}
	want := verify.Expect{
		Input: io(w.Graph.Inputs[0]), Precision: m.Precision(), DynamicBatch: m.Size.Dynamic != pipeline.Static, DynamicSize: m.Size.Dynamic == pipeline.DynamicAll,
		Stride: m.Stride(), Batch: m.Size.Batch, Height: m.Size.Height, Width: m.Size.Width, Seed: opt.Seed,
		Options: engine.SessionOptions{StrictShapes: true},
	}
	for _, v := range m.Graph.Outputs {
		want.Outputs = append(want.Outputs, io(v))
	}
	if opt.ExactWeights && want.Precision == verify.HalfWeights {
		want.Precision = verify.Single
	}
	want.OutputDims = func(batch, height, width int) map[string][]int64 {
		at := map[string]int64{"batch": int64(batch), "height": int64(height), "width": int64(width)}
		dims := map[string][]int64{}
		for _, v := range m.Graph.Outputs {
			for _, d := range v.Shape {
				n, err := d.At(at)
				if err != nil {
					n = -1 // an impossible size: the check fails and shows it
				}
				dims[v.Name] = append(dims[v.Name], n)
			}
		}
		return dims
	}
	return want
}

package modules

import (
	"strconv"

	"ysc2onnx/onnxbuild"
	"ysc2onnx/weights"
)

// Summary is what YOLOv5 prints of a model when training begins, with shapes.
type Summary struct {
	Rows       []SummaryRow `json:"rows"`
	Backbone   int          `json:"backbone"`   // how many of Rows are the backbone's
	Layers     int          `json:"layers"`     // torch modules, containers included
	Parameters int64        `json:"parameters"` // trained numbers
	GFLOPs     float64      `json:"gflops"`     // 10⁹ operations for one image, as YOLOv5 counts them with thop; see [Model.CountOperations]
	Height     int          `json:"height"`     // of the image, in pixels
	Width      int          `json:"width"`
	Stride     int          `json:"stride"` // height and width are multiples of it
	Classes    int          `json:"classes"`
}

// SummaryRow is one layer.
type SummaryRow struct {
	Index     int     `json:"index"`
	From      string  `json:"from"`      // as Python prints it: -1 or [-1, 6]
	Sources   []int   `json:"sources"`   // the layers that it reads, by index; -1 is the image
	N         int     `json:"n"`         // the number after the depth gain
	Params    int64   `json:"params"`    // trained numbers
	Module    string  `json:"module"`    // the class, as PyTorch prints it
	Arguments string  `json:"arguments"` // what the constructor gets, as Python prints it
	Shape     []int64 `json:"shape"`     // of the output; nil where it is not static
	GFLOPs    float64 `json:"gflops"`    // of the layer, for the whole batch
}

// Class is the module's class without its Python module: "Conv".
func (r *SummaryRow) Class() string { return className(r.Module) }

func summaryRow(l *Layer, after, before counts, out *onnxbuild.Value) SummaryRow {
	shape, _ := out.Shape.Static()
	r := SummaryRow{
		Index: l.Row.Index, From: intList(l.Row.From), Sources: l.Row.Sources(), N: l.N, Params: after.parameters - before.parameters,
		Module: l.Spec.Class.Path, Arguments: l.Arguments, Shape: shape, GFLOPs: float64(after.macs-before.macs) * 2 / 1e9,
	}
	if !l.Row.FromList {
		r.From = strconv.Itoa(l.Row.From[0])
	}
	return r
}

// counts adds up what PyTorch's model summary prints.
type counts struct {
	modules    int
	parameters int64
	macs       int64 // multiply-accumulates, as the thop package counts them
}

// CountOperations fills in Summary.GFLOPs, unless a size is open: for that the layers are lowered once more, as small as the stride.
func (m *Model) CountOperations() {
	if m.gflops != nil {
		m.Summary.GFLOPs = m.gflops()
	}
}

// gflops is the figure for one image that YOLOv5 prints (utils/torch_utils.py, model_info): it counts on an image as large as
// the stride and scales by the area, also what does not grow with it. A model that no such small image fits is counted at
// its own size.
func (b *builder) gflops(opt Options, stride int, area int64) float64 {
	batch, _ := opt.Batch.Static()
	side := onnxbuild.D(int64(stride))
	opt.Batch, opt.Height, opt.Width, opt.Strides = onnxbuild.D(1), side, side, b.lowering.strides
	if t, ok := opt.Weights.(Trained); ok {
		opt.Weights = uncounted{t}
	}
	small := newBuilder(b.net, opt)
	small.stage, small.lowering.counting = rawMaps, true
	for _, l := range b.net.Layers {
		small.layer(l)
	}
	if small.missing || small.diags.HasErrors() {
		return float64(b.lowering.count.macs) * 2 / 1e9 / float64(batch)
	}
	return float64(small.lowering.count.macs) * 2 / 1e9 * (float64(area) / float64(stride*stride))
}

// uncounted is a trained model whose tensors are not asked for: nothing is written of them.
type uncounted struct{ Trained }

// Tensor implements [Weights].
func (uncounted) Tensor(string, []int64, Init) (onnxbuild.FloatSource, error) {
	return weights.Constant(0), nil
}

// CountMACs adds n multiply-accumulates, where n is static: a model with open sizes has no such figure.
func (s *Scope) CountMACs(n onnxbuild.Dim, times int64) {
	if k, ok := n.Static(); ok {
		s.model.count.macs += k * times
	}
}

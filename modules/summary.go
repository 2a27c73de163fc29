package modules

import (
	"strconv"

	"ysc2onnx/onnxbuild"
)

// Summary is what YOLOv5 prints of a model when training begins, with shapes.
type Summary struct {
	Rows       []SummaryRow `json:"rows"`
	Backbone   int          `json:"backbone"`   // how many of Rows are the backbone's
	Layers     int          `json:"layers"`     // torch modules, containers included
	Parameters int64        `json:"parameters"` // trained numbers
	GFLOPs     float64      `json:"gflops"`     // 10⁹ operations for one image, as YOLOv5 counts them with thop
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
	whole      int64 // those of macs that are of whole maps, however large: they finish an average, or follow it
}

// gflops is the figure for one image that YOLOv5 prints (utils/torch_utils.py, model_info): it counts on an image as
// large as the stride and scales by the area, also what does not depend on it.
func (c counts) gflops(batch, area, stride int64) float64 {
	scale := float64(area) / float64(stride*stride)
	macs := float64(c.macs-c.whole) + float64(float64(c.whole)*scale)
	return macs * 2 / 1e9 / float64(batch)
}

// CountMACs adds n multiply-accumulates, where n is static: a model with open sizes has no such figure.
func (s *Scope) CountMACs(n onnxbuild.Dim, times int64) {
	if k, ok := n.Static(); ok {
		s.model.count.macs += k * times
	}
}

package yamlcfg

import (
	"strings"

	"ysc2onnx/diag"
	"ysc2onnx/yamlcfg/python"
)

// Row is one layer: `[from, number, module, args]`.
type Row struct {
	Index    int              // layer index, counted through backbone and head
	From     []int            // as written, negative ones too
	FromList bool             // written as a list
	Number   int              // as written, before the depth gain
	Module   string           // as written, e.g. Conv or nn.Upsample
	Args     []python.Literal // as YOLOv5 sees them: nc, None, '1e-4' and the like are values
	Comment  string           // the comment after the row on its last line, without # and outer spaces
	Broken   bool             // the row had an error; what could not be read is zero

	Span, FromSpan, NumberSpan, ModuleSpan, ArgsSpan diag.Span
	FromSpans                                        []diag.Span // of each element of From
}

// Sources gives the absolute indices of the layers that the row reads, -1 being the image. As in YOLOv5 a negative
// index counts from the row: -1 is the layer before it, -2 the one before that. Only layer 0 reads the image.
func (r Row) Sources() []int {
	sources := make([]int, len(r.From))
	for i, f := range r.From {
		if f < 0 {
			f = max(r.Index+f, -1)
		}
		sources[i] = f
	}
	return sources
}

// Detects reports whether a row is an output head.
func (r Row) Detects() bool {
	return strings.Contains(r.Module, "Detect") || strings.Contains(r.Module, "Segment")
}

// Upsamples reports whether a row enlarges its map.
func (r Row) Upsamples() bool { return strings.Contains(r.Module, "Upsample") }

// Halves reports whether a row is a convolution of stride 2: [channels, kernel, 2, ...].
func (r Row) Halves() bool {
	return strings.HasSuffix(r.Module, "Conv") && len(r.Args) > 2 && r.Args[2].Kind == python.Int && r.Args[2].Int == 2
}

// Pointwise reports whether a row is a 1x1 convolution: [channels, 1, ...], or a Conv of channels alone.
func (r Row) Pointwise() bool {
	if r.Module == "Conv" && len(r.Args) == 1 {
		return true
	}
	return strings.HasSuffix(r.Module, "Conv") && len(r.Args) > 1 && r.Args[1].Kind == python.Int && r.Args[1].Int == 1
}

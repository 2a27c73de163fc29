package yamlcfg

import (
	"math"

	"ysc2onnx/diag"
	"ysc2onnx/yamlcfg/python"
)

// Limits on what a model may hold, far beyond any real one, so that a hostile file stays cheap.
const (
	MaxRows     = 20_000    // rows of backbone and head together
	MaxNumber   = 1_000     // a row's number
	MaxClasses  = 1_000_000 // nc
	MaxChannels = 10_000    // ch
	MaxMultiple = 1_000     // depth_multiple and width_multiple
	MaxAnchors  = 1_000     // anchors per output, and outputs
	maxDepth    = 64        // nesting of lists
	maxFrom     = 1_000     // layers that a row reads
	maxValues   = 500_000   // values in the text, and literals after aliases are followed
)

// Model is a YOLOv5 model YAML: rows and the numbers that scale them.
type Model struct {
	Source          *diag.Source
	NC              int     // number of classes
	DepthMultiple   float64 // gd: scales a row's number
	WidthMultiple   float64 // gw: scales a row's channels
	Anchors         Anchors
	Activation      *python.Literal // default activation, a Call; nil when absent: nn.SiLU()
	ChannelMultiple int             // channels are rounded up to a multiple of it; 8 when absent
	Channels        int             // channels of the image, key ch; 3 when absent
	Definitions     *Node           // modules that the YAML defines, key modules; nil when absent
	Names           []string        // of the classes, as Python prints them, nc of them; nil when absent
	Rows            []Row           // backbone, then head
	BackboneRows    int             // how many of Rows are the backbone's

	// Where the values stand; zero when the key is absent.
	NCSpan, DepthSpan, WidthSpan, ActivationSpan, ChannelMultipleSpan, ChannelsSpan, HeadSpan diag.Span
}

// Anchors are the anchor boxes in pixels, one list of w,h pairs for each output, or only their number per output.
type Anchors struct {
	Lists [][]float64    // nil when a count was given; all of one even length
	Count int            // the count that was given, else 0
	Value python.Literal // as written: a List of Lists, or an Int
}

// NumAnchors is the number of anchors per output: na in YOLOv5.
func (a Anchors) NumAnchors() int {
	if len(a.Lists) > 0 {
		return len(a.Lists[0]) / 2
	}
	return a.Count
}

// NumOutputs is the number of channels of each output convolution of Detect: no = na * (nc + 5) in YOLOv5, whose
// parser leaves a layer of just that many channels unscaled.
func (m *Model) NumOutputs() int { return m.Anchors.NumAnchors() * (m.NC + 5) }

// ScaleDepth applies the depth gain to a row's number: max(round(n*gd), 1) for n > 1, else n. Like Python's, round
// takes halves to the even number.
func (m *Model) ScaleDepth(n int) int {
	if n <= 1 {
		return n
	}
	return max(int(math.RoundToEven(float64(n)*m.DepthMultiple)), 1)
}

// ScaleWidth applies the width gain to a number of channels: ceil(c*gw/d)*d, with d the channel multiple. The
// arithmetic is Python's: each step is rounded to float64.
func (m *Model) ScaleWidth(c float64) int {
	d := m.ChannelMultiple
	if d <= 0 {
		d = 8
	}
	scaled := float64(c * m.WidthMultiple)
	return int(math.Ceil(scaled/float64(d))) * d
}

package modules

import (
	"slices"

	"ysc2onnx/yamlcfg"
)

// Wiring is how YOLOv5's parser makes a module's arguments from a row.
type Wiring int

// The wirings of models/yolo.py, parse_model.
const (
	Scaled  Wiring = iota // (c1, c2, *args): the first argument is the channels out, scaled by the width
	Repeats               // as Scaled, with the number of repeats after c2: one module, whatever the number
	Plain                 // (*args): the channels stay
	Joined                // several inputs; the channels are their sum
	Head                  // several inputs, of which the channels are appended
)

// Spec is a row of the table of modules.
type Spec struct {
	Name   string // as a YAML has it
	Class  string // as PyTorch prints it
	Wiring Wiring
	Doc    string // one line

	// Repeated is a tensor that each repeat inside the module has, for modules that forks wire differently: some as
	// Repeats, some as Scaled. A checkpoint tells by it.
	Repeated string

	New  func(a *Args) Module // one input
	Join func(a *Args) Joiner // several inputs
}

// Table lists the modules that a YAML can name.
var Table = []Spec{
	{Name: "Conv", Class: "models.common.Conv", Wiring: Scaled,
		Doc: "convolution, batch norm, activation: c2, k=1, s=1, p=None, g=1, d=1, act=True",
		New: func(a *Args) Module {
			args := ConvArgs{
				Kernel: a.Pair("k", 1), Stride: a.Pair("s", 1), Pad: a.PadOrNone("p"),
				Groups: a.Positive("g", 1), Dilation: a.Positive("d", 1),
			}
			return NewConv(a.C1, a.C2, args, a.Activation("act"))
		}},
	{Name: "Bottleneck", Class: "models.common.Bottleneck", Wiring: Scaled,
		Doc: "1x1 and 3x3 Conv with a residual: c2, shortcut=True, g=1, e=0.5",
		New: func(a *Args) Module {
			return NewBottleneck(a.C1, a.C2, a.Bool("shortcut", true), a.Positive("g", 1), a.Float("e", 0.5), a.Act)
		}},
	{Name: "C3", Class: "models.common.C3", Wiring: Repeats,
		Doc: "CSP bottleneck with three convolutions: c2, shortcut=True, g=1, e=0.5",
		New: func(a *Args) Module {
			return NewC3(a.C1, a.C2, a.N, a.Bool("shortcut", true), a.Positive("g", 1), a.Float("e", 0.5), a.Act)
		}},
	{Name: "C3_ScConv", Class: "models.common.C3_ScConv", Wiring: Repeats,
		Doc:      "C3 with ScConv inside: c2, shortcut (not used), g (not used), e=0.5",
		Repeated: "SRU.gn.gamma",
		New:      newC3ScConv},
	{Name: "ScConv", Class: "models.common.ScConv", Wiring: Scaled,
		Doc: "spatial and channel reconstruction: c2 (becomes group_num), gate_treshold=0.5, alpha=0.5, squeeze_radio=2, group_size=2, group_kernel_size=3",
		New: newScConv},
	{Name: "SPPF", Class: "models.common.SPPF", Wiring: Scaled,
		Doc: "fast spatial pyramid pooling: c2, k=5",
		New: func(a *Args) Module { return NewSPPF(a.C1, a.C2, a.Odd("k", 5), a.Act) }},
	{Name: "nn.Upsample", Class: "torch.nn.modules.upsampling.Upsample", Wiring: Plain,
		Doc: "nearest upsampling by a whole factor: size (None), scale_factor, mode='nearest'",
		New: newUpsample},
	{Name: "Concat", Class: "models.common.Concat", Wiring: Joined,
		Doc:  "joins maps: dimension=1",
		Join: newConcat},
	{Name: "Detect", Class: "models.yolo.Detect", Wiring: Head,
		Doc:  "detection head: nc, anchors",
		Join: newDetect},
}

var byName = index(Table)

// index maps the specs by name, and panics at start where two share one.
func index(table []Spec) map[string]*Spec {
	m := make(map[string]*Spec, len(table))
	for i := range table {
		spec := &table[i]
		if m[spec.Name] != nil {
			panic("modules: " + spec.Name + " is in the table twice")
		}
		if (spec.New == nil) == (spec.Join == nil) {
			panic("modules: " + spec.Name + " needs one constructor")
		}
		m[spec.Name] = spec
	}
	return m
}

// Names lists the modules that a YAML can name, sorted.
func Names() []string {
	names := make([]string, len(Table))
	for i, spec := range Table {
		names[i] = spec.Name
	}
	slices.Sort(names)
	return names
}

func newC3ScConv(a *Args) Module {
	if a.wiring == Scaled { // outside of the set that takes the number, the constructor's third argument is the row's second
		a.N = a.Int("n", 1)
	}
	a.Bool("shortcut", true)
	a.Positive("g", 1)
	e := a.Float("e", 0.5)
	if a.N < 1 {
		a.Warnf("0 repeats: there is no ScConv inside")
	}
	if hidden := int(float64(a.C2) * e); hidden%defaultScConv.Groups != 0 || hidden < 1 {
		a.Errorf("its ScConv get %d channels (%d x %g), expected a multiple of %d, the number of groups", hidden, a.C2, e, defaultScConv.Groups)
	}
	return NewC3ScConv(a.C1, a.C2, a.N, e, a.Act)
}

// newScConv is wired as in the tutorial's parser, which hands c2 to the parameter group_num.
func newScConv(a *Args) Module {
	args := ScConvArgs{Groups: a.C2}
	written := len(a.rest)
	args.Gate = a.Float("gate_treshold", defaultScConv.Gate)
	args.Alpha = a.Float("alpha", defaultScConv.Alpha)
	args.Squeeze = a.Positive("squeeze_radio", defaultScConv.Squeeze)
	args.GroupSize = a.Positive("group_size", defaultScConv.GroupSize)
	args.GroupKernel = a.Odd("group_kernel_size", defaultScConv.GroupKernel)
	switch {
	case a.C1 != a.C2:
		a.Errorf("gets %d channels and is given %d: it keeps its channels, while YOLOv5 counts on those given; write the channels of its input (before width_multiple)", a.C1, a.C2)
	case written > 0 && (args.Gate < 0 || args.Gate >= 1):
		a.Warnf("the second argument %g is the gate's threshold, which a softmax between 0 and 1 is held against: it does not set the groups, which are as many as channels (%d)", args.Gate, a.C2)
	}
	if n := a.row.Number; n > 1 && a.model.ScaleDepth(n) == 1 {
		a.diags.Warnf(a.row.NumberSpan, "ScConv: the number %d does nothing: depth_multiple %g makes it 1", n, a.model.DepthMultiple)
	}
	return NewScConv(a.C1, args)
}

func newUpsample(a *Args) Module {
	size, _ := a.Literal("size")
	factor, _ := a.Literal("scale_factor")
	mode, given := a.Literal("mode")
	if size.Kind != yamlcfg.None {
		a.wrong("size", size, "None: a fixed size would break other image sizes; give a scale_factor")
	}
	u := &Upsample{}
	factors := []yamlcfg.Literal{factor, factor}
	if factor.Kind == yamlcfg.Tuple || factor.Kind == yamlcfg.List {
		factors = factor.Items
	}
	if len(factors) != 2 {
		a.wrong("scale_factor", factor, "one factor, or two for height and width")
		return u
	}
	for i, f := range factors {
		x, number := f.Number()
		if !number || x < 1 || x > 64 || x != float64(int(x)) {
			a.wrong("scale_factor", f, "a whole number from 1 to 64")
			break
		}
		*[]*int{&u.FactorH, &u.FactorW}[i] = int(x)
	}
	if given && (mode.Kind != yamlcfg.String || mode.Str != "nearest") {
		a.wrong("mode", mode, "'nearest'")
	}
	return u
}

func newConcat(a *Args) Joiner {
	axis := a.Int("dimension", 1)
	if axis != 1 {
		a.Errorf("joins along axis %d, expected 1: YOLOv5 counts on the sum of the channels", axis)
	}
	return &Concat{Axis: 1}
}

func newDetect(a *Args) Joiner {
	m := &Detect{Classes: a.Positive("nc", 80), Channels: a.In}
	anchors, _ := a.Literal("anchors")
	if n := anchors.Int; anchors.Kind == yamlcfg.Int && n > 0 && n <= yamlcfg.MaxAnchors { // as YOLOv5: 0, 1, 2, …
		level := make([]float64, n*2)
		for i := range level {
			level[i] = float64(i)
		}
		for range a.In {
			m.Anchors = append(m.Anchors, level)
		}
		m.Counted = true
		return m
	}
	const expected = "a list of lists of numbers, w and h of each anchor, one list for each input"
	if anchors.Kind != yamlcfg.List || len(anchors.Items) == 0 {
		a.wrong("anchors", anchors, expected)
		return m
	}
	for _, item := range anchors.Items {
		var level []float64
		for _, l := range item.Items {
			x, number := l.Number()
			if !number || !(x > 0 && x <= limit) {
				a.wrong("anchors", l, "a number of pixels over 0")
				return m
			}
			level = append(level, x)
		}
		if len(level) == 0 || len(level)%2 != 0 || len(m.Anchors) > 0 && len(level) != len(m.Anchors[0]) {
			a.wrong("anchors", item, expected+", all of the same length")
			return m
		}
		m.Anchors = append(m.Anchors, level)
	}
	if len(m.Anchors) != len(a.In) {
		a.diags.Errorf(a.row.FromSpan, "Detect: %d inputs, but anchors for %d", len(a.In), len(m.Anchors))
		a.failed = true
	}
	return m
}

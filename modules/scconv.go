package modules

import (
	"ysc2onnx/diag"
	"ysc2onnx/onnxbuild"
)

var scConvClass = Class{Path: "models.common.ScConv", Aliases: []string{"SCConv", "SCCONV"}}

var scConvSpec = Spec{
	Name: "ScConv", Class: &scConvClass, Wiring: ScaledOrKeeps, Source: "Li et al., CVPR 2023; YOLOv5's forks",
	Doc: "spatial and channel reconstruction: c2 (becomes group_num; may be left out), gate_treshold=0.5, alpha=0.5, squeeze_radio=2, group_size=2, group_kernel_size=3",
	New: newScConv,
}

// newScConv is wired as in the tutorial's parser, which hands c2 to the parameter group_num. Other forks' parsers hand over
// the channels of the input alone, so that group_num is its default; their rows are without arguments.
func newScConv(a *Args) Module {
	args, written := ScConvArgs{Groups: a.C2}, len(a.rest)
	if len(a.row.Args) == 0 {
		args.Groups = 0
	}
	args.Gate = a.Float("gate_treshold", defaultScConv.Gate)
	args.Alpha = a.Float("alpha", defaultScConv.Alpha)
	args.Squeeze = a.Positive("squeeze_radio", defaultScConv.Squeeze)
	args.GroupSize = a.Positive("group_size", defaultScConv.GroupSize)
	args.GroupKernel = a.Odd("group_kernel_size", defaultScConv.GroupKernel)
	switch {
	case a.C1 != a.C2:
		a.Errorf("gets %d channels and is given %d: it keeps its channels, while YOLOv5 counts on those given; write the channels of its input (before width_multiple)", a.C1, a.C2)
	case written > 0 && (args.Gate < 0 || args.Gate >= 1):
		a.Warnf(diag.ScConvGroups, "the second argument %g is the gate's threshold, to which a number between 0 and 1 is compared: it does not set the groups, which are as many as channels (%d)", args.Gate, a.C2)
	}
	if n := a.row.Number; n > 1 && a.model.ScaleDepth(n) == 1 {
		a.WarnAt(diag.IdleNumber, a.row.NumberSpan, "the number %d does nothing: depth_multiple %g makes it 1", n, a.model.DepthMultiple)
	}
	return NewScConv(a.C1, args)
}

// ScConv is spatial and channel reconstruction convolution (Li et al., CVPR 2023): CRU(SRU(x)). It keeps the shape.
type ScConv struct {
	sru *SRU
	cru *CRU
}

// ScConvArgs are the arguments of ScConv that have defaults.
type ScConvArgs struct {
	Groups      int     // group_num, of the group normalisation; 0: the flavour's default
	Gate        float64 // gate_treshold, as the published code spells it
	Alpha       float64 // the share of channels in the upper part
	Squeeze     int     // squeeze_radio: what the channels of both parts are divided by
	GroupSize   int     // groups of the group-wise convolution
	GroupKernel int     // its kernel
}

// defaultScConv are the defaults of the published code.
var defaultScConv = ScConvArgs{Gate: 0.5, Alpha: 0.5, Squeeze: 2, GroupSize: 2, GroupKernel: 3}

// NewScConv makes an ScConv for c channels.
func NewScConv(c int, a ScConvArgs) *ScConv {
	return &ScConv{
		sru: &SRU{c: c, groups: a.Groups, gate: a.Gate},
		cru: newCRU(c, a),
	}
}

// Class is ScConv.
func (m *ScConv) Class() *Class { return &scConvClass }

// Forward is CRU(SRU(x)).
func (m *ScConv) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	return s.Call("CRU", m.cru, s.Call("SRU", m.sru, x))
}

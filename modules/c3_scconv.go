package modules

var c3ScConvClass = Class{Path: "models.common.C3_ScConv"}

var c3ScConvSpec = Spec{
	Name: "C3_ScConv", Class: &c3ScConvClass, Wiring: RepeatsAsTrained("SRU.gn.gamma"),
	Doc: "C3 with ScConv inside: c2, shortcut (not used), g (not used), e=0.5",
	New: newC3ScConv,
}

// NewC3ScConv makes a C3_ScConv: a C3 whose inner modules are n ScConv of int(c2·e) channels, 16 groups each, with no
// residual. shortcut and groups are taken and not used, as in the published code.
func NewC3ScConv(c1, c2, n int, e float64, act *Activation) *C3 {
	return NewCSP(&c3ScConvClass, c1, c2, e, act, n, func(hidden int) Module { return NewScConv(hidden, defaultScConv) })
}

func newC3ScConv(a *Args) Module {
	if !a.RepeatsInside() { // outside of the set that takes the number, the constructor's third argument is the row's second
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

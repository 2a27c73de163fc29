package modules

var c3SPPClass = Class{Path: "models.common.C3SPP"}

var c3SPPSpec = Spec{
	Name: "C3SPP", Class: &c3SPPClass, Wiring: Scaled,
	Doc: "C3 with an SPP inside: c2, k=(5, 9, 13), n (not used), shortcut (not used), g (not used), e=0.5",
	New: func(a *Args) Module {
		sizes := a.Odds("k", 5, 9, 13)
		a.Int("n", 1)
		a.Bool("shortcut", true)
		a.Positive("g", 1)
		return NewC3SPP(a.C1, a.C2, sizes, a.Float("e", 0.5), a.Act)
	},
}

// NewC3SPP makes a C3 whose m is an SPP with windows of the given sizes. [N, c1, H, W] -> [N, c2, H, W].
func NewC3SPP(c1, c2 int, sizes []int, e float64, act *Activation) *C3 {
	hidden := int(float64(c2) * e)
	return newCSP(&c3SPPClass, c1, c2, hidden, act, NewSPP(hidden, hidden, sizes, act))
}

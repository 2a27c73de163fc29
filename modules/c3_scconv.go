package modules

// NewC3ScConv makes a C3_ScConv: a C3 whose inner modules are n ScConv of int(c2·e) channels, 16 groups each, with no
// residual. shortcut and groups are taken and not used, as in the published code.
func NewC3ScConv(c1, c2, n int, e float64, act *Activation) *C3 {
	return newCSP(c1, c2, e, act, n, func(hidden int) Module { return NewScConv(hidden, defaultScConv) })
}

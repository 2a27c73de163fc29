package modules

// Wiring makes the first arguments of a module's constructor from a row, as YOLOv5's parser does, and gives the channels of
// each value, as the parser counts them for the layer; nil after an error, which is reported at the row.
type Wiring func(a *Args) (channels []int)

// The wirings of models/yolo.py, parse_model.

// Scaled is (c1, c2, *args): the first argument is the channels out, scaled by the width.
func Scaled(a *Args) []int {
	if !a.takeC2() {
		return nil
	}
	a.prependShown(a.C1, a.C2)
	return []int{a.C2}
}

// Repeats is Scaled with the number of repeats after c2: one module, whatever the number.
func Repeats(a *Args) []int {
	if !a.takeC2() {
		return nil
	}
	if a.called {
		a.N = a.Positive("n", 1)
	}
	a.prependShown(a.C1, a.C2, a.N)
	a.inside = true
	return []int{a.C2}
}

// ScaledOrKeeps is Scaled, but for a row without arguments, whose module gets (c1): the channels stay.
func ScaledOrKeeps(a *Args) []int {
	if len(a.row.Args) > 1 || len(a.row.Args) > 0 && !a.called {
		return Scaled(a)
	}
	a.takeC1()
	a.C2 = a.C1
	a.prependShown(a.C1)
	return []int{a.C1}
}

// takeC1 takes the constructor's only argument, the channels, where it is called itself.
func (a *Args) takeC1() {
	if a.called {
		a.C1, a.wired = a.Positive("c1", 1), true
	}
}

// Keeps is (*args): the channels stay.
func Keeps(a *Args) []int {
	a.wired = true
	return []int{a.C1}
}

// Sums is (*args) of a module with several inputs, whose channels add up.
func Sums(a *Args) []int {
	sum := 0
	for _, c := range a.In {
		sum += c
	}
	return []int{sum}
}

// Ends is (*args, in) of a head, after which nothing comes.
func Ends(*Args) []int { return []int{0} }

// RepeatsAsTrained is Repeats, unless a checkpoint was trained by a fork whose parser leaves the module out of those that
// take the number of repeats: then its blocks are in a Sequential, or have not as many repeats inside, and it is Scaled.
// A YAML alone does not tell; there BlockWiring counts.
func RepeatsAsTrained(a *Args) []int {
	switch {
	case a.called:
	case a.trained != nil && a.N > 0 && a.trained.Module(join(a.path(), "m", a.N-1)) == nil, a.trained == nil && a.blocks == BlocksPlain:
		return Scaled(a)
	case a.trained == nil && a.blocks == BlocksAssumed && (a.N > 1 || len(a.row.Args) > 1):
		a.NoteOnce(a.row.ModuleSpan, "a YAML does not tell whether the parser gives this block its number of repeats; that it does is assumed, as in "+
			"YOLOv5's tutorial (--c3-scconv repeats says so); in many forks it does not, which is another model (--c3-scconv plain)")
	}
	return Repeats(a)
}

// BlockWiring says how a fork's parser wires C3_ScConv and its kin, where no checkpoint tells.
type BlockWiring string

// The wirings of C3_ScConv.
const (
	BlocksAssumed BlockWiring = ""        // repeats, with a note where it matters
	BlocksRepeat  BlockWiring = "repeats" // (c1, c2, n, *args): one block with n repeats inside
	BlocksPlain   BlockWiring = "plain"   // (c1, c2, *args): n blocks in a Sequential, and the row's second argument is each one's n
)

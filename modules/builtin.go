package modules

// builtin are the modules that every registry of [Builtin] begins with. Each stands in the file of its name.
var builtin = []Spec{
	convSpec,
	bottleneckSpec,
	c3Spec,
	c3ScConvSpec,
	scConvSpec,
	sppfSpec,
	upsampleSpec,
	concatSpec,
	detectSpec,
}

// Builtin is a new registry of the modules that are known here; more can be added.
func Builtin() *Registry {
	r := NewRegistry()
	for _, s := range builtin {
		if err := r.Add(s); err != nil {
			panic(err) // a fault of the list above, which every test meets
		}
	}
	return r
}

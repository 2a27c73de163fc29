package modules

import (
	"fmt"
	"slices"
	"strings"

	"ysc2onnx/yamlcfg/python"
)

// activation makes the module that a call such as nn.LeakyReLU(0.1) names.
func activation(call python.Literal) (*Activation, error) {
	i := slices.IndexFunc(activationKinds, func(k *activationKind) bool {
		return k.isTorch() && call.Kind == python.Call && call.Str == "nn."+k.class.Name()
	})
	if i < 0 {
		return nil, fmt.Errorf("%s is not a known activation: expected one of %s", call.Repr(), strings.Join(activationNames(), ", "))
	}
	act := newActivation(activationKinds[i])
	if act.kind == identityKind { // which takes and ignores anything
		return act, nil
	}
	takes := slices.DeleteFunc(slices.Clone(act.kind.args), func(a activationArg) bool { return a.fixed })
	if act.kind.inplace {
		takes = append(takes, activationArg{name: "inplace"})
	}
	if len(call.Items) > len(takes) {
		return nil, fmt.Errorf("%s does not take the argument %s", call.Str, call.Items[len(takes)].Repr())
	}
	given := make([]*python.Literal, len(takes))
	for i := range call.Items {
		given[i] = &call.Items[i]
	}
	for i, kw := range call.Kw {
		at := slices.IndexFunc(takes, func(a activationArg) bool { return a.name == kw.Name })
		if at < 0 || given[at] != nil {
			return nil, fmt.Errorf("%s does not take %s=%s", call.Str, kw.Name, kw.Value.Repr())
		}
		given[at] = &call.Kw[i].Value
	}
	for i, l := range given {
		if l == nil {
			continue
		}
		if err := act.set(i, takes[i], *l); err != nil {
			return nil, err
		}
	}
	return act, nil
}

// set takes the i-th argument of a call; inplace changes nothing.
func (a *Activation) set(i int, arg activationArg, l python.Literal) error {
	if arg.name == "inplace" {
		if l.Kind != python.Bool {
			return fmt.Errorf("%s of nn.%s is %s, expected True or False", arg.name, a.kind.class.Name(), l.Repr())
		}
		return nil
	}
	value, ok := l.Number()
	if l.Kind == python.String {
		value, ok = arg.choice(l.Str)
	} else {
		ok = ok && arg.allows(value)
	}
	if !ok {
		return fmt.Errorf("%s of nn.%s is %s, expected %s", arg.name, a.kind.class.Name(), l.Repr(), arg.expected())
	}
	a.values[i] = value
	return nil
}

// activationNames are the names that a YAML can give, sorted.
func activationNames() []string {
	var names []string
	for _, k := range activationKinds {
		if k.isTorch() {
			names = append(names, "nn."+k.class.Name())
		}
	}
	slices.Sort(names)
	return names
}

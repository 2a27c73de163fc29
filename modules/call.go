package modules

import (
	"fmt"

	"ysc2onnx/diag"
	"ysc2onnx/yamlcfg"
	"ysc2onnx/yamlcfg/python"
)

// Call makes a module as Python code does inside of another's constructor: by its own constructor's arguments, with the channels
// in and out and the number of repeats where it takes them, and nothing scaled. a are the arguments of the module around it.
func (s *Spec) Call(a *Args, args []python.Literal) (Module, error) {
	if s.New == nil {
		return nil, fmt.Errorf("%s takes several inputs: only modules with one input can be children", s.Name)
	}
	if a.made == nil {
		a.made = new(int)
	}
	if *a.made++; *a.made > maxChildren {
		return nil, fmt.Errorf("the module is made of more than %d others", maxChildren)
	}
	in := &Args{
		Act: a.Act, N: 1, row: &yamlcfg.Row{Module: s.Name, Args: args, Index: a.row.Index}, model: a.model, blocks: BlocksRepeat,
		diags: diag.NewDiagnostics(a.diags.Source), noted: map[string]bool{}, rest: args, called: true, made: a.made,
	}
	if s.Wiring(in) == nil || in.failed {
		return nil, firstError(in.diags)
	}
	if !in.wired {
		return nil, fmt.Errorf("%s cannot be a child: only its row is known, not how its constructor is called", s.Name)
	}
	m := s.New(in)
	if in.rejectLeftovers(); in.failed || in.diags.HasErrors() {
		return nil, firstError(in.diags)
	}
	return m, nil
}

// maxChildren bounds the modules that a row is made of, far above any real one: definitions that name each other grow fast.
const maxChildren = 1 << 12

func firstError(diags *diag.Diagnostics) error {
	for _, d := range diags.List {
		if d.Severity == diag.Error {
			return fmt.Errorf("%s", d.Message)
		}
	}
	return fmt.Errorf("its arguments do not fit")
}

// CallTorch makes a module of torch.nn that no row can name: an activation, a pooling to one pixel, or Dropout.
func CallTorch(name string, args []python.Literal) (Module, error) {
	one := len(args) == 1 && args[0].Kind == python.Int && args[0].Int == 1
	switch name {
	case "nn.AdaptiveAvgPool2d", "nn.AdaptiveMaxPool2d":
		if !one {
			return nil, fmt.Errorf("%s is converted with the output size 1 only", name)
		}
		if name == "nn.AdaptiveMaxPool2d" {
			return AdaptiveMaxPool2d{}, nil
		}
		return AdaptiveAvgPool2d{}, nil
	case "nn.Dropout":
		return dropout{}, nil
	}
	act, err := activation(python.Literal{Kind: python.Call, Str: name, Items: args})
	if err != nil {
		return nil, fmt.Errorf("there is no module %s that can be a child", name)
	}
	return act, nil
}

// TakeIn takes the channels in: those of the row's input, or the constructor's argument.
func (a *Args) TakeIn(name string) any {
	a.wired = true
	switch {
	case a.called:
		return int64(a.Positive(name, 1))
	case len(a.In) == 1:
		return int64(a.C1)
	}
	var list []any
	for _, c := range a.In {
		list = append(list, int64(c))
	}
	return list
}

// TakeOut takes the channels out: the row's argument scaled by the width, or the constructor's as it stands.
func (a *Args) TakeOut(name string) (int64, bool) {
	if a.wired = true; a.called {
		a.C2 = a.Positive(name, 1)
		return int64(a.C2), !a.failed
	}
	return int64(0), false
}

// TakeScaled takes the row's next argument as channels out, scaled by the width.
func (a *Args) TakeScaled() (int64, bool) {
	ok := a.takeC2()
	return int64(a.C2), ok
}

// TakeRepeats takes the number of repeats into the module.
func (a *Args) TakeRepeats(name string) int64 {
	if a.called {
		return int64(a.Positive(name, 1))
	}
	a.inside = true
	return int64(a.N)
}

// Value takes an argument of any kind, or the one that is usual.
func (a *Args) Value(name string, usual python.Literal) python.Literal {
	l, ok := a.next(name)
	if !ok {
		l = usual
	}
	return record(a, l)
}

// Bind keeps what a wiring found out for the constructor, which Bound gives.
func (a *Args) Bind(v any) { a.bound = v }

// Bound is what the wiring kept.
func (a *Args) Bound() any { return a.bound }

// PlacedError is what a module that was defined in YAML refuses, with the place in its definition.
type PlacedError struct {
	Span diag.Span
	Err  error
}

// Error is the error's text.
func (e *PlacedError) Error() string { return e.Err.Error() }

// Unwrap is the error itself.
func (e *PlacedError) Unwrap() error { return e.Err }

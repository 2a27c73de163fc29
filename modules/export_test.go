package modules

import (
	"ysc2onnx/diag"
	"ysc2onnx/onnxbuild"
	"ysc2onnx/yamlcfg"
)

// DefaultScConv are the defaults of ScConv, for tests of calls that no row wires.
var DefaultScConv = defaultScConv

// LowerRow makes the module of a YAML's only row, for inputs of the given channels in place of the image, and applies it
// in g. call, where there is one, is applied instead.
func LowerRow(g *onnxbuild.Graph, cfg *yamlcfg.Model, inputs []*onnxbuild.Value, channels []int, call Module, opt Options) (outputs []*onnxbuild.Value, err error) {
	trained, _ := opt.Weights.(Trained)
	p := &parser{
		registry: Builtin(), trained: trained, diags: diag.NewDiagnostics(cfg.Source), act: SiLU(), net: &Network{Config: cfg},
		noted: map[string]bool{}, channels: channels,
	}
	l := &Layer{Row: &cfg.Rows[0], Spec: p.registry.Find(cfg.Rows[0].Module)}
	if call == nil {
		p.layer(l)
		if p.diags.HasErrors() {
			return nil, p.diags.Err()
		}
	}
	class := &identityClass
	if call == nil {
		class = l.class()
	}
	scope := newLowering(opt).root(g).enter(LayerName(0), class)
	switch {
	case call != nil:
		outputs = append(outputs, call.Forward(scope, inputs[0]))
	case l.head != nil:
		if raw := l.head.Forward(scope, inputs); raw != nil {
			for _, o := range opt.Stage.outputs(scope, raw) {
				outputs = append(outputs, o.Value)
			}
		}
	default:
		outputs = l.apply(scope, inputs)
	}
	return outputs, g.TakeErr()
}

package yamlcfg

import (
	"strings"
	"testing"

	"ysc2onnx/yamlcfg/python"
)

const header = "nc: 80\ndepth_multiple: 0.33\nwidth_multiple: 0.5\nanchors: [[10,13], [1.5,2]]\n"

// TestLiterals compares arguments with what Python makes of them. The expected texts are repr(v) as CPython 3.11
// printed them, with v = yaml.safe_load of the argument in a list (PyYAML 6.0), then eval(v) for a string, a NameError
// leaving the string, where nc is 80, anchors [[10, 13], [1.5, 2]], gd 0.33, gw 0.5, na 1 and no 85.
func TestLiterals(t *testing.T) {
	for _, c := range []struct {
		text string
		kind python.Kind
		repr string
	}{
		{`None`, python.None, `None`},
		{`null`, python.None, `None`},
		{`~`, python.None, `None`},
		{`none`, python.String, `'none'`},
		{`True`, python.Bool, `True`},
		{`yes`, python.Bool, `True`},
		{`on`, python.Bool, `True`},
		{`no`, python.Bool, `False`}, // YAML's, before Python sees the name
		{`FALSE`, python.Bool, `False`},
		{`oN`, python.String, `'oN'`},
		{`y`, python.String, `'y'`},
		{`-3`, python.Int, `-3`},
		{`+3`, python.Int, `3`},
		{`1_000`, python.Int, `1000`},
		{`1__0`, python.Int, `10`},
		{`010`, python.Int, `8`},
		{`0o17`, python.Int, `15`},
		{`0x1F`, python.Int, `31`},
		{`0b101`, python.Int, `5`},
		{`1:30`, python.Int, `90`},
		{`-1:2`, python.Int, `-62`},
		{`0_`, python.Int, `0`},
		{`.5`, python.Float, `0.5`},
		{`5.`, python.Float, `5.0`},
		{`-.5`, python.Float, `-0.5`},
		{`1:30.5`, python.Float, `90.5`},
		{`1e-4`, python.Float, `0.0001`},
		{`-1e-4`, python.Float, `-0.0001`},
		{`1e-5`, python.Float, `1e-05`},
		{`1.5e-05`, python.Float, `1.5e-05`},
		{`1.0e4`, python.Float, `10000.0`},
		{`1.0e+4`, python.Float, `10000.0`},
		{`1E5`, python.Float, `100000.0`},
		{`1e15`, python.Float, `1000000000000000.0`},
		{`1e16`, python.Float, `1e+16`},
		{`12345678901234567.0`, python.Float, `1.2345678901234568e+16`},
		{`1e400`, python.Float, `inf`},
		{`-.inf`, python.Float, `-inf`},
		{`.nan`, python.Float, `nan`},
		{`inf`, python.String, `'inf'`},
		{`nc`, python.Int, `80`},
		{`-nc`, python.Int, `-80`},
		{`na`, python.Int, `1`},
		{`'no'`, python.Int, `85`},
		{`gd`, python.Float, `0.33`},
		{`gw`, python.Float, `0.5`},
		{`anchors`, python.List, `[[10, 13], [1.5, 2]]`},
		{`nearest`, python.String, `'nearest'`},
		{`'nearest'`, python.String, `'nearest'`},
		{`"'nearest'"`, python.String, `'nearest'`},
		{`'"a''b"'`, python.String, `"a'b"`},
		{`"'a\\tb'"`, python.String, `'a\tb'`},
		{`'''\x41\u00e9\n\q\101'''`, python.String, `'Aé\n\\qA'`},
		{`bilinear-x`, python.String, `'bilinear-x'`},
		{`' 3 '`, python.Int, `3`},
		{`'- 3'`, python.Int, `-3`},
		{`'--3'`, python.Int, `3`},
		{`'+3.5'`, python.Float, `3.5`},
		{`'1_0.5'`, python.Float, `10.5`},
		{`'0x_f'`, python.Int, `15`},
		{`'00'`, python.Int, `0`},
		{`'(3, 3)'`, python.Tuple, `(3, 3)`},
		{`'(3,)'`, python.Tuple, `(3,)`},
		{`'()'`, python.Tuple, `()`},
		{`'(3)'`, python.Int, `3`},
		{`'[1, (2, 3), None]'`, python.List, `[1, (2, 3), None]`},
		{`'[1, nc, ]'`, python.List, `[1, 80]`},
		{`'[foo, 1]'`, python.String, `'[foo, 1]'`},
		{`[[0, 1, 0, 1]]`, python.List, `[[0, 1, 0, 1]]`},
		{`[nc, None, 1e-4, 'x']`, python.List, `['nc', 'None', '1e-4', 'x']`},
		{`[~, yes, 0.1]`, python.List, `[None, True, 0.1]`},
		{`nn.SiLU()`, python.Call, `SiLU()`},
		{`nn.Hardswish()`, python.Call, `Hardswish()`},
		{`'nn.LeakyReLU(negative_slope=0.1)'`, python.Call, `LeakyReLU(negative_slope=0.1)`},
		{`!!float 3`, python.Float, `3.0`},
		{`!!str 3`, python.Int, `3`},
		{`!!int '3'`, python.Int, `3`},
		{`"\u0041"`, python.String, `'A'`},
	} {
		m, ds := Parse("t.yaml", strings.NewReader(header+"backbone:\n  - [-1, 1, Conv, ["+c.text+"]]\nhead: []\n"))
		if ds.HasErrors() || len(m.Rows[0].Args) != 1 {
			t.Errorf("%s: %v", c.text, ds)
			continue
		}
		if got := m.Rows[0].Args[0]; got.Kind != c.kind || got.Repr() != c.repr {
			t.Errorf("%s: got %v %s, Python has %v %s", c.text, got.Kind, got.Repr(), c.kind, c.repr)
		}
	}
}

// TestCalls checks what Python's own repr hides: calls are data, with their arguments as written.
func TestCalls(t *testing.T) {
	m, ds := Parse("t.yaml", strings.NewReader(header+
		"activation: nn.LeakyReLU(0.1, inplace=True)\nbackbone:\n  - [-1, 1, Conv, [nn.SiLU, torch.nn.ReLU()]]\nhead: []\n"))
	if err := ds.Err(); err != nil {
		t.Fatal(err)
	}
	act := m.Activation
	if act == nil || act.Kind != python.Call || act.Str != "nn.LeakyReLU" || len(act.Items) != 1 || act.Items[0].Float != 0.1 ||
		len(act.Kw) != 1 || act.Kw[0].Name != "inplace" || !act.Kw[0].Value.Bool {
		t.Errorf("activation: got %+v", act)
	}
	if got, want := act.Repr(), "LeakyReLU(0.1, inplace=True)"; got != want {
		t.Errorf("Repr: got %s, want %s", got, want)
	}
	args := m.Rows[0].Args
	if args[0].Kind != python.Name || args[0].Str != "nn.SiLU" || args[1].Kind != python.Call || args[1].Str != "torch.nn.ReLU" {
		t.Errorf("args: got %+v", args)
	}
}

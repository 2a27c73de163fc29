package yamlcfg

import (
	"strings"
	"testing"
)

const header = "nc: 80\ndepth_multiple: 0.33\nwidth_multiple: 0.5\nanchors: [[10,13], [1.5,2]]\n"

// TestLiterals compares arguments with what Python makes of them. The expected texts are repr(v) as CPython 3.11
// printed them, with v = yaml.safe_load of the argument in a list (PyYAML 6.0), then eval(v) for a string, a NameError
// leaving the string, where nc is 80, anchors [[10, 13], [1.5, 2]], gd 0.33, gw 0.5, na 1 and no 85.
func TestLiterals(t *testing.T) {
	for _, c := range []struct {
		text string
		kind Kind
		repr string
	}{
		{`None`, None, `None`},
		{`null`, None, `None`},
		{`~`, None, `None`},
		{`none`, String, `'none'`},
		{`True`, Bool, `True`},
		{`yes`, Bool, `True`},
		{`on`, Bool, `True`},
		{`no`, Bool, `False`}, // YAML's, before Python sees the name
		{`FALSE`, Bool, `False`},
		{`oN`, String, `'oN'`},
		{`y`, String, `'y'`},
		{`-3`, Int, `-3`},
		{`+3`, Int, `3`},
		{`1_000`, Int, `1000`},
		{`1__0`, Int, `10`},
		{`010`, Int, `8`},
		{`0o17`, Int, `15`},
		{`0x1F`, Int, `31`},
		{`0b101`, Int, `5`},
		{`1:30`, Int, `90`},
		{`-1:2`, Int, `-62`},
		{`0_`, Int, `0`},
		{`.5`, Float, `0.5`},
		{`5.`, Float, `5.0`},
		{`-.5`, Float, `-0.5`},
		{`1:30.5`, Float, `90.5`},
		{`1e-4`, Float, `0.0001`},
		{`-1e-4`, Float, `-0.0001`},
		{`1e-5`, Float, `1e-05`},
		{`1.5e-05`, Float, `1.5e-05`},
		{`1.0e4`, Float, `10000.0`},
		{`1.0e+4`, Float, `10000.0`},
		{`1E5`, Float, `100000.0`},
		{`1e15`, Float, `1000000000000000.0`},
		{`1e16`, Float, `1e+16`},
		{`12345678901234567.0`, Float, `1.2345678901234568e+16`},
		{`1e400`, Float, `inf`},
		{`-.inf`, Float, `-inf`},
		{`.nan`, Float, `nan`},
		{`inf`, String, `'inf'`},
		{`nc`, Int, `80`},
		{`-nc`, Int, `-80`},
		{`na`, Int, `1`},
		{`'no'`, Int, `85`},
		{`gd`, Float, `0.33`},
		{`gw`, Float, `0.5`},
		{`anchors`, List, `[[10, 13], [1.5, 2]]`},
		{`nearest`, String, `'nearest'`},
		{`'nearest'`, String, `'nearest'`},
		{`"'nearest'"`, String, `'nearest'`},
		{`'"a''b"'`, String, `"a'b"`},
		{`"'a\\tb'"`, String, `'a\tb'`},
		{`'''\x41\u00e9\n\q\101'''`, String, `'Aé\n\\qA'`},
		{`bilinear-x`, String, `'bilinear-x'`},
		{`' 3 '`, Int, `3`},
		{`'- 3'`, Int, `-3`},
		{`'--3'`, Int, `3`},
		{`'+3.5'`, Float, `3.5`},
		{`'1_0.5'`, Float, `10.5`},
		{`'0x_f'`, Int, `15`},
		{`'00'`, Int, `0`},
		{`'(3, 3)'`, Tuple, `(3, 3)`},
		{`'(3,)'`, Tuple, `(3,)`},
		{`'()'`, Tuple, `()`},
		{`'(3)'`, Int, `3`},
		{`'[1, (2, 3), None]'`, List, `[1, (2, 3), None]`},
		{`'[1, nc, ]'`, List, `[1, 80]`},
		{`'[foo, 1]'`, String, `'[foo, 1]'`},
		{`[[0, 1, 0, 1]]`, List, `[[0, 1, 0, 1]]`},
		{`[nc, None, 1e-4, 'x']`, List, `['nc', 'None', '1e-4', 'x']`},
		{`[~, yes, 0.1]`, List, `[None, True, 0.1]`},
		{`nn.SiLU()`, Call, `SiLU()`},
		{`nn.Hardswish()`, Call, `Hardswish()`},
		{`'nn.LeakyReLU(negative_slope=0.1)'`, Call, `LeakyReLU(negative_slope=0.1)`},
		{`!!float 3`, Float, `3.0`},
		{`!!str 3`, Int, `3`},
		{`!!int '3'`, Int, `3`},
		{`"\u0041"`, String, `'A'`},
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
	if act == nil || act.Kind != Call || act.Str != "nn.LeakyReLU" || len(act.Items) != 1 || act.Items[0].Float != 0.1 ||
		len(act.Kw) != 1 || act.Kw[0].Name != "inplace" || !act.Kw[0].Value.Bool {
		t.Errorf("activation: got %+v", act)
	}
	if got, want := act.Repr(), "LeakyReLU(0.1, inplace=True)"; got != want {
		t.Errorf("Repr: got %s, want %s", got, want)
	}
	args := m.Rows[0].Args
	if args[0].Kind != Name || args[0].Str != "nn.SiLU" || args[1].Kind != Call || args[1].Str != "torch.nn.ReLU" {
		t.Errorf("args: got %+v", args)
	}
}

// FuzzLiteral holds the literal parser to: no panic, and a value's repr reads back as the same repr.
func FuzzLiteral(f *testing.F) {
	for _, seed := range []string{"None", "-1e-4", "[1, (2, 3), 'a']", "nn.LeakyReLU(0.1, inplace=True)", `'\x41\u00e9'`, "nc*2", "((", "08", "1_0."} {
		f.Add(seed)
	}
	scope := map[string]Literal{"nc": {Kind: Int, Int: 80}}
	f.Fuzz(func(t *testing.T, s string) {
		l, err := evalString(s, scope)
		if err != nil || l.Kind == String || strings.Contains(l.Repr(), "inf") || strings.Contains(l.Repr(), "(") {
			return // strings may be names; inf is one; a call's repr drops the module
		}
		again, err := evalString(l.Repr(), scope)
		if err != nil || again.Repr() != l.Repr() {
			t.Errorf("%q: %s does not read back: %s, %v", s, l.Repr(), again.Repr(), err)
		}
	})
}

package python

import (
	"strings"
	"testing"
)

// FuzzLiteral holds the literal parser to: no panic, and a value's repr reads back as the same repr.
func FuzzLiteral(f *testing.F) {
	for _, seed := range []string{"None", "-1e-4", "[1, (2, 3), 'a']", "nn.LeakyReLU(0.1, inplace=True)", `'\x41\u00e9'`, "nc*2", "((", "08", "1_0."} {
		f.Add(seed)
	}
	scope := map[string]Literal{"nc": {Kind: Int, Int: 80}}
	f.Fuzz(func(t *testing.T, s string) {
		l, err := Eval(s, scope)
		if err != nil || l.Kind == String || strings.Contains(l.Repr(), "inf") || strings.Contains(l.Repr(), "(") {
			return // strings may be names; inf is one; a call's repr drops the module
		}
		again, err := Eval(l.Repr(), scope)
		if err != nil || again.Repr() != l.Repr() {
			t.Errorf("%q: %s does not read back: %s, %v", s, l.Repr(), again.Repr(), err)
		}
	})
}

package page

import "testing"

// TestPolicy compares with the hashes that openssl gives: printf a | openssl dgst -sha256 -binary | base64
func TestPolicy(t *testing.T) {
	const a, b = "'sha256-ypeBEsobvcr6wjGzmiPcTaeG7/gUfE5yuYB3ha/uSLs='", "'sha256-PiPoFgA5WUoziU9lZOGxNIu9egCI1CxKy3PurtWcAJ0='"
	for _, c := range []struct{ got, want string }{
		{Policy([]string{"a"}), "default-src 'none'; style-src " + a + "; base-uri 'none'; form-action 'none'"},
		{Policy([]string{"a", "b"}), "default-src 'none'; style-src " + a + " " + b + "; base-uri 'none'; form-action 'none'"},
		{Policy([]string{"a"}, "b"), "default-src 'none'; style-src " + a + "; script-src " + b + "; base-uri 'none'; form-action 'none'"},
	} {
		if c.got != c.want {
			t.Errorf("got  %s\nwant %s", c.got, c.want)
		}
	}
}

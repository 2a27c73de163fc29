// Package page has what the project's HTML pages have in common: they load nothing, and run nothing that is not in them.
package page

import (
	"crypto/sha256"
	"encoding/base64"
	"strings"
)

// Policy is the Content-Security-Policy of a page with the given inline style sheets and scripts: it loads nothing, and allows
// no style and no script but these. So a name from a file could do nothing even if it got into the page unescaped.
func Policy(styles []string, scripts ...string) string {
	policy := "default-src 'none'; style-src " + hashes(styles)
	if len(scripts) > 0 {
		policy += "; script-src " + hashes(scripts)
	}
	return policy + "; base-uri 'none'; form-action 'none'"
}

// hashes names inline texts as a policy does.
func hashes(texts []string) string {
	list := make([]string, len(texts))
	for i, text := range texts {
		sum := sha256.Sum256([]byte(text))
		list[i] = "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	}
	return strings.Join(list, " ")
}

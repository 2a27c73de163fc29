package diag

import (
	"regexp"
	"slices"
	"strings"
)

// allowed matches a comment that silences warnings: `# ysc2onnx: allow stale-from, unused-layer`.
var allowed = regexp.MustCompile(`#\s*ysc2onnx:\s*allow\s+([a-z-]+(?:\s*,\s*[a-z-]+)*)\s*$`)

// Allow takes out the warnings of the given codes, and those that a comment allows: on the line where the warning begins, or
// on a line of its own above that.
func (ds *Diagnostics) Allow(codes ...Code) {
	if ds == nil {
		return
	}
	ds.List = slices.DeleteFunc(ds.List, func(d *Diagnostic) bool {
		silent := d.Severity == Warning && d.Code != "" && (slices.Contains(codes, d.Code) || ds.allowedAt(d.Code, d.Span.Start.Line))
		if silent {
			ds.counts[Warning]--
		}
		return silent
	})
}

// allowedAt says whether a comment at a line allows a code.
func (ds *Diagnostics) allowedAt(code Code, line int) bool {
	if ds.Source == nil || line == 0 {
		return false
	}
	above := strings.TrimSpace(string(ds.Source.Line(line - 1)))
	return comments(string(ds.Source.Line(line)), code) || strings.HasPrefix(above, "#") && comments(above, code)
}

// comments says whether a comment in a line's text names a code.
func comments(line string, code Code) bool {
	match := allowed.FindStringSubmatch(line)
	if match == nil {
		return false
	}
	for word := range strings.SplitSeq(match[1], ",") {
		if Code(strings.TrimSpace(word)) == code {
			return true
		}
	}
	return false
}

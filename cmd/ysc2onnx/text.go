package main

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"ysc2onnx/verify"
)

// brief is "271 ms" below a second and "3.4 s" from there.
func brief(d time.Duration) string {
	if d < time.Second {
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}

// style colours words for a terminal.
type style bool

func (s style) paint(code, text string) string {
	if !s {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// printable is text from a file with what would steer a terminal or break a line escaped.
func printable(text string) string {
	var b strings.Builder
	for _, r := range text {
		if strconv.IsPrint(r) {
			b.WriteRune(r)
		} else {
			quoted := strconv.QuoteRuneToASCII(r)
			b.WriteString(quoted[1 : len(quoted)-1])
		}
	}
	return b.String()
}

// pieces are the line breaks and the colours of a text for people, and what is between them.
var pieces = regexp.MustCompile(`\n|\x1b\[(?:[01]|3[123])m|[^\n\x1b]+|\x1b`)

// harmless is a text for people in which nothing but line breaks, and the colours that it may have, steers a terminal: names
// of files, classes and values can hold anything.
func (s style) harmless(text string) string {
	return pieces.ReplaceAllStringFunc(text, func(piece string) string {
		if piece == "\n" || bool(s) && strings.HasPrefix(piece, "\x1b[") {
			return piece
		}
		return printable(piece)
	})
}

// writeChecks prints a line for each check that says something of its own; the interface and loading show in the
// lines of the runs that need them.
func writeChecks(w *bytes.Buffer, s style, report *verify.Report) {
	ran := false
	for _, c := range report.Checks {
		ran = ran || c.OK && c.Name == "runtime"
	}
	for _, c := range report.Checks {
		detail := c.Detail
		switch c.Name {
		case "load", "interface":
			if c.OK && (ran || c.Name == "load") {
				continue
			}
		case "runtime":
			if c.OK {
				detail = report.Runtime + ": " + detail + ", " + brief(c.Duration)
			}
		case "size", "batch":
			if c.OK {
				detail += ", " + brief(c.Duration)
			}
		}
		writeCheck(w, s, c.Name, c.OK, detail)
	}
	for _, what := range report.Skipped {
		writeNotChecked(w, s, what)
	}
	if report.Facts != nil {
		for _, note := range report.Facts.Notes {
			fmt.Fprintf(w, "  %s %s\n", s.paint("33", "note:"), note)
		}
	}
}

// writeCheck prints one check.
func writeCheck(w *bytes.Buffer, s style, name string, ok bool, detail string) {
	verdict := s.paint("32", "ok")
	if !ok {
		verdict = s.paint("31", "FAILED")
	}
	fmt.Fprintf(w, "  %-10s %s   %s\n", name, verdict, detail)
}

// notProved ends the summary of a file whose numbers depend on what its checkpoint did not tell.
func notProved(s style, assumed string) string {
	if assumed == "" {
		return ""
	}
	return "; " + s.paint("33", "assumed, not proved:") + " " + printable(assumed)
}

// writeNotChecked says that a file was not run, and why.
func writeNotChecked(w *bytes.Buffer, s style, reason string) {
	fmt.Fprintf(w, "  %s %s\n", s.paint("33", "not checked:"), reason)
}

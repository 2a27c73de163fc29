package main

import (
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"
)

// width is how wide a line for people may be.
const width = 80

// wrapped breaks a text into lines of that width, all but the first indented by indent spaces.
func wrapped(line string, first, indent int) string {
	lines := strings.Split(text.WrapSoft(line, width-max(first, indent)), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n"+strings.Repeat(" ", indent))
}

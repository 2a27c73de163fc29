// Package diag holds what is wrong or odd in a text, each at its place, and prints it as a compiler does: with the source
// line, a caret, and notes at the other places that matter.
package diag

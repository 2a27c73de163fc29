package verify

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strconv"

	"ysc2onnx/internal/protofile"
)

// digest sums up the attributes of a node.
func (c *checker) digest(attributes []protofile.Field) (sum [sha256.Size]byte, err error) {
	hash := sha256.New()
	for _, f := range attributes {
		fmt.Fprintln(hash, f.Body.To-f.Body.From)
		for at := f.Body.From; at < f.Body.To; {
			part, err := c.w.Peek(at, min(f.Body.To-at, protofile.Window), f.Body.To)
			if err != nil {
				return sum, err
			}
			at += int64(len(part))
			hash.Write(part)
		}
	}
	return [sha256.Size]byte(hash.Sum(nil)), nil
}

// sameNodes compares the nodes of a file with those of a small model of the
// same graph, which has the same names except for initializers that depend on
// the size: one of these may stand for another of its type.
func sameNodes(file, small *Facts) error {
	for i, want := range small.nodes {
		if i == len(file.nodes) {
			break
		}
		got := file.nodes[i]
		at := "node " + strconv.Itoa(i) + " (" + got.op + " " + strconv.Quote(got.name) + ")"
		switch {
		case got.op != want.op || got.domain != want.domain || got.name != want.name:
			return fmt.Errorf("%s: %s %q was expected there", at, want.op, want.name)
		case got.attributes != want.attributes:
			return fmt.Errorf("%s: its attributes are not the expected ones", at)
		case !slices.Equal(got.outputs, want.outputs):
			return fmt.Errorf("%s: it makes %q, expected %q", at, got.outputs, want.outputs)
		case len(got.inputs) != len(want.inputs):
			return fmt.Errorf("%s: it reads %d values, expected %d", at, len(got.inputs), len(want.inputs))
		}
		for k, name := range got.inputs {
			if name != want.inputs[k] && !mayStandFor(file, small, name, want.inputs[k]) {
				return fmt.Errorf("%s: input %d is %q, expected %q", at, k, name, want.inputs[k])
			}
		}
	}
	if got, want := len(file.nodes), len(small.nodes); got != want {
		return fmt.Errorf("the file has %d nodes, expected %d", got, want)
	}
	return nil
}

// mayStandFor reports whether an initializer of the file may stand where the small
// model has another one: they have the same type, and the small model has its
// own elements for it, since they depend on the size.
func mayStandFor(file, small *Facts, name, want string) bool {
	a, inFile := file.Stored(name)
	b, inSmall := small.Stored(want)
	return inFile && inSmall && a.DType == b.DType && len(a.Dims) == len(b.Dims) && b.File == ""
}

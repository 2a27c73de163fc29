// Package roles says what the outputs of a model mean: which columns are boxes, which are scores. A file carries it in its
// metadata, and its readers (checks, detect, reports) need not guess it from shapes.
package roles

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Role is what a part of an output is.
type Role string

// The roles.
const (
	Boxes      Role = "boxes"      // centre x, centre y, width, height in pixels of the image
	Corners    Role = "corners"    // left, top, right, bottom in pixels of the image
	Objectness Role = "objectness" // 0 to 1
	Scores     Role = "scores"     // of each class, 0 to 1; to be multiplied with the objectness, where there is one
	Score      Role = "score"      // of the best class, 0 to 1
	Class      Role = "class"      // number of the best class
	Image      Role = "image"      // number of the image in the batch
	Masks      Role = "masks"      // coefficients of the prototypes
	Prototypes Role = "prototypes" // of masks, a map each
	Landmarks  Role = "landmarks"  // x and y of points in pixels of the image
	Angles     Role = "angles"     // scores of each of so many equal parts of half a turn, 0 to 1
	Logits     Role = "logits"     // of each class of a whole picture: their softmax are the scores
	Raw        Role = "raw"        // what a head's convolution gives, or a layer: no unit
)

var known = []Role{Boxes, Corners, Objectness, Scores, Score, Class, Image, Masks, Prototypes, Landmarks, Angles, Logits, Raw}

// Part is a run of columns of one role.
type Part struct {
	Role Role
	Size int // columns
}

// Output is what one output of a model means: along an axis, its parts in their order.
type Output struct {
	Name  string
	Axis  int // from 0; of parts
	Parts []Part
}

// Of is an output with one role.
func Of(name string, role Role) Output { return Output{Name: name, Parts: []Part{{role, 0}}} }

// String lists the parts: "boxes 4, objectness 1, scores 80 along axis 2".
func (o Output) String() string {
	if role, ok := o.Whole(); ok {
		return string(role)
	}
	parts := make([]string, len(o.Parts))
	for i, p := range o.Parts {
		parts[i] = fmt.Sprintf("%s %d", p.Role, p.Size)
	}
	return fmt.Sprintf("%s along axis %d", strings.Join(parts, ", "), o.Axis)
}

// Whole reports whether the output has a single role, and which.
func (o Output) Whole() (Role, bool) {
	if len(o.Parts) == 1 && o.Parts[0].Size == 0 {
		return o.Parts[0].Role, true
	}
	return "", false
}

// Columns gives the columns of a role, from and to (excluded); ok is false where there are none.
func (o Output) Columns(role Role) (from, to int, ok bool) {
	for _, p := range o.Parts {
		if p.Role == role {
			return from, from + p.Size, true
		}
		from += p.Size
	}
	return 0, 0, false
}

// Size is the number of columns of all parts, 0 of a whole output.
func (o Output) Size() int {
	n := 0
	for _, p := range o.Parts {
		n += p.Size
	}
	return n
}

// Key is the entry of metadata_props under which a file says what its outputs mean.
const Key = "outputs"

// Limits of what is read of a file.
const (
	maxText    = 1 << 20
	maxOutputs = 256
	maxParts   = 64
	maxColumns = 1 << 20
)

// entry is an Output in JSON: {"name":"output0","axis":2,"parts":[["boxes",4],["objectness",1],["scores",80]]}.
type entry struct {
	Name  string   `json:"name"`
	Axis  int      `json:"axis"`
	Parts [][2]any `json:"parts"`
}

// Format spells outputs as [Parse] reads them.
func Format(outputs []Output) string {
	list := make([]entry, len(outputs))
	for i, o := range outputs {
		list[i] = entry{Name: o.Name, Axis: o.Axis}
		for _, p := range o.Parts {
			list[i].Parts = append(list[i].Parts, [2]any{p.Role, p.Size})
		}
	}
	text, err := json.Marshal(list)
	if err != nil {
		panic(err) // text and numbers
	}
	return string(text)
}

// Parse reads what Format writes. A role that is not known is an error: a reader would take it for something else.
func Parse(text string) ([]Output, error) {
	if len(text) > maxText {
		return nil, fmt.Errorf("it has %d bytes, expected at most %d", len(text), maxText)
	}
	var list []entry
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		return nil, err
	}
	if len(list) > maxOutputs {
		return nil, fmt.Errorf("it describes %d outputs, expected at most %d", len(list), maxOutputs)
	}
	outputs := make([]Output, len(list))
	for i, e := range list {
		o := Output{Name: e.Name, Axis: e.Axis}
		if e.Axis < 0 || e.Axis > 7 || len(e.Parts) == 0 || len(e.Parts) > maxParts {
			return nil, fmt.Errorf("output %q has %d parts along axis %d, expected 1 to %d along one of 0 to 7", e.Name, len(e.Parts), e.Axis, maxParts)
		}
		for _, p := range e.Parts {
			role, isText := p[0].(string)
			size, isNumber := p[1].(float64)
			if !isText || !isNumber || !slices.Contains(known, Role(role)) {
				return nil, fmt.Errorf("output %q has the part %v, expected a known role and a number of columns", e.Name, p)
			}
			if size != float64(int(size)) || size < 0 || size > maxColumns || size == 0 && len(e.Parts) > 1 {
				return nil, fmt.Errorf("output %q has %g columns of %s, expected 1 to %d", e.Name, size, role, maxColumns)
			}
			o.Parts = append(o.Parts, Part{Role(role), int(size)})
		}
		if slices.ContainsFunc(outputs[:i], func(other Output) bool { return other.Name == o.Name }) {
			return nil, errors.New("two outputs are named " + o.Name)
		}
		outputs[i] = o
	}
	return outputs, nil
}

// YOLOv5 is the output of YOLOv5's own exports, which do not describe it: [N, boxes, 5+nc] or, of a segmentation model,
// 5+nc+32 columns.
func YOLOv5(name string, classes, masks int) Output {
	o := Output{Name: name, Axis: 2, Parts: []Part{{Boxes, 4}, {Objectness, 1}, {Scores, classes}}}
	if masks > 0 {
		o.Parts = append(o.Parts, Part{Masks, masks})
	}
	return o
}

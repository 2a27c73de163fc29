// Package variants compares models that were made from each other by editing rows.
package variants

import (
	"errors"
	"slices"

	"ysc2onnx/modules"
)

// Kind says what became of a row.
type Kind string

// The kinds of changes.
const (
	Same     Kind = "same"     // module, arguments and sources are what they were
	Changed  Kind = "changed"  // the same module with other arguments, another number or other channels
	Replaced Kind = "replaced" // another module in its place
	Rewired  Kind = "rewired"  // what it was, reading other layers
	Inserted Kind = "inserted"
	Removed  Kind = "removed"
)

// Change is a row of the first model, of the second, or of both.
type Change struct {
	Kind  Kind                `json:"kind"`
	Old   *modules.SummaryRow `json:"old,omitempty"`   // nil for an inserted row
	New   *modules.SummaryRow `json:"new,omitempty"`   // nil for a removed one
	Reads []int               `json:"reads,omitempty"` // of a row that reads other layers: what it would read in the second model if nothing had changed
}

// maxCells bounds the table by which rows are matched: 16 MB, more than four thousand rows that differ from as many others.
const maxCells = 16 << 20

// ErrTooMany says that models have too many rows that differ to be matched.
var ErrTooMany = errors.New("the models have too many rows that differ to be matched")

// Match finds for each row of the first model the row of the second that it became, so that as much as possible stays the same,
// and says what changed.
func Match(first, second []modules.SummaryRow) ([]Change, error) {
	pairs, err := align(first, second)
	if err != nil {
		return nil, err
	}
	became := map[int]int{-1: -1} // by index in the first model; the image is the image
	for _, p := range pairs {
		if p[0] >= 0 && p[1] >= 0 {
			became[p[0]] = p[1]
		}
	}
	var list []Change
	for _, p := range pairs {
		switch {
		case p[0] < 0:
			list = append(list, Change{Kind: Inserted, New: &second[p[1]]})
		case p[1] < 0:
			list = append(list, Change{Kind: Removed, Old: &first[p[0]]})
		default:
			list = append(list, compared(&first[p[0]], &second[p[1]], became))
		}
	}
	return list, nil
}

// compared says how two rows that belong together differ.
func compared(old, now *modules.SummaryRow, became map[int]int) Change {
	c := Change{Kind: Same, Old: old, New: now}
	expected := make([]int, len(old.Sources))
	for k, source := range old.Sources {
		at, ok := became[source]
		if !ok {
			at = -2 // it was removed
		}
		expected[k] = at
	}
	switch rewired := !slices.Equal(expected, now.Sources); {
	case old.Module != now.Module:
		c.Kind = Replaced
	case old.Arguments != now.Arguments || old.N != now.N || old.Params != now.Params:
		c.Kind = Changed
	case rewired:
		c.Kind = Rewired
	}
	if !slices.Equal(expected, now.Sources) {
		c.Reads = expected
	}
	return c
}

// likeness says how well two rows match: a row with all its arguments best, then the module, then any.
func likeness(a, b *modules.SummaryRow) int32 {
	switch {
	case a.Module == b.Module && a.Arguments == b.Arguments && a.N == b.N:
		return 8
	case a.Module == b.Module:
		return 6
	}
	return 1 // a replaced module; less than a row that matches elsewhere, more than one removed and one inserted
}

// align pairs the rows so that their likeness is greatest, in order; -1 stands for no row. (Needleman and Wunsch, 1970.)
func align(first, second []modules.SummaryRow) ([][2]int, error) {
	n, m := len(first), len(second)
	if n*m > maxCells/4 {
		return nil, ErrTooMany
	}
	best := make([]int32, (n+1)*(m+1)) // of the rows from i and from j on
	at := func(i, j int) *int32 { return &best[i*(m+1)+j] }
	for i := n - 1; i >= 0; i-- {
		for j := m - 1; j >= 0; j-- {
			*at(i, j) = max(*at(i+1, j+1)+likeness(&first[i], &second[j]), *at(i+1, j), *at(i, j+1))
		}
	}
	var pairs [][2]int
	for i, j := 0, 0; i < n || j < m; {
		switch {
		case i < n && j < m && *at(i, j) == *at(i+1, j+1)+likeness(&first[i], &second[j]):
			pairs = append(pairs, [2]int{i, j})
			i, j = i+1, j+1
		case i < n && *at(i, j) == *at(i+1, j):
			pairs = append(pairs, [2]int{i, -1})
			i++
		default:
			pairs = append(pairs, [2]int{-1, j})
			j++
		}
	}
	return pairs, nil
}

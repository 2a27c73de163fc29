package yamlcfg

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// insert renders the rows of m with a ScConv inserted before layer at. Indices that name later layers move with it
// where move says so.
func insert(m *Model, at int, move func(Row) bool) string {
	var b strings.Builder
	b.WriteString("nc: 80\ndepth_multiple: 0.33\nwidth_multiple: 0.5\nanchors: 3\nbackbone:\n")
	for _, r := range m.Rows {
		if r.Index == m.BackboneRows {
			b.WriteString("head:\n")
		}
		if r.Index == at {
			b.WriteString("  - [-1, 1, ScConv, [64]]\n")
		}
		var from, args []string
		for _, f := range r.From {
			if f >= at && move(r) {
				f++
			}
			from = append(from, fmt.Sprint(f))
		}
		for _, a := range r.Args {
			args = append(args, a.Repr())
		}
		list := strings.Join(from, ", ")
		if r.FromList {
			list = "[" + list + "]"
		}
		fmt.Fprintf(&b, "  - [%s, %d, %s, [%s]]\n", list, r.Number, r.Module, strings.Join(args, ", "))
	}
	return b.String()
}

func clean(t *testing.T, name string) *Model {
	t.Helper()
	m, ds := Parse(name, bytes.NewReader(read(t, "testdata/clean/"+name+".yaml")))
	if err := ds.Err(); err != nil {
		t.Fatal(err)
	}
	return m
}

// TestInsertedEverywhere inserts a row before every layer of the models that YOLOv5's heads are built like. With all
// indices moved the lint has nothing to say of the indices; with only Detect's moved, as in the tutorial that many follow,
// it finds each lateral that was left behind, and the layer that it names is the right one.
func TestInsertedEverywhere(t *testing.T) {
	for _, name := range []string{"v5s", "p2", "p34", "p6", "p7", "bifpn", "fpn", "v3", "ghost", "seg"} {
		m := clean(t, name)
		for at := 1; at <= len(m.Rows)-1; at++ {
			moved := mustParse(t, insert(m, at, func(Row) bool { return true }))
			for _, d := range moved.Lint().List {
				unused := fmt.Sprintf("nothing uses the output of layer %d (ScConv)", at)
				if d.Message == unused && !slices.Contains(m.Rows[at].From, -1) {
					continue // true: the next row does not read the one before it
				}
				t.Errorf("%s, a row before layer %d, all indices moved: %s", name, at, d.Message)
			}
		}
	}
	for name, laterals := range map[string][]int{"v5s": {14, 10}, "p34": {14}, "p2": {18, 14, 10}, "p6": {20, 16, 12}, "p7": {26, 22, 18, 14}} {
		m := clean(t, name)
		for at := 1; at < m.BackboneRows; at++ {
			text := insert(m, at, func(r Row) bool { return r.Module == "Detect" })
			said := mustParse(t, text).Lint().Error()
			for _, l := range laterals {
				if want := fmt.Sprintf("but layer %d (Conv) is probably meant", l+1); !strings.Contains(said, want) {
					t.Errorf("%s, a row before layer %d, only Detect's indices moved: the lint does not say %q:\n%s", name, at, want, said)
				}
			}
		}
	}
}

// TestBrokenModelIsNotLinted: what the lint would say of a row that could not be read would only confuse.
func TestBrokenModelIsNotLinted(t *testing.T) {
	m, ds := Parse("t.yaml", strings.NewReader(header+"backbone:\n  - [-1, 1, Conv, [64]]\n  - [5, 1, Conv, [64]]\nhead:\n  - [-1, 1, Conv, [64]]\n"))
	if m == nil || !ds.HasErrors() || !m.Rows[1].Broken || m.Rows[0].Broken {
		t.Fatalf("got %+v, %v", m, ds)
	}
	if w := m.Lint(); len(w.List) > 0 {
		t.Errorf("got\n%v", w)
	}
}

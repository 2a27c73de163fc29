package yamlcfg

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ysc2onnx/diag"
)

func mustParse(t *testing.T, text string) *Model {
	t.Helper()
	m, ds := Parse("t.yaml", strings.NewReader(text))
	if err := ds.Err(); err != nil {
		t.Fatalf("%v\nin:\n%s", err, text)
	}
	return m
}

func TestModel(t *testing.T) {
	m := mustParse(t, `nc: 3
depth_multiple: 1
width_multiple: 0.25
anchors:
  - [10,13, 16,30]
  - [30,61, 62,45.5]
activation: nn.SiLU()
channel_multiple: 16
ch: 4
backbone:
  [[-1, 1, Conv, [64, 6, 2, 2]], # 0-P1/2
   [-1, 3, C3, [64]]]  # the end
head:
  - [[-1, 0], 1, Concat, [1]]  ### cat
  - - [2, 1]
    - 1
    - Detect
    - [nc, anchors]
`)
	if m.NC != 3 || m.DepthMultiple != 1 || m.WidthMultiple != 0.25 || m.ChannelMultiple != 16 || m.Channels != 4 || m.BackboneRows != 2 {
		t.Errorf("numbers: got %+v", m)
	}
	if diff := cmp.Diff([][]float64{{10, 13, 16, 30}, {30, 61, 62, 45.5}}, m.Anchors.Lists); diff != "" {
		t.Errorf("anchors (-want +got):\n%s", diff)
	}
	if got := m.NumOutputs(); got != 16 { // 2 * (3 + 5)
		t.Errorf("NumOutputs: got %d, want 16", got)
	}
	var got []string
	for _, r := range m.Rows {
		var args []string
		for _, a := range r.Args {
			args = append(args, a.Repr())
		}
		got = append(got, fmt.Sprintf("%d %v %v %d %s %v %q %v %v", r.Index, r.From, r.FromList, r.Number, r.Module, args, r.Comment, r.Span, r.FromSpans))
	}
	want := []string{
		`0 [-1] false 1 Conv [64 6 2 2] "0-P1/2" {{11 4} {11 32}} [{{11 5} {11 7}}]`,
		`1 [-1] false 3 C3 [64] "the end" {{12 4} {12 21}} [{{12 5} {12 7}}]`,
		`2 [-1 0] true 1 Concat [1] "cat" {{14 5} {14 30}} [{{14 7} {14 9}} {{14 11} {14 12}}]`,
		`3 [2 1] true 1 Detect [3 [[10, 13, 16, 30], [30, 61, 62, 45.5]]] "" {{15 5} {18 20}} [{{15 8} {15 9}} {{15 11} {15 12}}]`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
}

func TestDefaults(t *testing.T) {
	m := mustParse(t, header+"activation:\nbackbone:\n  - [-1, 1, Conv, []]\nhead: []\n")
	if m.Activation != nil || m.ChannelMultiple != 8 || m.Channels != 3 {
		t.Errorf("got activation %v, channel_multiple %d, ch %d; want nil, 8, 3", m.Activation, m.ChannelMultiple, m.Channels)
	}
	m = mustParse(t, "nc: 80\ndepth_multiple: 1.0\nwidth_multiple: 1\nanchors: 3\nbackbone:\n  - [-1, 1, Conv, [anchors]]\nhead: []\n")
	if m.Anchors.NumAnchors() != 3 || m.Anchors.Lists != nil || m.Rows[0].Args[0].Int != 3 {
		t.Errorf("anchors as a count: got %+v and argument %+v", m.Anchors, m.Rows[0].Args[0])
	}
}

// TestAliases: anchors, aliases and merge keys mean what they mean in PyYAML: explicit keys win over merged ones,
// and of merged mappings the first wins.
func TestAliases(t *testing.T) {
	m := mustParse(t, `small: &small {depth_multiple: 0.33, width_multiple: 0.25}
large: &large {depth_multiple: 1.0, width_multiple: 1.0, nc: 7}
<<: [*small, *large]
width_multiple: 0.5
anchors: 3
backbone:
  - &conv [-1, 1, Conv, &args [64, 3]]
  - *conv
head:
  - [-1, 2, C3, *args]
`)
	if m.NC != 7 || m.DepthMultiple != 0.33 || m.WidthMultiple != 0.5 {
		t.Errorf("got nc %d, depth_multiple %v, width_multiple %v; want 7, 0.33, 0.5", m.NC, m.DepthMultiple, m.WidthMultiple)
	}
	if len(m.Rows) != 3 || m.Rows[1].Module != "Conv" || m.Rows[2].Args[1].Int != 3 {
		t.Errorf("rows: got %+v", m.Rows)
	}
	if got, want := m.Rows[1].Span, (diag.Span{Start: diag.Pos{Line: 8, Col: 5}, End: diag.Pos{Line: 8, Col: 10}}); got != want {
		t.Errorf("an aliased row: got span %v, want the alias at %v", got, want)
	}
}

// TestEncodings: what editors on other systems leave in a file changes neither the model nor the columns.
func TestEncodings(t *testing.T) {
	plain := header + "backbone:\n  - [-1, 1, Conv, [64]]  # one\nhead: []\n"
	for name, text := range map[string]string{
		"BOM":          "\ufeff" + plain,
		"CRLF":         strings.ReplaceAll(plain, "\n", "\r\n"),
		"CR":           strings.ReplaceAll(plain, "\n", "\r"),
		"Latin-1":      strings.Replace(plain, "# one", "# one \xe9t\xe9", 1),
		"no line end":  strings.TrimSuffix(plain, "\n"),
		"end marker":   plain + "...\n",
		"start marker": "---\n" + plain,
		"directive":    "%YAML 1.2\n---\n" + plain,
	} {
		m, ds := Parse("t.yaml", strings.NewReader(text))
		if m == nil || len(ds.List) > 0 {
			t.Errorf("%s: %v", name, ds)
			continue
		}
		r := m.Rows[0]
		if r.Module != "Conv" || !strings.HasPrefix(r.Comment, "one") || r.Span.Start.Col != 5 || r.Span.End.Col != 24 {
			t.Errorf("%s: got row %+v", name, r)
		}
	}
}

// endless is a reader that never ends and counts what is taken.
type endless struct{ read int }

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = '#'
	}
	e.read += len(p)
	return len(p), nil
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("the disk is on fire") }

func TestReading(t *testing.T) {
	e := &endless{}
	m, ds := Parse("big.yaml", e)
	if got, want := ds.Error(), "big.yaml: error: the file is larger than 4 MiB, which no model YAML is; is it a checkpoint or a data set?"; m != nil || got != want {
		t.Errorf("got %v, %s\nwant nil, %s", m, got, want)
	}
	if e.read > 2*MaxInput {
		t.Errorf("read %d bytes of an endless file, limit %d", e.read, MaxInput)
	}
	_, ds = Parse("", failing{})
	if got, want := ds.Error(), "<input>: error: cannot read: the disk is on fire"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestManyRows(t *testing.T) {
	const row = "  - [-1, 3, C3, [128, False, 1, 0.5]]  # a row\n"
	m := mustParse(t, header+"backbone:\n"+strings.Repeat(row, 4000)+"head:\n"+strings.Repeat(row, 1000))
	if len(m.Rows) != 5000 || m.BackboneRows != 4000 || m.Rows[4999].Span.Start != (diag.Pos{Line: 5006, Col: 5}) {
		t.Errorf("got %d rows, %d of the backbone, the last at %v", len(m.Rows), m.BackboneRows, m.Rows[len(m.Rows)-1].Span)
	}
	if w := m.Lint(); len(w.List) > 0 {
		t.Errorf("the lint is not silent:\n%v", w)
	}
	_, ds := Parse("t.yaml", strings.NewReader(header+"backbone:\n"+strings.Repeat(row, MaxRows+1)+"head: []\n"))
	if got, want := ds.Error(), "t.yaml: error: the model has 20001 layers; more than 20000 are not taken"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestManyErrors: a file of nothing but errors gives a readable number of them and the count of the rest.
func TestManyErrors(t *testing.T) {
	_, ds := Parse("t.yaml", strings.NewReader(header+"backbone:\n"+strings.Repeat("  - 1\n", 1000)+"head: []\n"))
	lines := strings.Split(ds.Error(), "\n")
	if got, want := lines[len(lines)-1], "t.yaml: 950 more errors are not shown"; got != want || ds.Count(diag.Error) != 1000 || len(ds.List) != 50 {
		t.Errorf("got %d errors, %d kept, last line %q; want 1000, 50, %q", ds.Count(diag.Error), len(ds.List), got, want)
	}
}

// FuzzParse holds Parse and Lint to: no panic, positions inside the text, a model or an error.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		header + "backbone:\n  - [-1, 1, Conv, [64, 3, 2]]  # 0\nhead:\n  - [[-1, 0], 1, Concat, [1]]\n",
		header + "backbone:\n  [[-1, 1, 'Conv', [64, \"x\", None]], # a\n  ]\nhead: [[[0], 1, Detect, [nc, anchors]]]\n",
		"a: &a [1, *a]\n<<: {b: 1}\n? c\n: |\n  text # no comment\n",
		"nc: \t1\n- [\n'", "\ufeffnc: 1\r\nnc: 2\r\n", "a: [64\uff0c 3]\n", "&a !!int 3: *a\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		m, ds := Parse("f.yaml", bytes.NewReader(text))
		if m == nil && !ds.HasErrors() {
			t.Error("neither a model nor an error")
		}
		if m != nil {
			ds.Append(m.Lint())
		}
		for _, d := range ds.List {
			if s := d.Span; !s.IsZero() && (s.Start.Line < 1 || s.Start.Col < 1 || s.End.Before(s.Start) || s.Start.Line > len(ds.Source.LineStarts())) {
				t.Errorf("%s: span %v", d.Message, s)
			}
		}
		if err := ds.Format(io.Discard, true); err != nil {
			t.Error(err)
		}
	})
}

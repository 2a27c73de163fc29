package onnxbuild

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
)

func names(values []*Value) string {
	var list []string
	for _, v := range values {
		list = append(list, v.Name)
	}
	return strings.Join(list, " ")
}

func nodeNames(g *Graph) string {
	var list []string
	for _, n := range g.Nodes {
		list = append(list, n.Name)
	}
	return strings.Join(list, " ")
}

// TestNamesCarryOrigin: nodes, their results and local constants are named after their scope, and counted.
func TestNamesCarryOrigin(t *testing.T) {
	g := New("test")
	x := g.Input("images", Float32, ShapeOf(1, 3))
	b := g.Build().In("model.2").In("cv1")
	first, second := b.Relu(x), b.Relu(x)
	parts := b.Split(b.Add(first, b.Scalar("eps", 1)), 1, 1, 2)
	b.Scalar("eps", 2)
	if got := b.Scope(); got != "model.2/cv1" {
		t.Errorf("the scope is %q", got)
	}
	if got, want := nodeNames(g), "/model.2/cv1/Relu /model.2/cv1/Relu_1 /model.2/cv1/Add /model.2/cv1/Split"; got != want {
		t.Errorf("nodes are %s, want %s", got, want)
	}
	if got, want := names([]*Value{first, second, parts[0], parts[1]}),
		"/model.2/cv1/Relu_output_0 /model.2/cv1/Relu_1_output_0 /model.2/cv1/Split_output_0 /model.2/cv1/Split_output_1"; got != want {
		t.Errorf("values are %s, want %s", got, want)
	}
	if got, want := names(g.Initializers()), "/model.2/cv1/eps /model.2/cv1/split"; got != want { // the second eps has no use
		t.Errorf("initializers are %s, want %s", got, want)
	}
}

func TestNamesTakenTwice(t *testing.T) {
	number := FloatTensor(nil, []float32{1})
	for want, build := range map[string]func(g *Graph, b Builder){
		`two values are named "x"`: func(g *Graph, _ Builder) {
			g.Input("x", Float32, nil)
			g.Input("x", Float32, nil)
		},
		`two values are named "model.0.conv.weight"`: func(_ *Graph, b Builder) {
			b.Initializer("model.0.conv.weight", number)
			b.In("elsewhere").Initializer("model.0.conv.weight", number)
		},
		`two values are named "w"`: func(g *Graph, b Builder) {
			b.Initializer("w", number)
			g.Rename(b.Relu(g.Input("x", Float32, nil)), "w")
		},
		`the value "model.0" cannot also be named "model.1"`: func(g *Graph, b Builder) {
			v := b.Relu(g.Input("x", Float32, nil))
			g.Rename(v, "model.0")
			g.Rename(v, "model.0")
			g.Rename(v, "model.1")
		},
		`the value "x" cannot also be named "y"`: func(g *Graph, _ Builder) { g.Output("y", g.Input("x", Float32, nil)) },
		"the tensor w would be 1099511627776x2: that is too large": func(_ *Graph, b Builder) {
			b.Initializer("w", &Tensor{DType: Float32, Shape: []int64{1 << 40, 2}, Floats: Literal(nil)})
		},
		"a/b: the tensor w would be -1: a size is negative": func(_ *Graph, b Builder) {
			b.In("a").In("b").Initializer("w", &Tensor{DType: Float32, Shape: []int64{-1}, Floats: Literal(nil)})
		},
	} {
		g := New("test")
		build(g, g.Build())
		if err := g.TakeErr(); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// TestRenameFreesTheName: the name that a value had can be given to another one.
func TestRenameFreesTheName(t *testing.T) {
	g := New("test")
	b := g.Build()
	x := g.Input("x", Float32, nil)
	v := b.Relu(x)
	g.Rename(v, "model.0")
	g.Rename(b.Sigmoid(x), "/Relu_output_0")
	if err := g.TakeErr(); err != nil || v.Name != "model.0" || !v.Pinned {
		t.Errorf("%v: %s, promised: %t", err, v.Name, v.Pinned)
	}
}

func TestDimName(t *testing.T) {
	g := New("test")
	eighth, _ := height.FloorDiv(8)
	g.NameDim(eighth.Times(width), "anchors")
	for want, d := range map[string]Dim{"anchors": width.Times(eighth), "height/8": eighth, "7": D(7)} {
		if got := g.DimName(d); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestNodeAttributes(t *testing.T) {
	n := &Node{Attrs: []Attr{{"i", int64(3)}, {"f", float32(0.5)}, {"s", "text"}, {"l", []int64{1, 2}}}}
	if n.Int("i", 9) != 3 || n.Int("none", 9) != 9 || n.Int("f", 9) != 9 || n.Float("f", 9) != 0.5 || n.Float("none", 9) != 9 ||
		n.Text("s", "no") != "text" || n.Text("none", "no") != "no" || !slices.Equal(n.Ints("l"), []int64{1, 2}) || n.Ints("none") != nil {
		t.Error("an attribute is read wrong")
	}
}

func TestValueDim(t *testing.T) {
	v := &Value{Shape: ShapeOf(1, 3, 5)}
	for i, want := range map[int]int64{0: 1, 2: 5, -1: 5, -3: 1, 3: 1, -4: 1} {
		if !v.Dim(i).Is(want) {
			t.Errorf("dimension %d is %s, want %d", i, v.Dim(i), want)
		}
	}
}

func TestUses(t *testing.T) {
	g := New("test")
	b := g.Build()
	x := g.Input("x", Float32, ShapeOf(2))
	y := b.Add(x, b.Mul(x, x))
	uses := g.Uses()
	if n := len(uses[x]); n != 3 {
		t.Errorf("x is read %d times, want 3: twice by Mul", n)
	}
	if len(uses[y]) != 0 || g.IsOutput(y) {
		t.Error("y has a use")
	}
	g.Output("y", y)
	if !g.IsOutput(y) {
		t.Error("y is not an output")
	}
}

// TestDropDead: outputs and promised values stay, with what they need.
func TestDropDead(t *testing.T) {
	g := New("test")
	b := g.Build()
	x := g.Input("x", Float32, ShapeOf(4))
	b.Sqrt(b.Sigmoid(x))                                                           // dead, both of them
	g.Rename(b.Relu(b.LeakyRelu(x, 0.1)), "model.0")                               // promised
	half := b.Split(x, 0, 2, 2)                                                    // one part is used
	g.Output("y", b.Upsample(b.Reshape(half[1], b.Ints("map", 1, 1, 1, 2)), 2, 2)) // a node with an input left out
	if n := g.DropDead(); n != 2 {
		t.Errorf("%d nodes were dropped, want 2", n)
	}
	if got, want := nodeNames(g), "/LeakyRelu /Relu /Split /Reshape /Resize"; got != want {
		t.Errorf("left are %s, want %s", got, want)
	}
	if n := g.DropDead(); n != 0 {
		t.Errorf("%d nodes were dropped again", n)
	}
}

// TestRewrite sweeps over x·2 + 1 and puts a Relu before each Add and nothing in the place of each Mul.
func TestRewrite(t *testing.T) {
	g := New("test")
	b := g.Build().In("a")
	x := g.Input("x", Float32, ShapeOf(2))
	product := b.Mul(x, b.Scalar("two", 2))
	g.Rename(product, "model.0")
	g.Output("y", b.In("b").Add(product, b.Scalar("one", 1)))
	var seen []string
	err := g.Rewrite(func(r *Rewriter, b Builder, n *Node) (bool, error) {
		seen = append(seen, n.Op.Name)
		switch n.Op.Name {
		case "Mul":
			if r.Replace(n.Outputs[0], x) {
				t.Error("an input took a promised name")
			}
			if r.Replace(n.Outputs[0], n.Inputs[1]) {
				t.Error("a constant took a promised name")
			}
			if !r.Replace(n.Outputs[0], b.Sigmoid(x)) {
				t.Error("the result of a node did not take a promised name")
			}
			return false, nil
		case "Add":
			if got := n.Inputs[0].Name; got != "model.0" || n.Inputs[0].Producer.Op != opSigmoid {
				t.Errorf("Add reads %s", got)
			}
			if r.Current(product) != n.Inputs[0] {
				t.Error("what stands for the product is not what Add reads")
			}
			n.Inputs[0] = b.Relu(n.Inputs[0])
		}
		return true, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := nodeNames(g), "/a/Sigmoid /a/b/Relu /a/b/Add"; got != want {
		t.Errorf("nodes are %s, want %s", got, want)
	}
	if got, want := strings.Join(seen, " "), "Mul Add"; got != want { // what is added is not visited
		t.Errorf("visited %s, want %s", got, want)
	}
	if product.Pinned || product.Name == "model.0" {
		t.Error("the value that was replaced kept its name")
	}
}

// TestRewriteOutputs: an output that is replaced is the output no more, and chains of replacements are followed.
func TestRewriteOutputs(t *testing.T) {
	g := New("test")
	b := g.Build()
	x := b.Relu(g.Input("x", Float32, ShapeOf(2)))
	one := b.Scalar("one", 1)
	g.Output("y", b.Mul(b.Mul(x, one), one))
	err := g.Rewrite(func(r *Rewriter, _ Builder, n *Node) (bool, error) {
		return n.Op != opMul || !r.Replace(n.Outputs[0], n.Inputs[0]), nil
	})
	if err != nil || len(g.Nodes) != 1 || g.Outputs[0] != x || x.Name != "y" {
		t.Errorf("%v: %s; the output is %s", err, nodeNames(g), names(g.Outputs))
	}
}

// TestRewriteMarks: what is marked stays a mark under its own name, also of a graph that was copied.
func TestRewriteMarks(t *testing.T) {
	g := New("test")
	b := g.Build()
	x := g.Input("x", Float32, ShapeOf(2))
	product := b.Mul(x, b.Scalar("one", 1))
	g.Mark("layer", product)
	g.Output("y", b.Relu(product))
	c := g.Clone()
	err := c.Rewrite(func(r *Rewriter, b Builder, n *Node) (bool, error) {
		if n.Op != opMul {
			return true, nil
		}
		if r.Replace(n.Outputs[0], n.Inputs[0]) {
			t.Error("an input became what is marked")
		}
		return !r.Replace(n.Outputs[0], b.Sigmoid(n.Inputs[0])), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if v := c.Marked("layer"); v.Name != "/Sigmoid_output_0" || !v.Pinned || c.Nodes[1].Inputs[0] != v {
		t.Errorf("marked is %s in %s", v.Name, nodeNames(c))
	}
	if g.Marked("layer") != product || g.Marked("other") != nil {
		t.Error("the graph that was copied has changed")
	}
	if g.Nodes = g.Nodes[:1]; g.DropDead() != 0 {
		t.Error("what is marked was dropped")
	}
}

// TestRewriteStops at an error, be it the visitor's or that of a node which does not fit, and loses no node.
func TestRewriteStops(t *testing.T) {
	for want, visit := range map[string]func(b Builder, n *Node) error{
		"no": func(Builder, *Node) error { return fmt.Errorf("no") },
		"Add: shapes 2 and 3 do not broadcast": func(b Builder, n *Node) error {
			b.Add(n.Inputs[0], b.Constant("three", FloatTensor([]int64{3}, make([]float32, 3))))
			return nil
		},
	} {
		g := New("test")
		b := g.Build()
		g.Output("y", b.Sigmoid(b.Relu(g.Input("x", Float32, ShapeOf(2)))))
		err := g.Rewrite(func(_ *Rewriter, b Builder, n *Node) (bool, error) { return true, visit(b, n) })
		if err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
		if got := nodeNames(g); got != "/Relu /Sigmoid" {
			t.Errorf("left are %s", got)
		}
	}
}

func TestRewriterInitializer(t *testing.T) {
	g := New("test")
	x := g.Input("x", Float32, nil)
	b := g.Build()
	g.Output("y", b.Add(x, b.Initializer("w", FloatTensor(nil, []float32{1}))))
	var made []*Value
	err := g.Rewrite(func(r *Rewriter, _ Builder, _ *Node) (bool, error) {
		for range 2 {
			made = append(made, r.Initializer("w", FloatTensor(nil, []float32{2})), r.Initializer("v", FloatTensor(nil, []float32{3})))
		}
		return true, nil
	})
	if got, want := names(made), "w_1 v w_2 v_1"; err != nil || got != want {
		t.Errorf("%v: made %s, want %s", err, got, want)
	}
}

func TestDTypes(t *testing.T) {
	for want, d := range map[string]DType{"float32 4 true": Float32, "int64 8 false": Int64, "bool 1 false": Bool, "float16 2 true": Float16, "bfloat16 2 true": BFloat16,
		"int8 1 false": Int8, "uint8 1 false": Uint8, "int32 4 false": Int32, "dtype(5) 0 false": 5} {
		if got := fmt.Sprintf("%s %d %t", d, d.Size(), d.IsFloat()); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestTensorEncode(t *testing.T) {
	for _, c := range []struct {
		tensor *Tensor
		off    int64
		want   []byte
	}{
		{FloatTensor([]int64{3}, []float32{1, -2, 0.5}), 1, []byte{0, 0, 0, 0xc0, 0, 0, 0, 0x3f}},
		{IntTensor([]int64{2}, []int64{1, -2}), 0, []byte{1, 0, 0, 0, 0, 0, 0, 0, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}},
		{&Tensor{DType: Bool, Shape: []int64{3}, Ints: []int64{1, 0, 1}}, 1, []byte{0, 1}},
		{&Tensor{DType: Int32, Shape: []int64{2}, Ints: []int64{7, -2}}, 1, []byte{0xfe, 0xff, 0xff, 0xff}},
		{&Tensor{DType: Int8, Shape: []int64{3}, Ints: []int64{-128, -1, 127}}, 0, []byte{0x80, 0xff, 0x7f}},
		{&Tensor{DType: Uint8, Shape: []int64{2}, Ints: []int64{200, 255}}, 0, []byte{0xc8, 0xff}},
		// IEEE 754's binary16: one, the largest number, what is past it, the smallest one, a tie that goes down and one that goes up.
		{&Tensor{DType: Float16, Shape: []int64{6}, Floats: Literal{0, 1, 65504, 65520, 0x1p-24, 1 + 0x1p-11, 1 + 0x3p-11}}, 1,
			[]byte{0, 0x3c, 0xff, 0x7b, 0, 0x7c, 1, 0, 0, 0x3c, 2, 0x3c}},
		// bfloat16: the upper half of a float32, with the same ties.
		{&Tensor{DType: BFloat16, Shape: []int64{5}, Floats: Literal{1, -2, 1 + 0x1p-8, 1 + 0x3p-8, float32(math.NaN())}}, 0,
			[]byte{0x80, 0x3f, 0, 0xc0, 0x80, 0x3f, 0x82, 0x3f, 0xc0, 0x7f}},
	} {
		got := make([]byte, len(c.want))
		if err := c.tensor.Encode(got, c.off, make([]float32, 8)); err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s from %d on is %x, %v; want %x", c.tensor.DType, c.off, got, err, c.want)
		}
	}
	if err := (&Tensor{DType: 5, Shape: []int64{1}}).Encode(make([]byte, 8), 0, nil); err == nil || err.Error() != "dtype(5) tensors cannot be written" {
		t.Errorf("got %v", err)
	}
	for want, refused := range map[string]*Tensor{
		"element 1 is 256, which does not fit uint8":        {DType: Uint8, Shape: []int64{2}, Ints: []int64{0, 256}},
		"element 0 is -129, which does not fit int8":        {DType: Int8, Shape: []int64{1}, Ints: []int64{-129}},
		"element 0 is 2, which does not fit bool":           {DType: Bool, Shape: []int64{1}, Ints: []int64{2}},
		"element 0 is 2147483648, which does not fit int32": {DType: Int32, Shape: []int64{1}, Ints: []int64{1 << 31}},
	} {
		if err := refused.Encode(make([]byte, refused.Bytes()), 0, nil); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// TestHalvesAreReadRounded: what is computed from a tensor is what is in its file.
func TestHalvesAreReadRounded(t *testing.T) {
	half := &Tensor{DType: Float16, Shape: []int64{2}, Floats: Literal{1 + 0x1p-12, 0.1}}
	got, err := half.ReadAll()
	if want := []float32{1, 0x1.998p-4}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, %v; want %v", got, err, want)
	}
}

func TestReadAllRefused(t *testing.T) {
	for want, tensor := range map[string]*Tensor{
		"a int64 tensor has no float elements":               IntTensor(nil, []int64{1}),
		"a tensor of 16777217 elements is too large to hold": {DType: Float32, Shape: []int64{1<<24 + 1}, Floats: Literal(nil)},
		"elements 0 to 3 were requested from a literal of 2": FloatTensor([]int64{3}, []float32{1, 2}),
	} {
		if _, err := tensor.ReadAll(); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

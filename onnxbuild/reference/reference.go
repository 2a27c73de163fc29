// Package reference computes what an ONNX graph computes, from the definition
// of each operator: slowly, plainly, and in float64 throughout. It is what an
// exported file is compared with, so it shares no arithmetic with the code that
// makes the file: neither the folding of constants nor any pass, and it reads a
// graph as it was before both.
//
// The definitions are those of https://onnx.ai/onnx/operators/ at the newest
// opset that onnxbuild speaks.
package reference

import (
	"context"
	"fmt"
	"math"

	"ysc2onnx/onnxbuild"
)

// Array is a value of a graph, row-major. Integers and truth values, 0 and 1,
// are held as float64 as well, exactly up to 2^53.
type Array struct {
	DType onnxbuild.DType
	Shape []int64
	Data  []float64
}

// maxElements bounds a value: 2^28 elements, 2 GiB.
const maxElements = 1 << 28

// newArray is an array of zeros.
func newArray(t onnxbuild.DType, shape []int64) *Array {
	return &Array{t, shape, make([]float64, product(shape))}
}

// product is the number of elements of a shape.
func product(shape []int64) int64 {
	n := int64(1)
	for _, d := range shape {
		n *= d
	}
	return n
}

// node is one application of an operator: its attributes, and what its inputs hold.
type node struct {
	*onnxbuild.Node
	in []*Array // nil for an optional input that is left out
	// kernel is input 1 of a Conv if that is an initializer. Its elements are read where they are used.
	kernel *onnxbuild.Tensor
}

// Run computes the values of the given names. inputs are the graph's inputs by
// name. A value is freed after its last use, and elements of large initializers
// are read in blocks where they are used, so that what is held is a few maps.
//
// Open dimensions take the sizes that the inputs have.
func Run(ctx context.Context, g *onnxbuild.Graph, inputs map[string]*Array, names []string) (map[string]*Array, error) {
	return compute(ctx, g, inputs, names, false)
}

// RunRounded is [Run] with every value rounded to two bits less than float32 has, as much as a program that keeps its values in float32
// loses in sums of many terms: how far it is from Run shows how well float32 can compute the graph at all.
func RunRounded(ctx context.Context, g *onnxbuild.Graph, inputs map[string]*Array, names []string) (map[string]*Array, error) {
	return compute(ctx, g, inputs, names, true)
}

func compute(ctx context.Context, g *onnxbuild.Graph, inputs map[string]*Array, names []string, rounded bool) (map[string]*Array, error) {
	r := &run{rounded: rounded, values: map[*onnxbuild.Value]*Array{}, uses: map[*onnxbuild.Value]int{}}
	wanted, found := map[*onnxbuild.Value]bool{}, map[string]*Array{}
	for _, v := range g.Inputs {
		a := inputs[v.Name]
		if a == nil {
			return nil, fmt.Errorf("reference: the input %q is not given", v.Name)
		}
		if err := fits(v, a); err != nil {
			return nil, fmt.Errorf("reference: the input %q %w", v.Name, err)
		}
		r.values[v] = a
	}
	asked := map[string]bool{}
	for _, name := range names {
		asked[name] = true
	}
	note := func(v *onnxbuild.Value) { wanted[v] = asked[v.Name] }
	for _, v := range g.Inputs {
		note(v)
	}
	for _, n := range g.Nodes {
		for _, v := range n.Inputs {
			r.uses[v]++
		}
		for _, v := range n.Outputs {
			note(v)
		}
	}
	for _, n := range g.Nodes {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		outputs, err := r.node(ctx, n)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			return nil, fmt.Errorf("reference: %s: %w", n.Name, err)
		}
		for i, v := range n.Outputs {
			if wanted[v] {
				found[v.Name] = outputs[i]
			}
		}
	}
	for _, v := range g.Inputs {
		if wanted[v] {
			found[v.Name] = inputs[v.Name]
		}
	}
	for _, name := range names {
		if found[name] == nil {
			return nil, fmt.Errorf("reference: the graph has no value %q", name)
		}
	}
	return found, nil
}

// run holds what is alive while a graph is computed.
type run struct {
	rounded bool // after each node
	values  map[*onnxbuild.Value]*Array
	uses    map[*onnxbuild.Value]int // reads that are still to come
}

// node computes one node, keeps its outputs that are read later, and drops inputs that are not.
func (r *run) node(ctx context.Context, n *onnxbuild.Node) ([]*Array, error) {
	f := operators[n.Op.Name]
	if f == nil {
		return nil, fmt.Errorf("there is no definition of the operator %s here", n.Op.Name)
	}
	call := &node{Node: n, in: make([]*Array, len(n.Inputs))}
	for i, v := range n.Inputs {
		switch {
		case v == nil:
		case v.Const != nil && n.Op.Name == "Conv" && i == 1:
			call.kernel = v.Const
		case v.Const != nil:
			a, err := read(v.Const)
			if err != nil {
				return nil, fmt.Errorf("initializer %q: %w", v.Name, err)
			}
			call.in[i] = a
		case r.values[v] == nil:
			return nil, fmt.Errorf("its input %q is computed by no node before it", v.Name)
		default:
			call.in[i] = r.values[v]
		}
	}
	outputs, err := f(ctx, call)
	if err != nil {
		return nil, err
	}
	if len(outputs) != len(n.Outputs) {
		return nil, fmt.Errorf("it has %d outputs, its definition gives %d", len(n.Outputs), len(outputs))
	}
	for i, v := range n.Outputs {
		if err := fits(v, outputs[i]); err != nil {
			return nil, fmt.Errorf("output %d %w", i, err)
		}
		if r.rounded && v.DType == onnxbuild.Float32 {
			outputs[i] = outputs[i].rounded()
		}
		if r.uses[v] > 0 {
			r.values[v] = outputs[i]
		}
	}
	for _, v := range n.Inputs {
		if r.uses[v]--; r.uses[v] == 0 {
			delete(r.values, v)
		}
	}
	return outputs, nil
}

// rounded is a copy of which each element has 22 bits.
func (a *Array) rounded() *Array {
	b := newArray(a.DType, a.Shape)
	for i, x := range a.Data {
		fraction, exponent := math.Frexp(x)
		b.Data[i] = math.Ldexp(math.RoundToEven(fraction*(1<<22)), exponent-22)
	}
	return b
}

// fits compares a computed value with its type and shape in the graph: the former follow from the elements, the latter were
// inferred when the graph was built.
func fits(v *onnxbuild.Value, a *Array) error {
	same := a.DType == v.DType && len(a.Shape) == len(v.Shape)
	for i := 0; same && i < len(a.Shape); i++ {
		size, static := v.Shape[i].Static()
		same = !static || size == a.Shape[i]
	}
	switch {
	case !same:
		return fmt.Errorf("is %s %v, the graph says %s %s", a.DType, a.Shape, v.DType, v.Shape)
	case int64(len(a.Data)) != product(a.Shape):
		return fmt.Errorf("holds %d elements, its shape %v takes %d", len(a.Data), a.Shape, product(a.Shape))
	}
	return nil
}

// read holds a whole initializer.
func read(t *onnxbuild.Tensor) (*Array, error) {
	if n := t.Len(); n > maxElements {
		return nil, fmt.Errorf("it has %d elements, more than the %d that are held", n, maxElements)
	}
	a := newArray(t.DType, t.Shape)
	if t.Floats == nil {
		for i, n := range t.Ints {
			a.Data[i] = float64(n)
		}
		return a, nil
	}
	return a, readFloats(a.Data, t, 0)
}

// readFloats fills dst with the elements off, off+1, … of a tensor, in blocks.
func readFloats(dst []float64, t *onnxbuild.Tensor, off int64) error {
	const block = 1 << 14
	buf := make([]float32, min(block, len(dst)))
	for len(dst) > 0 {
		part := buf[:min(len(buf), len(dst))]
		if err := t.ReadFloats(part, off); err != nil {
			return err
		}
		for i, x := range part {
			dst[i] = float64(x)
		}
		dst, off = dst[len(part):], off+int64(len(part))
	}
	return nil
}

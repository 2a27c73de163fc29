package verify

import (
	"math"
	"slices"
)

// convolution is a Conv of a file's main graph, with the batch norm behind it where there is one.
type convolution struct {
	node    *graphNode
	in, out string // values; out is behind the batch norm
	kernel  constant
	bias    *constant
	norm    []constant // scale, bias, mean and variance of the batch norm; nil without one
	epsilon float64
}

// constant is a tensor that a file holds.
type constant struct {
	name string
	Stored
}

// name is how people know a convolution: the path of its module where the file says it, else its node's name.
func (c *convolution) name() string {
	if path, ok := cutSuffixes(c.kernel.name, ".weight"); ok {
		return path
	}
	if c.node.name != "" {
		return c.node.name
	}
	return c.out
}

// wiring is how the values of a file's main graph hang together.
type wiring struct {
	facts *Facts
	maker map[string]*graphNode
	uses  map[string][]*graphNode
}

func (f *Facts) wiring() *wiring {
	w := &wiring{facts: f, maker: map[string]*graphNode{}, uses: map[string][]*graphNode{}}
	for i := range f.nodes {
		n := &f.nodes[i]
		for _, in := range n.inputs {
			if list := w.uses[in]; len(list) == 0 || list[len(list)-1] != n {
				w.uses[in] = append(list, n)
			}
		}
		for _, out := range n.outputs {
			w.maker[out] = n
		}
	}
	return w
}

// passing are operators that return their input, perhaps in another precision.
var passing = []string{"Identity", "Cast", "Dropout"}

// origin follows a value back through operators that leave it unchanged.
func (w *wiring) origin(name string) string {
	for {
		n := w.maker[name]
		if n == nil || n.domain != "" || !slices.Contains(passing, n.op) || len(n.inputs) == 0 || n.outputs[0] != name {
			return name
		}
		name = n.inputs[0]
	}
}

// constant gives the tensor that a value is, of the initializers and Constant nodes.
func (w *wiring) constant(name string) (constant, bool) {
	name = w.origin(name)
	s, ok := w.facts.stored[name]
	if !ok {
		s, ok = w.facts.constants[name]
	}
	return constant{name, s}, ok
}

// convolutions lists those whose kernels the file holds, in its order.
func (w *wiring) convolutions() []convolution {
	var list []convolution
	for i := range w.facts.nodes {
		n := &w.facts.nodes[i]
		if n.op != "Conv" || n.domain != "" || len(n.inputs) < 2 || len(n.outputs) != 1 {
			continue
		}
		kernel, ok := w.constant(n.inputs[1])
		if !ok || len(kernel.Dims) < 3 {
			continue
		}
		c := convolution{node: n, in: n.inputs[0], out: n.outputs[0], kernel: kernel}
		if len(n.inputs) > 2 && n.inputs[2] != "" {
			bias, ok := w.constant(n.inputs[2])
			if !ok {
				continue
			}
			c.bias = &bias
		}
		w.norm(&c)
		list = append(list, c)
	}
	return list
}

// norm adds the batch norm that alone reads a convolution.
func (w *wiring) norm(c *convolution) {
	uses := w.uses[c.out]
	if len(uses) != 1 {
		return
	}
	n := uses[0]
	if n.op != "BatchNormalization" || n.domain != "" || len(n.inputs) != 5 || len(n.outputs) == 0 || n.inputs[0] != c.out {
		return
	}
	var norm []constant
	for _, in := range n.inputs[1:] {
		t, ok := w.constant(in)
		if !ok {
			return
		}
		norm = append(norm, t)
	}
	c.norm, c.epsilon, c.out = norm, n.epsilon, n.outputs[0]
}

// folded is a convolution's kernel and bias with the batch norm worked in, exactly but for float64's rounding. of are the
// sums of the magnitudes of each bias's terms, which rounding is relative to.
type folded struct {
	kernel, bias, of []float64
	roundoff         float64 // the coarsest type that any of it is stored in
	smallest         float64
}

// fold reads and folds: with s = scale/sqrt(variance+epsilon), the kernel of a channel is s·w and its bias
// beta + s·(b - mean), by the definition of BatchNormalization.
func (c *convolution) fold(d *dataFiles) (*folded, error) {
	f := &folded{}
	read := func(t constant) ([]float64, error) {
		f.roundoff = max(f.roundoff, unitRoundoff(t.DType))
		f.smallest = max(f.smallest, smallest(t.DType))
		return d.floats(t.Stored)
	}
	var err error
	if f.kernel, err = read(c.kernel); err != nil {
		return nil, err
	}
	channels := int(c.kernel.Dims[0])
	f.bias, f.of = make([]float64, channels), make([]float64, channels)
	if c.bias != nil {
		b, err := read(*c.bias)
		if err != nil {
			return nil, err
		}
		copy(f.bias, b)
	}
	for i, b := range f.bias {
		f.of[i] = math.Abs(b)
	}
	if c.norm == nil || channels == 0 {
		return f, nil
	}
	var norm [4][]float64
	for i, t := range c.norm {
		if norm[i], err = read(t); err != nil {
			return nil, err
		}
		if len(norm[i]) != channels {
			return f, nil // no runtime takes it
		}
	}
	each := len(f.kernel) / channels
	for i := range channels {
		s := norm[0][i] / math.Sqrt(norm[3][i]+c.epsilon)
		for k := range each {
			f.kernel[i*each+k] *= s
		}
		f.of[i] = math.Abs(norm[1][i]) + math.Abs(s)*(f.of[i]+math.Abs(norm[2][i]))
		f.bias[i] = norm[1][i] + s*(f.bias[i]-norm[2][i])
	}
	return f, nil
}

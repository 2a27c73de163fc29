package passes

import "ysc2onnx/onnxbuild"

// DropNeutral removes what multiplies by 1, divides by 1, or adds or subtracts 0, where the constant does not broadcast
// the other operand to another shape. A product with a constant that is 0 everywhere is known to be 0; so are the parts
// that it is split into, and adding them does nothing. That way a gate that turns out to be closed for all channels takes
// everything behind it with it.
//
// Two things change: 0·x counts as 0 also where x is infinite or not a number, and -0 + 0 stays -0.
func DropNeutral(g *onnxbuild.Graph) error {
	k := &known{zero: map[*onnxbuild.Value]bool{}, uniform: map[*onnxbuild.Value]uniform{}}
	return walk(g, func(s *sweep, _ onnxbuild.Builder, n *onnxbuild.Node) bool {
		for _, v := range k.neutral(n) {
			if s.replace(n.Outputs[0], v) {
				return false
			}
		}
		if k.vanishes(n) {
			for _, v := range n.Outputs {
				k.zero[v] = true
			}
		}
		return true
	})
}

// known is what a sweep knows about the elements of values.
type known struct {
	zero    map[*onnxbuild.Value]bool // results of nodes that are 0 everywhere
	uniform map[*onnxbuild.Value]uniform
}

// uniform is whether all elements of a constant are the same number, and which.
type uniform struct {
	number float32
	ok     bool
}

// neutral lists the inputs of an arithmetic node that its result equals, as far as the other input's elements tell.
func (k *known) neutral(n *onnxbuild.Node) []*onnxbuild.Value {
	number, commutes := float32(0), true
	switch n.Op.Name {
	case "Add":
	case "Sub":
		commutes = false
	case "Mul":
		number = 1
	case "Div":
		number, commutes = 1, false
	default:
		return nil
	}
	var equal []*onnxbuild.Value
	if k.isUniform(n.Inputs[1], number) {
		equal = append(equal, n.Inputs[0])
	}
	if commutes && k.isUniform(n.Inputs[0], number) {
		equal = append(equal, n.Inputs[1])
	}
	return equal
}

// vanishes reports whether all outputs of a node are 0 because its inputs are.
func (k *known) vanishes(n *onnxbuild.Node) bool {
	switch n.Op.Name {
	case "Mul":
		return k.isUniform(n.Inputs[0], 0) || k.isUniform(n.Inputs[1], 0)
	case "Add", "Sub":
		return k.isUniform(n.Inputs[0], 0) && k.isUniform(n.Inputs[1], 0)
	case "Split", "Reshape", "Transpose":
		return k.isUniform(n.Inputs[0], 0)
	}
	return false
}

// maxExamined is how many elements of a constant are looked at; a larger one counts as not uniform.
const maxExamined = 1 << 16

// isUniform reports whether every element of v is known to be the given number.
func (k *known) isUniform(v *onnxbuild.Value, number float32) bool {
	if v.Const == nil {
		return number == 0 && k.zero[v]
	}
	u, ok := k.uniform[v]
	if !ok {
		u = examine(v.Const)
		k.uniform[v] = u
	}
	return u.ok && u.number == number
}

func examine(t *onnxbuild.Tensor) uniform {
	if t.DType != onnxbuild.Float32 || t.Len() < 1 || t.Len() > maxExamined {
		return uniform{}
	}
	floats, err := t.ReadAll()
	if err != nil {
		return uniform{} // left for the writer to report
	}
	for _, f := range floats {
		if f != floats[0] {
			return uniform{}
		}
	}
	return uniform{floats[0], true}
}

package passes

import (
	"crypto/sha256"
	"fmt"
	"reflect"

	"ysc2onnx/onnxbuild"
)

// maxCompared is the size up to which initializers are compared by their bytes.
const maxCompared = 64 << 10

// ShareInitializers makes equal initializers one, under the name of the first: those of one type and shape whose bytes
// are equal, up to 64 KiB, and larger ones that are made by the same recipe. Initializers with a promised name stay.
func ShareInitializers(g *onnxbuild.Graph) error {
	first := map[any]*onnxbuild.Value{}
	same := map[*onnxbuild.Value]*onnxbuild.Value{}
	for _, v := range g.Initializers() {
		key, err := identity(v.Const)
		switch {
		case err != nil:
			return fmt.Errorf("%s: %w", v.Name, err)
		case key == nil || v.Pinned:
		case first[key] == nil:
			first[key] = v
		default:
			same[v] = first[key]
		}
	}
	for _, n := range g.Nodes {
		for i, v := range n.Inputs {
			if by := same[v]; by != nil {
				n.Inputs[i] = by
			}
		}
	}
	return nil
}

// content and recipe identify a tensor: by its bytes, or by what makes them.
type (
	content struct {
		dtype onnxbuild.DType
		shape string
		hash  [sha256.Size]byte
	}
	recipe struct {
		dtype  onnxbuild.DType
		shape  string
		source onnxbuild.FloatSource
	}
)

// identity is equal for tensors that are known to be equal; nil for a tensor that is not compared.
func identity(t *onnxbuild.Tensor) (any, error) {
	shape := fmt.Sprint(t.Shape)
	if size := t.Bytes(); size <= maxCompared {
		bytes := make([]byte, size)
		if err := t.Encode(bytes, 0, make([]float32, t.Len())); err != nil {
			return nil, err
		}
		return content{t.DType, shape, sha256.Sum256(bytes)}, nil
	}
	if t.Floats != nil && reflect.ValueOf(t.Floats).Comparable() {
		return recipe{t.DType, shape, t.Floats}, nil
	}
	return nil, nil
}

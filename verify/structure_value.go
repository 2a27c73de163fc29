package verify

import (
	"ysc2onnx/internal/protofile"
	"ysc2onnx/verify/engine"
)

// maxRank is how many dimensions a tensor may have.
const maxRank = 64

// valueInfo reads a ValueInfoProto. typed is true if it says both the element
// type and the shape of a tensor.
func (c *checker) valueInfo(f protofile.Field) (v engine.IO, typed bool, err error) {
	shaped := false
	tensor := func(f protofile.Field) error {
		switch f.Num {
		case 1:
			n, err := f.Number()
			v.DType = engine.DType(n)
			return err
		case 2:
			shaped = true
			return c.w.Message(f, func(f protofile.Field) error {
				if f.Num != 1 {
					return nil
				}
				return c.dimension(f, &v)
			})
		}
		return nil
	}
	err = c.w.Message(f, func(f protofile.Field) (err error) {
		switch f.Num {
		case 1:
			v.Name, err = c.w.String(f)
		case 2:
			err = c.w.Message(f, func(f protofile.Field) error {
				switch f.Num {
				case 1:
					return c.w.Message(f, tensor)
				case 4, 5, 7, 8, 9: // sequence, map, opaque, sparse tensor, optional
					v.Other = true
				}
				return nil
			})
		}
		return err
	})
	v.Shapeless = !shaped && v.DType != engine.Undefined
	for _, name := range v.DimNames {
		if name != "" {
			return v, shaped && v.DType != engine.Undefined, err
		}
	}
	v.DimNames = nil
	return v, shaped && v.DType != engine.Undefined, err
}

// dimension appends one TensorShapeProto.Dimension to v.
func (c *checker) dimension(f protofile.Field, v *engine.IO) error {
	if len(v.Dims) == maxRank {
		return protofile.Malformed(f.Body.From, "a shape has more than %d dimensions", maxRank)
	}
	size, name := int64(-1), ""
	err := c.w.Message(f, func(f protofile.Field) (err error) {
		switch f.Num {
		case 1:
			size, err = f.Number()
		case 2:
			name, err = c.w.String(f)
		}
		return err
	})
	v.Dims, v.DimNames = append(v.Dims, size), append(v.DimNames, name)
	return err
}

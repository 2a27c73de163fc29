package verify

import (
	"strconv"

	"google.golang.org/protobuf/encoding/protowire"

	"ysc2onnx/internal/protofile"
	"ysc2onnx/verify/engine"
)

// stored is where a TensorProto says that its elements are.
type stored struct {
	name     string
	dtype    engine.DType
	dims     []int64
	raw      int64            // bytes of raw_data, or of the external data; -1 without either
	at       int64            // where they begin in their file; -1 if it is not known
	typed    int64            // elements in float_data, int32_data, …
	in       protowire.Number // the field that has them; -1 for several
	packed   int64            // where they begin, if they are one packed field; -1 else
	external bool
	location map[string]string
}

// tensor checks that a TensorProto holds as many bytes as its type and shape
// say. The bytes themselves are not read.
func (c *checker) tensor(f protofile.Field, where string) (stored, error) {
	t := stored{raw: -1, at: -1, packed: -1, location: map[string]string{}}
	if err := c.w.Message(f, func(f protofile.Field) error { return c.tensorField(&t, f) }); err != nil {
		return t, err
	}
	where += " " + strconv.Quote(t.name)
	count, ok := engine.Elements(t.dims)
	if !ok {
		c.problem("%s: shape %v is not possible", where, t.dims)
		return t, nil
	}
	if !t.dtype.Known() {
		c.problem("%s: element %s is not known", where, t.dtype)
		return t, nil
	}
	size, ok := t.dtype.Bytes(count)
	if !ok {
		c.problem("%s: shape %v is not possible", where, t.dims)
		return t, nil
	}
	form := typedForms[t.dtype]
	switch {
	case t.external:
		t.at, t.raw = c.outside(where, t, size), size
	case t.raw >= 0 && t.typed > 0:
		c.problem("%s: has both raw data and %d typed values", where, t.typed)
	case t.raw >= 0 && t.dtype == engine.String:
		c.problem("%s: strings cannot be raw data", where)
	case t.raw >= 0 && t.raw != size:
		c.problem("%s: has %d bytes, but %s %s takes %d", where, t.raw, t.dtype, engine.ShapeText(t.dims), size)
	case t.raw >= 0:
	case t.typed != form.values(t.dtype, count):
		c.problem("%s: has %d values, but its shape %s takes %d", where, t.typed, engine.ShapeText(t.dims), form.values(t.dtype, count))
	case t.typed > 0 && t.in != form.field:
		c.problem("%s: its values are in field %d of the tensor, those of %s belong into %d", where, t.in, t.dtype, form.field)
	case t.packed >= 0 && (t.in == 4 || t.in == 10): // fixed width, one behind the other: as in raw data
		t.at, t.raw = t.packed, size
	}
	c.facts.WeightBytes += size
	return t, nil
}

// place is where the elements of a tensor lie, for [Facts.Stored].
func (t *stored) place() Stored {
	return Stored{DType: t.dtype, Dims: t.dims, File: t.location["location"], Offset: t.at, Length: t.raw}
}

// typedForm says how a tensor holds elements that are not raw data.
type typedForm struct {
	field protowire.Number // float_data, int32_data, …
	each  int64            // values for an element
}

// typedForms are those that onnx.proto gives the element types.
var typedForms = map[engine.DType]typedForm{
	engine.Float32: {4, 1}, engine.Complex64: {4, 2}, engine.Float64: {10, 1}, engine.Complex: {10, 2}, engine.String: {6, 1}, engine.Int64: {7, 1}, engine.Uint32: {11, 1}, engine.Uint64: {11, 1},
	engine.Int32: {5, 1}, engine.Int16: {5, 1}, engine.Int8: {5, 1}, engine.Uint16: {5, 1}, engine.Uint8: {5, 1}, engine.Bool: {5, 1}, engine.Float16: {5, 1}, engine.BFloat16: {5, 1},
	17: {5, 1}, 18: {5, 1}, 19: {5, 1}, 20: {5, 1}, 24: {5, 1}, 21: {5, 1}, 22: {5, 1}, 23: {5, 1}, 25: {5, 1}, 26: {5, 1},
}

// values is how many values hold count elements. Those of the small types share one.
func (f typedForm) values(t engine.DType, count int64) int64 {
	if t.Packed() > 0 {
		size, _ := t.Bytes(count)
		return size
	}
	return count * f.each
}

// tensorField reads one field of a TensorProto into t.
func (c *checker) tensorField(t *stored, f protofile.Field) (err error) {
	var n int64
	begin := func() { // of the typed values in f
		t.packed = -1
		if t.in == 0 && f.Type == protowire.BytesType {
			t.packed = f.Body.From
		}
		if t.in != 0 && t.in != f.Num {
			t.in = -1
			return
		}
		t.in = f.Num
	}
	count := func(int64) error { t.typed++; return nil }
	fixed := func(width int64) error { // a repeated fixed-width number, packed or not
		n := f.Body.To - f.Body.From
		if f.Type == protowire.VarintType || n%width != 0 {
			return protofile.Malformed(f.Body.From, "field %d of a tensor does not hold whole numbers of %d bytes", f.Num, width)
		}
		begin()
		t.typed += n / width
		return nil
	}
	switch f.Num {
	case 1:
		return c.w.EachVarint(f, func(d int64) error {
			if len(t.dims) == maxRank {
				return protofile.Malformed(f.Body.From, "a tensor has more than %d dimensions", maxRank)
			}
			t.dims = append(t.dims, d)
			return nil
		})
	case 2:
		n, err = f.Number()
		t.dtype = engine.DType(n)
	case 4:
		return fixed(4)
	case 5, 7, 11:
		begin()
		return c.w.EachVarint(f, count)
	case 6:
		begin()
		t.typed++
		return f.Want(protowire.BytesType)
	case 8:
		t.name, err = c.w.String(f)
	case 9:
		t.at, t.raw = f.Body.From, f.Body.To-f.Body.From
		return f.Want(protowire.BytesType)
	case 10:
		return fixed(8)
	case 13:
		var key, value string
		key, value, err = c.w.KeyValue(f)
		t.location[key] = value
	case 14:
		n, err = f.Number()
		t.external = n == 1
	}
	return err
}

// outside checks a tensor of size bytes whose data is in another file, and gives
// where it begins there, -1 after a problem.
func (c *checker) outside(where string, t stored, size int64) int64 {
	number := func(key string, otherwise int64) (int64, bool) {
		text, ok := t.location[key]
		if !ok {
			return otherwise, true
		}
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < 0 {
			c.problem("%s: external data has the %s %q, want a number of bytes", where, key, text)
			return 0, false
		}
		return n, true
	}
	offset, ok1 := number("offset", 0)
	length, ok2 := number("length", size)
	if !ok1 || !ok2 {
		return -1
	}
	if length != size {
		c.problem("%s: external data has %d bytes, but %s %s takes %d", where, length, t.dtype, engine.ShapeText(t.dims), size)
		return -1
	}
	name := t.location["location"]
	total, ok := c.externalSize(name)
	if ok && (offset > total || length > total-offset) {
		c.problem("%s: external data %q has %d bytes, too few for %d from byte %d on", where, name, total, length, offset)
		ok = false
	}
	if !ok {
		return -1
	}
	return offset
}

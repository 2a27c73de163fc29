package verify

import (
	"fmt"
	"strconv"

	"google.golang.org/protobuf/encoding/protowire"
)

// stored is what a TensorProto says about where its elements are.
type stored struct {
	name     string
	dtype    DType
	dims     []int64
	raw      int64 // bytes of raw_data, or of the external data; -1 without either
	at       int64 // where they begin in their file; -1 if it is not known
	typed    int64 // elements in float_data, int32_data, …
	external bool
	location map[string]string
}

// tensor checks that a TensorProto holds as many bytes as its type and shape
// say. The bytes themselves are not read.
func (c *checker) tensor(f field, where string) (stored, error) {
	t := stored{raw: -1, at: -1, location: map[string]string{}}
	if err := c.w.message(f, func(f field) error { return c.tensorField(&t, f) }); err != nil {
		return t, err
	}
	where += " " + strconv.Quote(t.name)
	count, ok := elements(t.dims)
	if !ok {
		c.problem("%s: shape %v is not possible", where, t.dims)
		return t, nil
	}
	if _, known := dtypes[t.dtype]; !known {
		c.problem("%s: element %s is not known", where, t.dtype)
		return t, nil
	}
	if t.dtype != String && count > (1<<62)/t.dtype.Size() {
		c.problem("%s: shape %v is not possible", where, t.dims)
		return t, nil
	}
	size := count * t.dtype.Size()
	switch {
	case t.external:
		t.at, t.raw = c.outside(where, t, size), size
	case t.raw >= 0 && t.typed > 0:
		c.problem("%s: has both raw data and %d typed values", where, t.typed)
	case t.raw >= 0 && t.dtype == String:
		c.problem("%s: strings cannot be raw data", where)
	case t.raw >= 0 && t.raw != size:
		c.problem("%s: has %d bytes, but %s %s takes %d", where, t.raw, t.dtype, shapeText(t.dims), size)
	case t.raw < 0 && t.typed != count:
		c.problem("%s: has %d values, but its shape %s takes %d", where, t.typed, shapeText(t.dims), count)
	}
	c.facts.WeightBytes += size
	return t, nil
}

// place is where the elements of a tensor lie, for [Facts.Stored].
func (t *stored) place() Stored {
	return Stored{DType: t.dtype, Dims: t.dims, File: t.location["location"], Offset: t.at, Length: t.raw}
}

// tensorField reads one field of a TensorProto into t.
func (c *checker) tensorField(t *stored, f field) (err error) {
	var n int64
	count := func(int64) error { t.typed++; return nil }
	fixed := func(width int64) error { // a repeated fixed-width number, packed or not
		n := f.body.to - f.body.from
		if f.typ == protowire.VarintType || n%width != 0 {
			return &malformed{f.body.from, fmt.Sprintf("field %d of a tensor does not hold whole numbers of %d bytes", f.num, width)}
		}
		t.typed += n / width
		return nil
	}
	switch f.num {
	case 1:
		return c.w.eachVarint(f, func(d int64) error {
			if len(t.dims) == maxRank {
				return &malformed{f.body.from, fmt.Sprintf("a tensor has more than %d dimensions", maxRank)}
			}
			t.dims = append(t.dims, d)
			return nil
		})
	case 2:
		n, err = f.number()
		t.dtype = DType(n)
	case 4:
		return fixed(4)
	case 5, 7, 11:
		return c.w.eachVarint(f, count)
	case 6:
		t.typed++
		return f.want(protowire.BytesType)
	case 8:
		t.name, err = c.w.string(f)
	case 9:
		t.at, t.raw = f.body.from, f.body.to-f.body.from
		return f.want(protowire.BytesType)
	case 10:
		return fixed(8)
	case 13:
		var key, value string
		key, value, err = c.w.keyValue(f)
		t.location[key] = value
	case 14:
		n, err = f.number()
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
		c.problem("%s: external data has %d bytes, but %s %s takes %d", where, length, t.dtype, shapeText(t.dims), size)
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

package checkpoint

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"
)

// Value is a Python value: one of [None], [Boolean], [Int], [BigInt], [Float], [Str], [Bytes], *[List], *[Tuple],
// *[Dict], *[Set], *[Tensor], *[Storage], [Global] and *[Object]. Values may share parts and may be cyclic.
type Value interface{ value() }

type (
	// None is Python's None.
	None struct{}
	// Boolean is Python's bool.
	Boolean bool
	// Int is an int of 64 bits.
	Int int64
	// BigInt is an int that 64 bits do not hold.
	BigInt struct{ *big.Int }
	// Float is Python's float.
	Float float64
	// Str is Python's str, in UTF-8.
	Str string
	// Bytes is Python's bytes or bytearray.
	Bytes string
	// List is Python's list or deque.
	List struct {
		Items []Value
		seen  bool
	}
	// Tuple is Python's tuple, or torch.Size.
	Tuple struct {
		Items []Value
		seen  bool
	}
	// Set is Python's set or frozenset, in the order of the file.
	Set struct {
		Items []Value
		seen  bool
	}
	// Global is a name that the file mentions: a class or a function. It is never looked up.
	Global struct{ Module, Name string }
	// Object is an instance of a class, or the result of a call, that is not interpreted.
	Object struct {
		Class  Global // what was called; zero where Callee is set
		Callee Value  // what was called where it is not a plain name, otherwise nil
		Args   []Value
		Kwargs *Dict   // keyword arguments, or nil
		State  Value   // what __setstate__ would be given (often __dict__, a *Dict), or nil
		Items  []Value // what was appended, for subclasses of list and set
		Map    *Dict   // entries that were set by key, for subclasses of dict, or nil
		Array  *Tensor // the elements of a numpy array, if its dtype is one of [DType], otherwise nil
		seen   bool
	}
)

func (None) value()     {}
func (Boolean) value()  {}
func (Int) value()      {}
func (BigInt) value()   {}
func (Float) value()    {}
func (Str) value()      {}
func (Bytes) value()    {}
func (*List) value()    {}
func (*Tuple) value()   {}
func (*Set) value()     {}
func (*Dict) value()    {}
func (*Tensor) value()  {}
func (*Storage) value() {}
func (Global) value()   {}
func (*Object) value()  {}

func (g Global) String() string { return g.Module + "." + g.Name }

// Entry is a key of a dict and its value.
type Entry struct{ Key, Value Value }

// Dict is Python's dict or a standard subclass of it, in the order of insertion.
type Dict struct {
	Entries []Entry
	State   Value // the attributes of an OrderedDict (a state_dict's _metadata), or nil
	index   map[Value]int
	seen    bool
}

// indexFrom is the size from which a dict is searched by a map.
const indexFrom = 8

// NewDict makes a dict of entries.
func NewDict(entries ...Entry) *Dict {
	d := &Dict{}
	for _, e := range entries {
		d.set(e.Key, e.Value)
	}
	return d
}

// Lookup is the value of a key, if it is there. Tuples and objects are keys by identity.
func (d *Dict) Lookup(key Value) (Value, bool) {
	if i := d.find(key); i >= 0 {
		return d.Entries[i].Value, true
	}
	return nil, false
}

// Get is the value of a string key, if it is there. A nil dict has no keys.
func (d *Dict) Get(key string) (Value, bool) {
	if d == nil {
		return nil, false
	}
	return d.Lookup(Str(key))
}

func (d *Dict) find(key Value) int {
	if len(d.Entries) < indexFrom {
		for i, e := range d.Entries {
			if e.Key == key {
				return i
			}
		}
		return -1
	}
	if i, ok := d.index[key]; ok {
		return i
	}
	return -1
}

func (d *Dict) set(key, value Value) {
	if i := d.find(key); i >= 0 {
		d.Entries[i].Value = value
		return
	}
	d.Entries = append(d.Entries, Entry{key, value})
	switch {
	case len(d.Entries) == indexFrom:
		d.index = make(map[Value]int, 2*indexFrom)
		for i, e := range d.Entries {
			d.index[e.Key] = i
		}
	case len(d.Entries) > indexFrom:
		d.index[key] = len(d.Entries) - 1
	}
}

// AsInt is the int of an Int or Boolean, or of a Float that is whole.
func AsInt(v Value) (int64, bool) {
	switch v := v.(type) {
	case Int:
		return int64(v), true
	case Boolean:
		if v {
			return 1, true
		}
		return 0, true
	case Float:
		if i := int64(v); Float(i) == v && v > -1<<53 && v < 1<<53 {
			return i, true
		}
	}
	return 0, false
}

// AsFloat is the number of a Float, Int or Boolean.
func AsFloat(v Value) (float64, bool) {
	if f, ok := v.(Float); ok {
		return float64(f), true
	}
	i, ok := AsInt(v)
	return float64(i), ok
}

// AsString is the text of a Str.
func AsString(v Value) (string, bool) {
	s, ok := v.(Str)
	return string(s), ok
}

// AsBool is the truth of a Boolean.
func AsBool(v Value) (value, ok bool) {
	b, ok := v.(Boolean)
	return bool(b), ok
}

// AsSlice is the elements of a list, tuple or set.
func AsSlice(v Value) ([]Value, bool) {
	switch v := v.(type) {
	case *List:
		return v.Items, true
	case *Tuple:
		return v.Items, true
	case *Set:
		return v.Items, true
	}
	return nil, false
}

// AsInts is the elements of a list or tuple of ints.
func AsInts(v Value) ([]int64, bool) {
	items, ok := AsSlice(v)
	if !ok {
		return nil, false
	}
	ints := make([]int64, len(items))
	for i, item := range items {
		if ints[i], ok = AsInt(item); !ok {
			return nil, false
		}
	}
	return ints, true
}

// AsTensor is a tensor, or the elements of a numpy array.
func AsTensor(v Value) (*Tensor, bool) {
	switch v := v.(type) {
	case *Tensor:
		return v, true
	case *Object:
		return v.Array, v.Array != nil
	}
	return nil, false
}

// TextSize is about how many bytes v takes when it is written out. Shared parts count wherever they stand, so that it can be
// any number of times the size of the file. Counting stops at limit; a value that is deeper than any checkpoint counts as
// limit.
func TextSize(v Value, limit int) int { return textSize(v, limit, 0) }

func textSize(v Value, limit, depth int) int {
	if depth > DefaultLimits().Nesting { // a cycle
		return limit
	}
	const scalar = 8 // of a number, a name, or around a container
	n := scalar
	add := func(parts ...Value) {
		for _, part := range parts {
			if n < limit {
				n += textSize(part, limit-n, depth+1)
			}
		}
	}
	switch v := v.(type) {
	case Str:
		n += len(v)
	case Bytes:
		n += len(v)
	case *Dict:
		for _, e := range v.Entries {
			add(e.Key, e.Value)
		}
	case *Object:
		add(v.Callee)
		add(v.Args...)
	default:
		items, _ := AsSlice(v)
		add(items...)
	}
	return min(n, limit)
}

// Repr is a value as a Python literal, as far as it is one. A value that is deeper than 8 levels, or whose text
// passes limit bytes, is cut with "…"; cyclic values end there too.
func Repr(v Value, limit int) string {
	f := formatter{limit: limit}
	f.value(v, 0)
	return f.b.String()
}

type formatter struct {
	b     strings.Builder
	limit int
}

const formatDepth = 8

// full says that the text has reached its limit, which it marks once.
func (f *formatter) full() bool { return f.b.Len() >= f.limit }

func (f *formatter) value(v Value, depth int) {
	if depth > formatDepth {
		f.b.WriteString("…")
		return
	}
	switch v := v.(type) {
	case None, nil:
		f.b.WriteString("None")
	case Boolean:
		f.b.WriteString(map[Boolean]string{true: "True", false: "False"}[v])
	case Int:
		f.b.WriteString(strconv.FormatInt(int64(v), 10))
	case BigInt:
		f.b.WriteString(v.Int.String())
	case Float:
		f.b.WriteString(formatFloat(float64(v)))
	case Str:
		f.quoted("", string(v))
	case Bytes:
		f.quoted("b", string(v))
	case *List:
		f.items("[", v.Items, "]", depth)
	case *Tuple:
		closing := ")"
		if len(v.Items) == 1 {
			closing = ",)"
		}
		f.items("(", v.Items, closing, depth)
	case *Set:
		if len(v.Items) == 0 {
			f.b.WriteString("set()")
			return
		}
		f.items("{", v.Items, "}", depth)
	case *Dict:
		f.dict(v, depth)
	case *Tensor:
		fmt.Fprintf(&f.b, "tensor(%s%v)", v.DType, v.Shape)
	case *Storage:
		fmt.Fprintf(&f.b, "storage(%s)", v.Key)
	case Global:
		f.b.WriteString(v.String())
	case *Object:
		f.object(v, depth)
	}
}

func (f *formatter) quoted(prefix, s string) {
	if room := max(f.limit-f.b.Len(), 0); len(s) > room {
		s = strings.ToValidUTF8(s[:room], "") + "…"
	}
	q := strconv.Quote(s)
	// Python's repr prefers single quotes.
	q = strings.ReplaceAll(q[1:len(q)-1], `\"`, `"`)
	if strings.Contains(q, "'") && !strings.Contains(q, `"`) {
		f.b.WriteString(prefix + `"` + q + `"`)
		return
	}
	f.b.WriteString(prefix + "'" + strings.ReplaceAll(q, "'", `\'`) + "'")
}

func (f *formatter) items(opening string, items []Value, closing string, depth int) {
	f.b.WriteString(opening)
	for i, item := range items {
		if i > 0 {
			f.b.WriteString(", ")
		}
		if f.full() {
			f.b.WriteString("…")
			break
		}
		f.value(item, depth+1)
	}
	f.b.WriteString(closing)
}

func (f *formatter) dict(d *Dict, depth int) {
	f.b.WriteString("{")
	for i, e := range d.Entries {
		if i > 0 {
			f.b.WriteString(", ")
		}
		if f.full() {
			f.b.WriteString("…")
			break
		}
		f.value(e.Key, depth)
		f.b.WriteString(": ")
		f.value(e.Value, depth+1)
	}
	f.b.WriteString("}")
}

func (f *formatter) object(o *Object, depth int) {
	if o.Array != nil {
		fmt.Fprintf(&f.b, "array(%s%v)", o.Array.DType, o.Array.Shape)
		return
	}
	if o.Callee != nil {
		f.value(o.Callee, depth+1)
	} else {
		f.b.WriteString(o.Class.String())
	}
	f.items("(", o.Args, ")", depth)
}

// formatFloat is the shortest text that reads back as x, in Python's form.
func formatFloat(x float64) string {
	s := strconv.FormatFloat(x, 'g', -1, 64)
	switch {
	case s == "NaN":
		return "nan"
	case strings.Contains(s, "Inf"):
		return strings.ToLower(strings.TrimPrefix(s, "+"))
	case strings.ContainsAny(s, ".e"):
		return s
	}
	return s + ".0"
}

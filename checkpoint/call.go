package checkpoint

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// object serves the opcodes that name globals, call them and set state.
func (m *machine) object(op byte) error {
	switch op {
	case opGlobal:
		g, err := m.globalLine()
		if err != nil {
			return err
		}
		return m.push(g)
	case opStackGlobal:
		return m.with2(func(module, name Value) (Value, error) {
			mod, ok1 := AsString(module)
			n, ok2 := AsString(name)
			if !ok1 || !ok2 {
				return nil, errors.New("a global's module and name must be strings")
			}
			return m.use(Global{mod, n})
		})
	case opReduce, opNewObj:
		return m.with2(func(callee, args Value) (Value, error) {
			items, ok := args.(*Tuple)
			if !ok {
				return nil, fmt.Errorf("arguments must be a tuple, and are %s", Repr(args, 80))
			}
			return m.call(callee, items.Items, nil)
		})
	case opNewObjEx:
		kwargs, err := m.pop()
		if err != nil {
			return err
		}
		return m.with2(func(callee, args Value) (Value, error) {
			items, ok1 := args.(*Tuple)
			named, ok2 := kwargs.(*Dict)
			if !ok1 || !ok2 {
				return nil, errors.New("arguments must be a tuple and a dict")
			}
			return m.call(callee, items.Items, named)
		})
	case opInst, opObj:
		return m.oldInstance(op)
	case opBuild:
		return m.with2(func(target, state Value) (Value, error) { return target, m.build(target, state) })
	default: // opBinPersID
		return m.with1(m.persistent)
	}
}

func (m *machine) globalLine() (Value, error) {
	module, err := m.line()
	if err != nil {
		return nil, err
	}
	name, err := m.line()
	if err != nil {
		return nil, err
	}
	return m.use(Global{module, name})
}

// oldInstance serves the two opcodes by which Python 2 makes instances of old-style classes.
func (m *machine) oldInstance(op byte) error {
	var class Value
	if op == opInst {
		g, err := m.globalLine()
		if err != nil {
			return err
		}
		class = g
	}
	args, err := m.popMark()
	if err != nil {
		return err
	}
	if op == opObj {
		if len(args) == 0 {
			return errors.New("an instance without a class")
		}
		class, args = args[0], args[1:]
	}
	v, err := m.call(class, args, nil)
	if err != nil {
		return err
	}
	return m.push(v)
}

// persistent resolves torch's reference to a storage.
func (m *machine) persistent(id Value) (Value, error) {
	wrong := func() error {
		return fmt.Errorf("a reference to a storage should be ('storage', type, key, location, elements), and is %s", Repr(id, 120))
	}
	t, ok := id.(*Tuple)
	if ok && m.legacy && len(t.Items) == 4 && t.Items[0] == Value(Str("module")) { // a class, with the text of its code, which is not looked at
		return t.Items[1], nil
	}
	if ok && m.legacy && len(t.Items) == 6 && t.Items[5] != Value(None{}) {
		return nil, fmt.Errorf("storage %s is a view of another one, which is not read; "+resave, Repr(t.Items[2], 80))
	}
	if !ok || len(t.Items) < 5 || len(t.Items) > 6 || t.Items[0] != Value(Str("storage")) {
		return nil, wrong()
	}
	class, ok1 := t.Items[1].(Global)
	key, ok2 := AsString(t.Items[2])
	location, ok3 := AsString(t.Items[3])
	numel, ok4 := t.Items[4].(Int)
	if !ok1 || !ok2 || !ok3 || !ok4 {
		return nil, wrong()
	}
	if m.storage == nil {
		return nil, errors.New("the pickle refers to a storage, but there is none beside it")
	}
	return m.storage(class, key, location, int64(numel))
}

// call interprets the call of an allowed global; any other is recorded.
func (m *machine) call(callee Value, args []Value, kwargs *Dict) (Value, error) {
	g, plain := callee.(Global)
	if !plain {
		return &Object{Callee: callee, Args: args, Kwargs: kwargs}, nil
	}
	if use := m.uses[g]; use != nil {
		use.Calls++
	}
	if kwargs == nil || len(kwargs.Entries) == 0 {
		v, err := m.interpret(g, args)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", g, err)
		}
		if v != nil {
			return v, nil
		}
	}
	return &Object{Class: g, Args: args, Kwargs: kwargs}, nil
}

// interpret is the list of all calls that have a meaning here, by their exact module and name. It gives nil for any other,
// and for arguments that the real function would not take.
func (m *machine) interpret(g Global, args []Value) (Value, error) {
	switch g.Module + "." + g.Name {
	case "collections.OrderedDict", "builtins.dict", "__builtin__.dict", "collections.Counter":
		return m.newDict(args)
	case "collections.defaultdict": // the first argument is the factory
		return m.newDict(args[min(1, len(args)):])
	case "builtins.list", "__builtin__.list", "collections.deque":
		items, err := m.copyItems(args)
		return maybe(&List{Items: items}, items != nil, err)
	case "builtins.tuple", "__builtin__.tuple", "torch.Size":
		items, err := m.copyItems(args)
		return maybe(&Tuple{Items: items}, items != nil, err)
	case "builtins.set", "__builtin__.set", "builtins.frozenset", "__builtin__.frozenset":
		items, err := m.copyItems(args)
		return maybe(&Set{Items: items}, items != nil, err)
	case "builtins.bytes", "__builtin__.bytes", "builtins.bytearray", "__builtin__.bytearray":
		return newBytes(args), nil
	case "_codecs.encode":
		return m.encode(args)
	case "pathlib.PosixPath", "pathlib.WindowsPath", "pathlib.PurePosixPath", "pathlib.Path", "pathlib._local.PosixPath", "pathlib._local.WindowsPath":
		return m.path(args)
	case "copy_reg._reconstructor", "copyreg._reconstructor": // class, base, the base's value
		if len(args) == 3 {
			if class, ok := args[0].(Global); ok {
				return &Object{Class: class, Args: args[2:]}, nil
			}
		}
	case "copyreg.__newobj__", "copy_reg.__newobj__":
		if len(args) > 0 {
			if class, ok := args[0].(Global); ok {
				return &Object{Class: class, Args: args[1:]}, nil
			}
		}
	case "numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar":
		return numpyScalar(args)
	case "numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct":
		if len(args) > 0 && args[0] == Value(ndarray) {
			return &Object{Class: ndarray, Args: args[1:]}, nil
		}
	case "torch._utils._rebuild_tensor":
		return m.rebuildTensor(args, 4, "")
	case "torch._utils._rebuild_tensor_v2":
		return m.rebuildTensor(args, 5, "")
	case "torch._utils._rebuild_tensor_v3":
		if len(args) < 7 {
			return nil, fmt.Errorf("%d arguments instead of 7", len(args))
		}
		name, _ := args[6].(Global)
		dtype, ok := torchDTypes[name.Name]
		if !ok || name.Module != "torch" {
			return nil, fmt.Errorf("element type %s is not read here", Repr(args[6], 80))
		}
		return m.rebuildTensor(args, 5, dtype)
	case "torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state":
		if len(args) < 2 {
			return nil, fmt.Errorf("%d arguments instead of 3", len(args))
		}
		if t, ok := args[0].(*Tensor); ok {
			p := *t
			requires, _ := AsBool(args[1])
			p.RequiresGrad = requires
			return &p, m.countTensor()
		}
	case "torch._tensor._rebuild_from_type_v2": // function, type, its arguments, state
		if len(args) == 4 {
			if f, ok := args[0].(Global); ok && strings.HasPrefix(f.Name, "_rebuild_") && f.Name != g.Name {
				if inner, ok := args[2].(*Tuple); ok {
					return m.interpret(f, inner.Items)
				}
			}
		}
	}
	return nil, nil
}

func maybe(v Value, ok bool, err error) (Value, error) {
	if !ok || err != nil {
		return nil, err
	}
	return v, nil
}

// copyItems is the elements of the one iterable argument; nil if it is none.
func (m *machine) copyItems(args []Value) ([]Value, error) {
	if len(args) == 0 {
		return []Value{}, nil
	}
	items, ok := AsSlice(args[0])
	if !ok || len(args) > 1 {
		return nil, nil
	}
	return append([]Value{}, items...), m.charge(len(items))
}

// newDict is a dict of the pairs in the one argument, or of another dict's.
func (m *machine) newDict(args []Value) (Value, error) {
	d := &Dict{}
	if len(args) == 0 {
		return d, nil
	}
	if from, ok := args[0].(*Dict); ok {
		for _, e := range from.Entries {
			d.set(e.Key, e.Value)
		}
		return d, m.charge(len(from.Entries))
	}
	items, ok := AsSlice(args[0])
	if !ok || len(args) > 1 {
		return nil, nil
	}
	for _, item := range items {
		pair, _ := AsSlice(item)
		if len(pair) != 2 {
			return nil, nil
		}
		d.set(pair[0], pair[1])
	}
	return d, m.charge(len(items))
}

// newBytes is bytes(), bytes(b) and bytearray(b).
func newBytes(args []Value) Value {
	if len(args) == 0 {
		return Bytes("")
	}
	if b, ok := args[0].(Bytes); ok && len(args) == 1 {
		return b
	}
	return nil
}

// encode is _codecs.encode(text, 'latin1'), by which Python 3 writes bytes in protocol 2.
func (m *machine) encode(args []Value) (Value, error) {
	if len(args) != 2 {
		return nil, nil
	}
	text, ok1 := args[0].(Str)
	codec, ok2 := args[1].(Str)
	if !ok1 || !ok2 || codec != "latin1" && codec != "latin-1" {
		return nil, nil
	}
	if err := m.chargeBytes(len(text)); err != nil {
		return nil, err
	}
	b := make([]byte, 0, utf8.RuneCountInString(string(text)))
	for _, r := range text {
		if r > 0xff {
			return nil, nil
		}
		b = append(b, byte(r))
	}
	return Bytes(b), nil
}

// path is a pathlib path of its parts, as text.
func (m *machine) path(args []Value) (Value, error) {
	parts := make([]string, len(args))
	size := 0
	for i, a := range args {
		part, ok := AsString(a)
		if !ok {
			return nil, nil
		}
		parts[i] = part
		size += len(part) + 1
	}
	if err := m.chargeBytes(size); err != nil {
		return nil, err
	}
	if len(parts) > 0 && parts[0] == "/" {
		return Str("/" + strings.Join(parts[1:], "/")), nil
	}
	return Str(strings.Join(parts, "/")), nil
}

// countTensor counts tensors against the limit.
func (m *machine) countTensor() error {
	if m.tensors++; m.tensors > m.limits.Tensors {
		return overLimit("tensors", m.limits.Tensors)
	}
	return nil
}

// rebuildTensor is a view of a storage: storage, offset, size, stride, requires_grad. The element type is the
// storage's unless it is given.
func (m *machine) rebuildTensor(args []Value, least int, dtype DType) (Value, error) {
	if len(args) < least {
		return nil, fmt.Errorf("%d arguments instead of %d", len(args), least)
	}
	storage, ok0 := args[0].(*Storage)
	offset, ok1 := args[1].(Int)
	shape, ok2 := AsInts(args[2])
	strides, ok3 := AsInts(args[3])
	if !ok0 || !ok1 || !ok2 || !ok3 {
		return nil, errors.New("the arguments should be a storage, its offset, sizes and strides")
	}
	if err := m.charge(2 * len(shape)); err != nil {
		return nil, err
	}
	t := &Tensor{DType: dtype, Shape: shape, Strides: strides, StorageOffset: int64(offset), Storage: storage}
	if dtype == "" {
		t.DType = storage.dtype
	}
	if len(args) > 4 {
		t.RequiresGrad, _ = AsBool(args[4])
	}
	if err := t.check(); err != nil {
		return nil, err
	}
	return t, m.countTensor()
}

// build gives a value its state.
func (m *machine) build(target, state Value) error {
	switch t := target.(type) {
	case *Object:
		t.State = state
		if t.Class == ndarray {
			array, err := numpyArray(state)
			if err != nil {
				return err
			}
			if t.Array = array; array != nil {
				return m.countTensor()
			}
		}
		return nil
	case *Dict:
		t.State = state
		return nil
	case *Tensor, *List, *Set: // attributes of a subclass that is not kept
		return nil
	}
	return fmt.Errorf("state is set on a value that has none: %s", Repr(target, 80))
}

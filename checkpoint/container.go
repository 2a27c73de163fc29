package checkpoint

import (
	"errors"
	"fmt"
)

// container serves the opcodes that make and fill tuples, lists, dicts and sets.
func (m *machine) container(op byte) error {
	switch op {
	case opEmptyTuple:
		return m.push(&Tuple{})
	case opEmptyList:
		return m.push(&List{})
	case opEmptyDict:
		return m.push(&Dict{})
	case opEmptySet:
		return m.push(&Set{})
	case opTuple1:
		return m.with1(func(v Value) (Value, error) { return &Tuple{Items: []Value{v}}, nil })
	case opTuple2:
		return m.with2(func(a, b Value) (Value, error) { return &Tuple{Items: []Value{a, b}}, nil })
	case opTuple3:
		c, err := m.pop()
		if err != nil {
			return err
		}
		return m.with2(func(a, b Value) (Value, error) { return &Tuple{Items: []Value{a, b, c}}, nil })
	case opAppend:
		return m.with2(func(list, item Value) (Value, error) { return list, appendTo(list, []Value{item}) })
	case opSetItem:
		value, err := m.pop()
		if err != nil {
			return err
		}
		return m.with2(func(dict, key Value) (Value, error) { return dict, setIn(dict, []Value{key, value}) })
	}
	items, err := m.popMark()
	if err != nil {
		return err
	}
	switch op {
	case opTuple:
		return m.push(&Tuple{Items: items})
	case opList:
		return m.push(&List{Items: items})
	case opFrozenSet:
		return m.push(&Set{Items: items})
	case opDict:
		d := &Dict{}
		if err := setIn(d, items); err != nil {
			return err
		}
		return m.push(d)
	case opSetItems:
		return m.with1(func(dict Value) (Value, error) { return dict, setIn(dict, items) })
	default: // opAppends, opAddItems
		return m.with1(func(list Value) (Value, error) { return list, appendTo(list, items) })
	}
}

// appendTo adds items to a list or set, or to an object whose class may be one.
func appendTo(target Value, items []Value) error {
	switch t := target.(type) {
	case *List:
		t.Items = append(t.Items, items...)
	case *Set:
		t.Items = append(t.Items, items...)
	case *Object:
		t.Items = append(t.Items, items...)
	default:
		return fmt.Errorf("items are appended to a value that is not a list: %s", Repr(target, 80))
	}
	return nil
}

// setIn sets keys and values, alternating, in a dict, or in an object whose class may be one.
func setIn(target Value, items []Value) error {
	if len(items)%2 != 0 {
		return errors.New("a dict gets a key without a value")
	}
	var d *Dict
	switch t := target.(type) {
	case *Dict:
		d = t
	case *Object:
		if t.Map == nil {
			t.Map = &Dict{}
		}
		d = t.Map
	default:
		return fmt.Errorf("keys are set in a value that is not a dict: %s", Repr(target, 80))
	}
	for i := 0; i < len(items); i += 2 {
		d.set(items[i], items[i+1])
	}
	return nil
}

// checkNesting refuses values that lie deeper than limit, by the shortest way to each; it visits each value once, so
// that cycles end.
func checkNesting(root Value, limit int) error {
	level := []Value{root}
	for depth := 0; len(level) > 0; depth++ {
		if depth > limit {
			return overLimit("levels of containers inside each other", limit)
		}
		var next []Value
		for _, v := range level {
			next = appendParts(next, v)
		}
		level = next
	}
	return nil
}

// appendParts appends the containers and objects directly inside v, which is marked as seen.
func appendParts(parts []Value, v Value) []Value {
	add := func(values ...Value) {
		for _, v := range values {
			switch v.(type) {
			case *List, *Tuple, *Set, *Dict, *Object:
				parts = append(parts, v)
			}
		}
	}
	switch v := v.(type) {
	case *List:
		if !v.seen {
			v.seen = true
			add(v.Items...)
		}
	case *Tuple:
		if !v.seen {
			v.seen = true
			add(v.Items...)
		}
	case *Set:
		if !v.seen {
			v.seen = true
			add(v.Items...)
		}
	case *Dict:
		if !v.seen {
			v.seen = true
			for _, e := range v.Entries {
				add(e.Key, e.Value)
			}
			add(v.State)
		}
	case *Object:
		if !v.seen {
			v.seen = true
			add(v.Args...)
			add(v.Items...)
			add(v.Callee, v.State)
			if v.Map != nil {
				add(v.Map)
			}
			if v.Kwargs != nil {
				add(v.Kwargs)
			}
		}
	}
	return parts
}

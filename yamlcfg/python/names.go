package python

import (
	"errors"
	"fmt"
	"strconv"
)

// maxNames bounds a list of class names: no data set comes near it, and a file that says otherwise is not believed.
const maxNames = 1 << 16

// ClassNames reads the names of a model's classes, by number, from the Python literal that YOLOv5's files hold in their
// metadata: a dict such as {0: 'person', 1: 'bicycle'} or a list of strings. A number that the dict leaves out is the
// name of its class, and a name that is a number, True, False or None is what Python prints of it.
func ClassNames(text string) ([]string, error) {
	const maxText = 1 << 24
	if len(text) > maxText {
		return nil, fmt.Errorf("the names of the classes take %d bytes; at most %d are read", len(text), maxText)
	}
	p := pyParser{s: text}
	var names []string
	var err error
	if p.take('{') {
		names, err = p.numberedNames()
	} else {
		names, err = p.listedNames()
	}
	if err != nil {
		return nil, fmt.Errorf("the names of the classes are neither a dict of numbers to strings nor a list of strings: %w", err)
	}
	if p.space(); p.at != len(p.s) {
		return nil, errors.New("the names of the classes are followed by something else")
	}
	return names, nil
}

// numberedNames reads a dict up to its closing brace.
func (p *pyParser) numberedNames() ([]string, error) {
	var names []string
	for comma := true; !p.take('}'); comma = p.take(',') {
		if !comma {
			return nil, errNotPython
		}
		key, err := p.value(1)
		if err != nil {
			return nil, err
		}
		if key.Kind != Int || key.Int < 0 || key.Int >= maxNames {
			return nil, fmt.Errorf("a key is not a number from 0 to %d", maxNames-1)
		}
		if !p.take(':') {
			return nil, errNotPython
		}
		name, err := p.value(1)
		if err != nil {
			return nil, err
		}
		text, ok := name.Text()
		if !ok || p.unknown {
			return nil, fmt.Errorf("the name of class %d is not a string", key.Int)
		}
		for int64(len(names)) <= key.Int {
			names = append(names, strconv.Itoa(len(names)))
		}
		names[key.Int] = text
	}
	return names, nil
}

// listedNames reads a list or a tuple.
func (p *pyParser) listedNames() ([]string, error) {
	list, err := p.value(0)
	switch {
	case err != nil:
		return nil, err
	case list.Kind != List && list.Kind != Tuple || p.unknown:
		return nil, errNotPython
	case len(list.Items) > maxNames:
		return nil, fmt.Errorf("there are %d of them; at most %d are read", len(list.Items), maxNames)
	}
	names := make([]string, len(list.Items))
	for i, item := range list.Items {
		text, ok := item.Text()
		if !ok {
			return nil, fmt.Errorf("the name of class %d is not a string", i)
		}
		names[i] = text
	}
	return names, nil
}

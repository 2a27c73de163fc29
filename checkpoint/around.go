package checkpoint

import (
	"fmt"
	"regexp"
)

// wrappers are classes that hold a model, by their names, with the name of the model in them. What they add changes none of its
// numbers.
var wrappers = map[string]string{
	"DataParallel": "module", "DistributedDataParallel": "module", "OptimizedModule": "_orig_mod",
	"AutoShape": "model", "autoShape": "model", "DetectMultiBackend": "model", "Ensemble": "0",
}

// unwrapped builds the model that an object is or wraps.
func (b *moduleBuilder) unwrapped(o *Object) (*Module, error) {
	var around []string
	for len(around) < b.limits.Nesting {
		name, wraps := wrappers[o.Class.Name]
		children, _ := dictAt(objectDict(o), "_modules")
		if !wraps || children == nil {
			break
		}
		if n := len(children.Entries); o.Class.Name == "Ensemble" && n > 1 {
			return nil, fmt.Errorf("it is an Ensemble of %d models, and only one can be converted: save that one, or give its own checkpoint", n)
		}
		v, _ := children.Get(name)
		inner, ok := v.(*Object)
		if !ok || len(children.Entries) != 1 {
			break
		}
		around, o = append(around, o.Class.Name), inner
	}
	m, err := b.build(o, "")
	if err != nil {
		return nil, err
	}
	m.Around = around
	return m, nil
}

// rowName matches the beginning of the names of a YOLOv5 model's tensors, after what wrappers add in front; bareRow matches
// it in the state_dict of the rows alone.
var (
	rowName = regexp.MustCompile(`^((?:[^.]+\.)*?)model\.[0-9]+\.`)
	bareRow = regexp.MustCompile(`^[0-9]+\.`)
)

// rowPrefix is what stands before "model.0." in the names of a state_dict, and what is missing there. It must hold for all
// names; else nothing is removed or added.
func rowPrefix(d *Dict) (before, missed string) {
	if len(d.Entries) == 0 {
		return "", ""
	}
	first, _ := AsString(d.Entries[0].Key)
	before, ok := beforeRow(first)
	bare := !ok && bareRow.MatchString(first)
	if !ok && !bare {
		return "", ""
	}
	for _, e := range d.Entries {
		name, _ := AsString(e.Key)
		other, ok := beforeRow(name)
		if bare && !bareRow.MatchString(name) || !bare && (!ok || other != before) {
			return "", ""
		}
	}
	if bare {
		return "", "model."
	}
	return before, ""
}

// beforeRow is what stands before "model.0." in a name that has it.
func beforeRow(name string) (before string, ok bool) {
	if match := rowName.FindStringSubmatch(name); len(match) == 2 {
		return match[1], true
	}
	return "", false
}

package verify

import "ysc2onnx/verify/engine"

// PeakActivations is how many bytes the values that nodes make, and the inputs, take at most while the nodes run in the file's order,
// each value from the node that makes it to the last that reads it. It is a lower bound of what a runtime needs beside the
// weights: a runtime may keep more. ok is false where the file leaves a size open or says none.
func (f *Facts) PeakActivations() (bytes int64, ok bool) {
	last := map[string]int{} // the node that reads a value last
	for i := range f.nodes {
		for _, name := range f.nodes[i].inputs {
			last[name] = i
		}
	}
	for _, out := range f.Outputs {
		last[out.Name] = len(f.nodes)
	}
	sizes := map[string]int64{}
	alive, peak := int64(0), int64(0)
	add := func(v engine.IO) bool {
		elements, sized := engine.Elements(v.Dims)
		size, known := v.DType.Bytes(elements)
		if !sized || !known {
			return false
		}
		sizes[v.Name] = size
		alive += size
		peak = max(peak, alive)
		return true
	}
	for _, in := range f.Inputs {
		if !add(in) {
			return 0, false
		}
	}
	for i := range f.nodes {
		n := &f.nodes[i]
		for _, name := range n.outputs {
			if _, constant := f.constants[name]; name == "" || constant {
				continue
			}
			if v, made := f.values[name]; !made || !add(v) {
				return 0, false
			}
		}
		for _, names := range [][]string{n.inputs, n.outputs} { // what nothing reads is gone at once
			for _, name := range names {
				if size, held := sizes[name]; held && last[name] <= i {
					alive -= size
					delete(sizes, name)
				}
			}
		}
	}
	return peak, true
}

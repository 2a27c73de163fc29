package yamlcfg

import "io"

// Parse reads a model YAML.
func Parse(name string, r io.Reader) (*Model, *Diagnostics) {
	src, err := readSource(name, r)
	ds := NewDiagnostics(src)
	if err != nil {
		ds.Errorf(Span{}, "%v", err)
	}
	return nil, ds
}

package yamlcfg

// Lint gives warnings about what builds but is probably not meant.
func (m *Model) Lint() *Diagnostics { return NewDiagnostics(m.Source) }

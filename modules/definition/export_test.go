package definition

// Compute is the value of an expression without names.
func Compute(text string) (any, error) {
	e, err := parse(text)
	if err != nil {
		return nil, err
	}
	return (&frame{env: map[string]any{}, def: &module{}}).eval(e)
}

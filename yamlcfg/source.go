package yamlcfg

import (
	"fmt"
	"io"

	"ysc2onnx/diag"
)

// MaxInput is the largest YAML text, in bytes, that Parse reads. A model of 20,000 rows takes about 1 MiB.
const MaxInput = 4 << 20

// readSource reads r up to MaxInput and fails on more without reading the rest.
func readSource(name string, r io.Reader) (*diag.Source, error) {
	text, err := io.ReadAll(io.LimitReader(r, MaxInput+1))
	if err != nil {
		return diag.NewSource(name, nil), fmt.Errorf("cannot read: %w", err)
	}
	if len(text) > MaxInput {
		return diag.NewSource(name, nil), fmt.Errorf("the file is larger than %d MiB, which no model YAML is; "+
			"is it a checkpoint or a data set?", MaxInput>>20)
	}
	return diag.NewSource(name, text), nil
}

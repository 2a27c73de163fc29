package verify

import (
	"context"
	"errors"
)

// Facts are what Structure read from a file.
type Facts struct {
	IRVersion    int64             `json:"ir_version"`
	Opset        int64             `json:"opset"` // of the default domain
	Producer     string            `json:"producer,omitempty"`
	Graph        string            `json:"graph,omitempty"`
	Nodes        int               `json:"nodes"`
	Initializers int               `json:"initializers"`
	Inputs       []IO              `json:"inputs"`
	Outputs      []IO              `json:"outputs"`
	Metadata     map[string]string `json:"metadata,omitempty"`
	Problems     []string          `json:"problems,omitempty"`
}

// Summary is one line: "359 nodes, 120 initializers".
func (f *Facts) Summary() string { return "" }

func (f *Facts) exported() error { return nil }

// Structure reads the file at path.
func Structure(ctx context.Context, path string) (*Facts, error) {
	return nil, errors.New("verify: structure check is not there yet")
}

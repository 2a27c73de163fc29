package verify

import (
	"encoding/json"
	"regexp"
)

const (
	maxLayers     = 10_000
	maxLayersText = 1 << 20 // bytes of JSON
)

// Layer is a row of the YAML that a file was made from.
type Layer struct {
	From   []int  `json:"from"`   // the layers it reads: -1 is the one before it, others count from 0
	Module string `json:"module"` // its class: Conv
}

// className is what a class can be called, with its package or without; nothing of it can steer a terminal.
var className = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.]{0,63}$`)

// parseLayers reads the metadata entry "layers", [[[-1],"Conv"],[[-1,6],"Concat"]]. It describes the file and decides
// nothing in it, and other writers may use that name for something else: what is not of this form gives no layers.
func parseLayers(text string) []Layer {
	var rows [][]json.RawMessage
	if len(text) > maxLayersText || json.Unmarshal([]byte(text), &rows) != nil || len(rows) > maxLayers {
		return nil
	}
	list := make([]Layer, len(rows))
	for i, row := range rows {
		l := &list[i]
		if len(row) != 2 || json.Unmarshal(row[0], &l.From) != nil || json.Unmarshal(row[1], &l.Module) != nil || !className.MatchString(l.Module) {
			return nil
		}
	}
	return list
}

// module is the class of layer i, "" where the file does not say.
func (f *Facts) module(i int) string {
	if i < 0 || i >= len(f.Layers) {
		return ""
	}
	return f.Layers[i].Module
}

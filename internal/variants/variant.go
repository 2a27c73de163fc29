package variants

import (
	"ysc2onnx/modules"
	"ysc2onnx/verify"
)

// Variant is a model among others.
type Variant struct {
	Model           string          `json:"model"`
	Rows            int             `json:"rows"`
	Layers          int             `json:"layers"`
	Parameters      int64           `json:"parameters"`
	GFLOPs          float64         `json:"gflops"`
	Height          int             `json:"height"`
	Width           int             `json:"width"`
	FileBytes       int64           `json:"file_bytes"`
	ActivationBytes int64           `json:"activation_bytes"`  // of values that are held at once, beside the weights
	Latency         *Latency        `json:"latency,omitempty"` // nil where the models were not run
	Ratio           float64         `json:"ratio,omitempty"`   // of the median, to that of the first model named
	LayerTimes      []verify.Timing `json:"layer_times,omitempty"`

	Summary *modules.Summary `json:"-"`
}

// Relate computes the ratios to the first model.
func Relate(models []Variant) {
	if len(models) == 0 || models[0].Latency == nil {
		return
	}
	first := models[0].Latency.Median
	for i := range models {
		if first > 0 {
			models[i].Ratio = float64(models[i].Latency.Median) / float64(first)
		}
	}
}

// layerTime is the measured time of a layer in milliseconds; 0 where there is none.
func (v *Variant) layerTime(index int) float64 {
	for _, t := range v.LayerTimes {
		if t.Layer == index {
			return t.Time.Seconds() * 1e3
		}
	}
	return 0
}

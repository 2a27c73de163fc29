package heads

import "ysc2onnx/modules"

// Form is a form of a model's outputs under its name.
type Form struct {
	Name  string
	Stage modules.Stage
	Doc   string // what the outputs are
}

// Forms lists the forms, the default first.
func Forms() []Form {
	return []Form{
		{"decoded", Decoded, "output0 [N, boxes, 5+nc]: boxes in pixels, objectness, class scores, as YOLOv5's export.py writes it"},
		{"raw", Raw, "output0, output1, ... [N, 3(5+nc), H, W]: each map as its convolution gives it"},
		{"raw-sigmoid", RawSigmoid, "the same after the sigmoid"},
		{"raw5d", Raw5D, "the same as [N, 3, H, W, 5+nc], without the sigmoid"},
		{"v8", V8, "output0 [N, 4+nc, boxes]: boxes and scores, as YOLOv8 and later write it"},
	}
}

// ByName finds a form; nil for a name that none has.
func ByName(name string) *Form {
	for _, f := range Forms() {
		if f.Name == name {
			return &f
		}
	}
	return nil
}

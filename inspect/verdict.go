package inspect

import (
	"fmt"

	"ysc2onnx/checkpoint"
)

// The verdicts, the worst first: what loading the file with Python would do.
const (
	Dangerous = "dangerous" // it may run programs or code
	Unknown   = "unknown"   // it runs code from outside of PyTorch, numpy and YOLOv5
	Ordinary  = "ordinary"  // it names what checkpoints of YOLOv5 are made of
	Data      = "data"      // the format holds nothing that could be run
)

// judge sets the report's verdict on a checkpoint.
func (r *Report) judge(f *checkpoint.File) {
	dangerous, unknown := f.Risky(checkpoint.Dangerous), f.Risky(checkpoint.Unknown)
	switch {
	case f.Format == checkpoint.Safetensors:
		r.Verdict, r.Why = Data, dataOnly
	case len(dangerous) > 0:
		r.Verdict, r.Why = Dangerous, "loading it with Python may run "+firstOf(dangerous)+"; here it was read as data, and nothing was run"
	case len(unknown) > 0:
		r.Verdict, r.Why = Unknown, "loading it with Python runs what is not from PyTorch, numpy or YOLOv5: "+firstOf(unknown)
	default:
		r.Verdict, r.Why = Ordinary, "its pickle names nothing but what YOLOv5's checkpoints are made of"
	}
}

// dataOnly is why safetensors and ONNX files get the verdict [Data].
const dataOnly = "files of this format hold tensors and descriptions, and nothing that loading them would run"

// firstOf is "os.system", "os.system and 2 more".
func firstOf(names []string) string {
	if len(names) == 1 {
		return names[0]
	}
	return fmt.Sprintf("%s and %d more", names[0], len(names)-1)
}

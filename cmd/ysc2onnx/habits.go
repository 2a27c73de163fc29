package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// habit is what becomes of a flag of YOLOv5's export.py or detect.py that is not one here.
type habit struct {
	as    string // the flag that it is here; "" where it is left out
	word  bool   // its value becomes an argument
	value bool   // it takes a value
	note  string // why it is left out
}

// habits are those of the command that converts, and of detect.
var habits = map[string]map[string]habit{
	"": {
		"--img": {as: "--imgsz", value: true}, "--img-size": {as: "--imgsz", value: true}, "--batch": {as: "--batch-size", value: true},
		"--simplify": {note: "the graph is always simplified (--no-optimize leaves that out)"},
		"--device":   {value: true, note: "an export runs on the CPU"},
		"--data":     {value: true, note: "the checkpoint has the names of its classes"},
		"--inplace":  {note: "it makes no difference to an ONNX file"},
		"--train":    {note: "a file for training is not written"},
	},
	"detect": {
		"--source": {word: true, value: true}, "--weights": {word: true, value: true}, "--img": {as: "--imgsz", value: true}, "--img-size": {as: "--imgsz", value: true},
		"--device":   {value: true, note: "the file is run on the CPU"},
		"--data":     {value: true, note: "the file has the names of its classes"},
		"--dnn":      {note: "the file is run in ONNX Runtime"},
		"--view-img": {note: "pictures are written with -o DIR"},
		"--nosave":   {note: "nothing is written without -o DIR"},
	},
}

// translate turns flags as YOLOv5's users type them into those that there are here, and says what was left out.
func translate(args []string) (translated, notes []string) {
	of := habits[""]
	if len(args) > 0 {
		if slices.Contains(commandNames(), args[0]) && habits[args[0]] == nil {
			return args, nil
		}
		if known := habits[args[0]]; known != nil {
			of = known
		}
	}
	for i := 0; i < len(args); i++ {
		if args[i] == "--" {
			return append(translated, args[i:]...), notes
		}
		name, value, glued := strings.Cut(args[i], "=")
		h, known := of[name]
		switch {
		case name == "--include" && args[0] != "detect":
			var formats []string
			if glued {
				formats = append(formats, value)
			}
			for i+1 < len(args) && !glued && isFormat(args[i+1]) {
				i++
				formats = append(formats, args[i])
			}
			if others := slices.DeleteFunc(formats, func(f string) bool { return f == "onnx" }); len(others) > 0 {
				notes = append(notes, fmt.Sprintf("--include %s: an ONNX file is written, from which that toolchain goes on", strings.Join(others, " ")))
			}
		case !known:
			translated = append(translated, args[i])
		default:
			if h.value && !glued && i+1 < len(args) && !strings.HasPrefix(args[i+1], "--") {
				i++
				value, glued = args[i], true
			}
			switch {
			case h.word:
				translated = append(translated, value)
			case h.as != "" && glued:
				translated = append(translated, h.as+"="+value)
			case h.as != "":
				translated = append(translated, h.as)
			default:
				notes = append(notes, fmt.Sprintf("%s is left out: %s", name, h.note))
			}
		}
	}
	return translated, notes
}

// isFormat reports whether a word can be one that export.py's --include takes.
func isFormat(word string) bool {
	return slices.Contains([]string{"torchscript", "onnx", "openvino", "engine", "coreml", "saved_model", "pb", "tflite", "edgetpu", "tfjs", "paddle"}, word)
}

// once lets a flag be given once only: of two values one would be lost in silence.
type once struct {
	pflag.Value
	given bool
}

// Set implements pflag.Value.
func (o *once) Set(text string) error {
	if o.given && o.String() != text {
		return fmt.Errorf("it was given before, as %s; give it once", o.String())
	}
	o.given = true
	return o.Value.Set(text)
}

// many are the types of flags that may be given more than once.
var many = []string{"stringArray", "stringSlice", "intSlice", "codes", "row", "bool"}

// onlyOnce makes each flag of a command and of those under it one that is given once, but for lists.
func onlyOnce(cmd *cobra.Command) {
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if !slices.Contains(many, f.Value.Type()) {
			f.Value = &once{Value: f.Value}
		}
	})
	for _, sub := range cmd.Commands() {
		onlyOnce(sub)
	}
}

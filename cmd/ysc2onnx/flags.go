package main

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"ysc2onnx"
)

// size is the value of --imgsz: height and width in pixels.
type size struct{ height, width int }

// String implements pflag.Value.
func (s *size) String() string {
	if s.height == s.width {
		return strconv.Itoa(s.height)
	}
	return fmt.Sprintf("%dx%d", s.height, s.width)
}

// Set implements pflag.Value: 640, 480x640, 480,640 or "480 640".
func (s *size) Set(text string) error {
	words := sizeForm.FindStringSubmatch(text)
	if words == nil {
		return errSize
	}
	words = slices.DeleteFunc(words[1:], func(w string) bool { return w == "" })
	var sides [2]int
	for i := range sides {
		n, err := strconv.Atoi(words[min(i, len(words)-1)])
		if err != nil || n < 1 {
			return errSize
		}
		if n > ysc2onnx.MaxPixels {
			return fmt.Errorf("at most %d pixels", ysc2onnx.MaxPixels)
		}
		sides[i] = n
	}
	s.height, s.width = sides[0], sides[1]
	return nil
}

var sizeForm = regexp.MustCompile(`^([0-9]+)(?:[xX×, ]([0-9]+))?$`)

var errSize = errors.New("want one size in pixels, or height and width: 640, 480 640, 480x640 or 480,640")

// Type implements pflag.Value.
func (s *size) Type() string { return "size" }

// sizeFlag adds --imgsz.
func sizeFlag(flags *pflag.FlagSet, s *size) {
	flags.Var(s, "imgsz", "image `size` in pixels: 640, or height and width: 480 640, 480x640, 480,640; default 640, of a classifier 224")
}

// joinNumbers makes one word of the numbers that follow a flag, as in "--imgsz 480 640" and "--classes 0 2": a word of digits
// belongs to it.
func joinNumbers(args []string) []string {
	var joined []string
	for i := 0; i < len(args); i++ {
		arg := args[i]
		if arg == "--" {
			return append(joined, args[i:]...)
		}
		for _, flag := range []string{"--imgsz", "--classes"} {
			if arg == flag && i+1 < len(args) && isNumber(args[i+1]) {
				i++
				arg = flag + "=" + args[i]
			}
		}
		name, value, _ := strings.Cut(arg, "=")
		if (name == "--imgsz" || name == "--classes") && isNumber(value) {
			for i+1 < len(args) && isNumber(args[i+1]) {
				i++
				arg += "," + args[i]
			}
		}
		joined = append(joined, arg)
	}
	return joined
}

// isNumber says whether a word has digits only.
func isNumber(word string) bool {
	return word != "" && strings.Trim(word, "0123456789") == ""
}

// flavour is the value of --scconv.
type flavour ysc2onnx.ScConv

// String implements pflag.Value.
func (f *flavour) String() string { return string(*f) }

// Set implements pflag.Value.
func (f *flavour) Set(text string) error {
	if !slices.Contains(flavours, text) {
		return errors.New("want " + strings.Join(flavours[:len(flavours)-1], ", ") + " or " + flavours[len(flavours)-1])
	}
	*f = flavour(text)
	return nil
}

// Type implements pflag.Value.
func (f *flavour) Type() string { return "flavour" }

// flavours are the words of --scconv.
var flavours = []string{
	string(ysc2onnx.ScConvSoftmax), string(ysc2onnx.ScConvMask), string(ysc2onnx.ScConvNormMask), string(ysc2onnx.ScConvWhere),
}

// flavourFlag adds --scconv.
func flavourFlag(cmd *cobra.Command, f *flavour) {
	cmd.Flags().Var(f, "scconv", "the `formula` of ScConv where no checkpoint tells it: softmax (the default), mask, normmask or where")
	words := cobra.FixedCompletions(flavours, cobra.ShellCompDirectiveNoFileComp)
	_ = cmd.RegisterFlagCompletionFunc("scconv", words) // it fails for unknown flags only
}

// wiring is the value of --c3-scconv.
type wiring ysc2onnx.C3ScConv

// String implements pflag.Value.
func (w *wiring) String() string { return string(*w) }

// Set implements pflag.Value.
func (w *wiring) Set(text string) error {
	if !slices.Contains(wirings, text) {
		return errors.New("want " + strings.Join(wirings, " or "))
	}
	*w = wiring(text)
	return nil
}

// Type implements pflag.Value.
func (w *wiring) Type() string { return "wiring" }

// wirings are the words of --c3-scconv.
var wirings = []string{string(ysc2onnx.C3ScConvRepeats), string(ysc2onnx.C3ScConvPlain)}

// wiringFlag adds --c3-scconv.
func wiringFlag(cmd *cobra.Command, w *wiring) {
	cmd.Flags().Var(w, "c3-scconv", "the `wiring` of C3_ScConv in a YAML without a checkpoint: repeats (the default; the block takes the row's number) or plain (the block is repeated)")
	words := cobra.FixedCompletions(wirings, cobra.ShellCompDirectiveNoFileComp)
	_ = cmd.RegisterFlagCompletionFunc("c3-scconv", words) // it fails for unknown flags only
}

// forYAML refuses the wiring for a checkpoint, which tells its own.
func (w wiring) forYAML(m *model) error {
	if w != "" && m.weights != nil {
		return usagef("--c3-scconv is for a YAML alone; the tensors of %s tell how its blocks are wired, leave --c3-scconv out", m.weights.Name())
	}
	return nil
}

// dynamic is the value of --dynamic.
type dynamic ysc2onnx.Dynamic

// The words of --dynamic; "all" is also what it means without a value.
const (
	dynamicAll   = "all"
	dynamicBatch = "batch"
	dynamicNone  = "none"
)

// String implements pflag.Value.
func (d *dynamic) String() string {
	switch ysc2onnx.Dynamic(*d) {
	case ysc2onnx.DynamicAll:
		return dynamicAll
	case ysc2onnx.DynamicBatch:
		return dynamicBatch
	case ysc2onnx.Static:
		return dynamicNone
	}
	return strconv.Itoa(int(*d))
}

// Set implements pflag.Value.
func (d *dynamic) Set(text string) error {
	switch text {
	case dynamicAll:
		*d = dynamic(ysc2onnx.DynamicAll)
	case dynamicBatch:
		*d = dynamic(ysc2onnx.DynamicBatch)
	case dynamicNone:
		*d = dynamic(ysc2onnx.Static)
	default:
		return errors.New("want --dynamic (batch, height and width), --dynamic=batch or --dynamic=none")
	}
	return nil
}

// Type implements pflag.Value.
func (d *dynamic) Type() string { return "dims" }

// check is the value of --check.
type check ysc2onnx.Check

// The words of --check, in the order of [ysc2onnx.Check].
var checks = []string{"full", "fast", "none"}

// String implements pflag.Value.
func (c *check) String() string { return checks[*c] }

// Set implements pflag.Value.
func (c *check) Set(text string) error {
	i := slices.Index(checks, text)
	if i < 0 {
		return errors.New("want full (every number that is written, and every layer's), fast (the file's structure, and a run) or none")
	}
	*c = check(i)
	return nil
}

// Type implements pflag.Value.
func (c *check) Type() string { return "depth" }

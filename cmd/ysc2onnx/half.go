package main

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/dustin/go-humanize"
	"github.com/dustin/go-humanize/english"
	"github.com/spf13/cobra"

	"ysc2onnx"
)

// half is the value of --half.
type half ysc2onnx.Half

// halves are the words of --half, in the order of [ysc2onnx.Half]; the last is also what it means without a value.
var halves = []string{"none", "weights", "full"}

// String implements pflag.Value.
func (h *half) String() string { return halves[*h] }

// Set implements pflag.Value.
func (h *half) Set(text string) error {
	i := slices.Index(halves, text)
	if i < 0 {
		return errors.New("want --half (float16 throughout), --half=weights (stored as float16, computed in float32) or --half=none")
	}
	*h = half(i)
	return nil
}

// Type implements pflag.Value.
func (h *half) Type() string { return "part" }

// halfFlag adds --half.
func halfFlag(cmd *cobra.Command, h *half) {
	cmd.Flags().Var(h, "half", "compute in float16, from a float16 input; --half=weights: only store the weights so, in half the bytes, and compute in float32 as fast as before")
	cmd.Flags().Lookup("half").NoOptDefVal = halves[ysc2onnx.HalfFull]
	_ = cmd.RegisterFlagCompletionFunc("half", cobra.FixedCompletions(halves, cobra.ShellCompDirectiveNoFileComp)) // it fails for unknown flags only
}

// noteLosses says which weights float16 holds as 0, or with fewer bits, where that is more than a few of a tensor: those
// with the most of them first. --json lists all.
func noteLosses(a *app, losses []ysc2onnx.Loss) {
	const listed, few = 3, 100 // in few elements one
	losses = slices.DeleteFunc(slices.Clone(losses), func(l ysc2onnx.Loss) bool { return l.Zero == 0 && l.Coarse*few < l.Elements })
	var zero, coarse int64
	for _, l := range losses {
		zero, coarse = zero+l.Zero, coarse+l.Coarse
	}
	if zero+coarse == 0 {
		return
	}
	worst := slices.Clone(losses)
	slices.SortStableFunc(worst, func(a, b ysc2onnx.Loss) int {
		return cmp.Or(cmp.Compare(b.Zero, a.Zero), cmp.Compare(b.Coarse, a.Coarse))
	})
	text := ""
	for _, l := range worst[:min(listed, len(worst))] {
		text += fmt.Sprintf("; %s: %s and %s of %s", l.Name, humanize.Comma(l.Zero), humanize.Comma(l.Coarse), humanize.Comma(l.Elements))
	}
	if more := len(worst) - listed; more > 0 {
		text += fmt.Sprintf("; and so %s (--json lists them)", english.Plural(more, "more tensor", ""))
	}
	a.note("float16 holds %s as 0 and %s with fewer than 11 bits%s", english.Plural(int(zero), "weight", ""), english.Plural(int(coarse), "weight", ""), text)
}

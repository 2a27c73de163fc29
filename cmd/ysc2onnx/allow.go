package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"ysc2onnx/diag"
)

// codes is the value of --allow: codes of warnings.
type codes struct{ list *[]diag.Code }

// String implements pflag.Value.
func (c codes) String() string {
	if c.list == nil {
		return ""
	}
	return joinCodes(*c.list)
}

// Set implements pflag.Value: a code, or several with commas between.
func (c codes) Set(text string) error {
	for word := range strings.SplitSeq(text, ",") {
		code := diag.Code(strings.TrimSpace(word))
		if !slices.Contains(diag.Codes(), code) {
			return fmt.Errorf("no warning has the code %q; the codes are %s", code, joinCodes(diag.Codes()))
		}
		*c.list = append(*c.list, code)
	}
	return nil
}

// Type implements pflag.Value.
func (c codes) Type() string { return "codes" }

func joinCodes(list []diag.Code) string {
	words := make([]string, len(list))
	for i, code := range list {
		words[i] = string(code)
	}
	return strings.Join(words, ", ")
}

// allowFlag adds --allow.
func allowFlag(cmd *cobra.Command, list *[]diag.Code) {
	cmd.Flags().Var(codes{list}, "allow", "silence warnings with this `code`, the word in brackets after them; in a YAML: # ysc2onnx: allow CODE")
	var words []string
	for _, code := range diag.Codes() {
		words = append(words, string(code))
	}
	_ = cmd.RegisterFlagCompletionFunc("allow", cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp)) // it fails for unknown flags only
}

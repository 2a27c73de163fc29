package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"ysc2onnx/heads"
)

// headForm is the value of --head; its Stage is nil for the default.
type headForm struct{ heads.Form }

// String implements pflag.Value.
func (h *headForm) String() string { return h.Name }

// Set implements pflag.Value.
func (h *headForm) Set(text string) error {
	found := heads.ByName(text)
	if found == nil {
		return errors.New("want " + strings.Join(headNames(), ", "))
	}
	h.Form = *found
	return nil
}

// Type implements pflag.Value.
func (h *headForm) Type() string { return "form" }

func headNames() []string {
	var names []string
	for _, f := range heads.Forms() {
		names = append(names, f.Name)
	}
	return names
}

// headFlag adds --head.
func headFlag(cmd *cobra.Command, h *headForm) {
	forms := heads.Forms()
	h.Form = forms[0]
	cmd.Flags().Var(h, "head", fmt.Sprintf("the `form` of the outputs: %s", strings.Join(headNames(), ", ")))
	var words []string
	for _, f := range forms {
		words = append(words, f.Name+"\t"+f.Doc)
	}
	_ = cmd.RegisterFlagCompletionFunc("head", cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp)) // it fails for unknown flags only
}

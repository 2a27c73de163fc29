package main

import "github.com/spf13/cobra"

// nativeCommands are those that only a program outside of a browser has.
func (a *app) nativeCommands() []*cobra.Command { return nil }

package main

import (
	"bytes"
	"context"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"ysc2onnx"
	"ysc2onnx/verify/ort"
)

// versionDocument says what this program is.
type versionDocument struct {
	Version  string `json:"version"`
	Commit   string `json:"commit,omitempty"`
	Modified bool   `json:"modified,omitempty"` // built from files that were changed since the commit
	Go       string `json:"go"`
	Platform string `json:"platform"`
	CanRun   bool   `json:"can_run"`      // built with cgo: can load ONNX Runtime
	Runtime  string `json:"onnx_runtime"` // the release that runtime install gets
	MinOpset int    `json:"min_opset"`
	MaxOpset int    `json:"max_opset"`
}

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version of this program",
		Args:  noArgs,
		RunE: a.runE(func(context.Context, []string) error {
			v := thisVersion()
			if a.json {
				return a.printJSON(v)
			}
			var text bytes.Buffer
			fmt.Fprintf(&text, "ysc2onnx %s", v.Version)
			if v.Commit != "" {
				fmt.Fprintf(&text, " (%s)", v.Commit)
			}
			cgo := ""
			if !v.CanRun {
				cgo = ", built without cgo: cannot run files"
			}
			fmt.Fprintf(&text, ", %s, %s%s\nopsets %d to %d; runtime install gets ONNX Runtime %s\n",
				v.Go, v.Platform, cgo, v.MinOpset, v.MaxOpset, v.Runtime)
			return a.print(a.stdout, &text)
		}),
	}
}

func thisVersion() versionDocument {
	v := versionDocument{
		Version: ysc2onnx.Version, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH,
		CanRun: ort.Supported, Runtime: ort.Version, MinOpset: ysc2onnx.MinOpset, MaxOpset: ysc2onnx.MaxOpset,
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			v.Commit = s.Value[:min(12, len(s.Value))]
		case "vcs.modified":
			v.Modified = s.Value == "true"
		}
	}
	return v
}

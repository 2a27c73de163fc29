package main

import (
	"bytes"
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"ysc2onnx/verify/engine"
	"ysc2onnx/verify/ort"
)

// libraryFlag adds --ort-lib.
func libraryFlag(flags *pflag.FlagSet, path *string) {
	flags.StringVar(path, "ort-lib", "", "`path` of ONNX Runtime's shared library or its folder, if it is not found without")
}

// openRuntime loads ONNX Runtime. Where none is found and none was named, missing says why and how to get it;
// one that was named and cannot be loaded is an error.
func openRuntime(explicit string) (rt engine.Runtime, missing string, err error) {
	named := explicit != "" || os.Getenv("ORT_LIB") != ""
	if !ort.Supported {
		_, err := ort.Open(ort.Library{})
		if explicit != "" {
			return nil, "", fmt.Errorf("--ort-lib: %w", err)
		}
		return nil, err.Error(), nil
	}
	library, err := ort.Find(explicit)
	switch {
	case err != nil && named:
		return nil, "", err
	case err != nil:
		return nil, "ONNX Runtime's shared library was not found; get it with: ysc2onnx runtime install", nil
	}
	rt, err = ort.Open(library)
	switch {
	case err != nil && library.Path == "": // it comes with the program, and none can be installed
		return nil, err.Error(), nil
	case err != nil && named:
		return nil, "", fmt.Errorf("%w (named by %s)", err, library.Origin)
	case err != nil:
		return nil, err.Error() + "; get one that fits with: ysc2onnx runtime install", nil
	}
	return rt, "", nil
}

// runtimeCommand installs and finds ONNX Runtime.
func (a *app) runtimeCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "runtime",
		Short: "Install or find ONNX Runtime's shared library",
		Long: `ONNX Runtime checks what is exported. Its shared library is looked for at --ort-lib, at $ORT_LIB, in the
user's cache, in the system's library folders and in a Python's onnxruntime package, in this order.`,
	}
	cmd.AddCommand(a.runtimeInstallCommand(), a.runtimePathCommand())
	a.group(cmd)
	return cmd
}

func (a *app) runtimeInstallCommand() *cobra.Command {
	var tarball string
	cmd := &cobra.Command{
		Use:   "install",
		Short: "Put ONNX Runtime " + ort.Version + " into the user's cache",
		Long: `Gets the package onnxruntime-node with the npm client, checks it against the SHA-512 that is built into this
program, and puts the shared library into the user's cache. If it is there already, nothing is done.`,
		Args: noArgs,
		RunE: a.runE(func(ctx context.Context, _ []string) error {
			a.announceInstall(tarball)
			bar := a.newProgress()
			defer bar.finish()
			path, err := ort.Install(ctx, ort.InstallOptions{Tarball: tarball, Progress: func(done, total int64) {
				bar.update("unpacking ONNX Runtime", done, total)
			}})
			if err != nil {
				return err
			}
			bar.finish()
			return a.printLibrary(ort.Library{Path: path, Origin: "cache"}, "ONNX Runtime "+ort.Version+" is at ")
		}),
	}
	cmd.Flags().StringVar(&tarball, "tarball", "", "an onnxruntime-node-"+ort.Version+" tarball that is here already, a `file`; npm is then not needed")
	return cmd
}

func (a *app) runtimePathCommand() *cobra.Command {
	var explicit string
	cmd := &cobra.Command{
		Use:   "path",
		Short: "Print the path of the shared library that is used",
		Args:  noArgs,
		RunE: a.runE(func(context.Context, []string) error {
			library, err := ort.Find(explicit)
			if err != nil {
				return err
			}
			return a.printLibrary(library, "")
		}),
	}
	libraryFlag(cmd.Flags(), &explicit)
	return cmd
}

// printLibrary prints where a library is, after the words of intro.
func (a *app) printLibrary(library ort.Library, intro string) error {
	if a.json {
		return a.printJSON(library)
	}
	return a.print(a.stdout, bytes.NewBufferString(intro+library.Path+"\n"))
}

// announceInstall says what is about to take a while: npm says nothing by itself.
func (a *app) announceInstall(tarball string) {
	folder, err := ort.CacheDir()
	if err != nil || tarball != "" {
		return
	}
	if entries, err := os.ReadDir(folder); err != nil || len(entries) == 0 {
		a.note("getting ONNX Runtime %s with npm; this takes a while, once", ort.Version)
	}
}

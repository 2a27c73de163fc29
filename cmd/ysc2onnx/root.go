package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"ysc2onnx"
	"ysc2onnx/diag"
)

// rootCommand is the command line: the bare form converts, its subcommands do the rest.
func (a *app) rootCommand() *cobra.Command {
	c := conversion{app: a, page: reporting{app: a}}
	root := &cobra.Command{
		Use:   "ysc2onnx MODEL.yaml|best.pt [-o model.onnx]",
		Short: "Turn a YOLOv5 checkpoint or model YAML into a checked ONNX file",
		Long: `ysc2onnx turns a YOLOv5 checkpoint or model YAML into an ONNX file, without Python, and checks the file
by running it in ONNX Runtime. A checkpoint is read as data: nothing in it is ever executed. Without one, weights
are drawn from a seed, with PyTorch's default distributions.`,
		Example: `  ysc2onnx best.pt                               writes best.onnx beside it
  ysc2onnx yolov5s.yaml                          untrained: layers, shapes and sizes are right
  ysc2onnx yolov5s.yaml --weights w.safetensors  where the weights come without their YAML
  ysc2onnx yolov5s.yaml -o model.onnx --imgsz 480 640 --opset 13
  ysc2onnx yolov5s.yaml --dynamic=batch          any batch size, the image size is fixed
  cat yolov5s.yaml | ysc2onnx - -o - >model.onnx
  ysc2onnx summary yolov5s.yaml                  layers, parameters, GFLOPs
  ysc2onnx inspect best.pt                       what is in a file, without running it
  ysc2onnx verify model.onnx                     checks a file again
  ysc2onnx detect model.onnx bus.jpg -o found    finds objects in pictures

` + exitCodesHelp,
		Version:           ysc2onnx.Version,
		Args:              cobra.ArbitraryArgs, // the first is a model or a misspelt command
		RunE:              a.runE(c.run),
		ValidArgsFunction: completeFiles("yaml", "yml", "pt", "pth"),
		SilenceErrors:     true, // finish prints them
		SilenceUsage:      true,
	}
	root.SetIn(a.stdin)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	root.SetVersionTemplate("ysc2onnx {{.Version}}\n")
	root.SetFlagErrorFunc(flagError)
	root.PersistentFlags().SortFlags = false
	root.PersistentFlags().BoolVar(&a.json, "json", a.json, "print one JSON document to stdout, also on failure")
	root.PersistentFlags().BoolVarP(&a.quiet, "quiet", "q", false, "print errors only")
	c.flags(root)
	root.AddCommand(a.summaryCommand(), a.inspectCommand(), a.extractCommand(), a.verifyCommand(), a.detectCommand(), a.editCommand(), a.diffCommand(), a.compareCommand(), a.lintCommand(), a.runtimeCommand(), a.versionCommand())
	root.AddCommand(a.nativeCommands()...)
	root.SetHelpCommand(a.helpCommand(root))
	root.InitDefaultCompletionCmd()
	if completion, _, err := root.Find([]string{"completion"}); err == nil {
		completion.Short = "Print the completion script for a shell"
		a.group(completion)
	}
	return root
}

// helpCommand shows the help of a command, and refuses an unknown one.
func (a *app) helpCommand(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND]",
		Short: "Show the help of a command",
		Args:  cobra.ArbitraryArgs,
		RunE: a.runE(func(_ context.Context, args []string) error {
			cmd, rest, err := root.Find(args)
			if err != nil || len(rest) > 0 {
				return wrongCommand(root, args)
			}
			return cmd.Help()
		}),
	}
}

// group makes a command one that only holds others: any other word is wrong usage.
func (a *app) group(cmd *cobra.Command) {
	cmd.Args = cobra.ArbitraryArgs
	cmd.RunE = a.runE(func(_ context.Context, args []string) error {
		return wrongCommand(cmd, args)
	})
}

// wrongCommand is the error for args that name no command under cmd.
func wrongCommand(cmd *cobra.Command, args []string) error {
	var names []string
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() || sub.Name() == "help" {
			names = append(names, sub.Name())
		}
	}
	what := ""
	if cmd.HasParent() {
		what = cmd.Name() + " "
	}
	if len(args) == 0 {
		return usagef("%sneeds one of: %s", what, strings.Join(names, ", "))
	}
	if near, ok := diag.Suggest(args[0], names); ok {
		return usagef("unknown command %q; did you mean %q?", what+args[0], what+near)
	}
	return usagef("unknown command %q; the commands are %s", what+args[0], strings.Join(names, ", "))
}

// noArgs refuses arguments.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usagef("%s takes no arguments; %s was given", strings.TrimPrefix(cmd.CommandPath(), "ysc2onnx "), strings.Join(args, " "))
	}
	return nil
}

// flagError adds to an unknown flag the one that was probably meant.
func flagError(cmd *cobra.Command, err error) error {
	var (
		unknown *pflag.NotExistError
		invalid *pflag.InvalidValueError
	)
	if errors.As(err, &invalid) {
		want := invalid.Unwrap()
		if kind, ok := valueKinds[invalid.GetFlag().Value.Type()]; ok {
			want = errors.New("want " + kind)
		}
		return usagef("--%s %s: %w", invalid.GetFlag().Name, invalid.GetValue(), want)
	}
	if !errors.As(err, &unknown) {
		return usageError{err}
	}
	var known []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { known = append(known, f.Name) })
	help := cmd.CommandPath() + " --help lists the flags"
	if unknown.GetSpecifiedShortnames() == "" {
		near, ok := diag.Suggest(unknown.GetSpecifiedName(), known)
		for _, name := range known { // a flag's first letters, as Python's argparse takes them, are the better hint
			if strings.HasPrefix(name, unknown.GetSpecifiedName()) {
				near, ok = name, true
			}
		}
		if ok {
			return usagef("unknown flag --%s; did you mean --%s? (%s)", unknown.GetSpecifiedName(), near, help)
		}
		return usagef("unknown flag --%s; %s", unknown.GetSpecifiedName(), help)
	}
	return usagef("unknown flag -%s; %s", unknown.GetSpecifiedName(), help)
}

// valueKinds says what the flags take whose types are pflag's own.
var valueKinds = map[string]string{
	"int": "a whole number", "uint64": "a whole number, 0 to 18446744073709551615", "float64": "a number", "bool": "true or false",
}

// unknownCommand is the error for a word that is not a command of cmd, nil where it is a file or looks like one.
func unknownCommand(word string, commands []string) error {
	if filepath.Ext(word) != "" || strings.ContainsAny(word, `/\`) {
		return nil
	}
	if _, err := os.Stat(word); err == nil {
		return nil
	}
	if near, ok := diag.Suggest(word, commands); ok {
		return usagef("unknown command %q; did you mean %q?", word, near)
	}
	return nil
}

// completeFiles completes file names with these endings.
func completeFiles(endings ...string) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return endings, cobra.ShellCompDirectiveFilterFileExt
	}
}

// oneArg gives the only argument; what says what it is.
func oneArg(args []string, what string) (string, error) {
	switch len(args) {
	case 1:
		return args[0], nil
	case 0:
		return "", usagef("name %s; --help shows how", what)
	}
	return "", usagef("one file at a time: %s was given too", strings.Join(args[1:], " "))
}

// commandNames are the words that start a command.
func commandNames() []string {
	return []string{"summary", "inspect", "extract", "verify", "detect", "edit", "diff", "compare", "lint", "runtime", "serve", "version", "completion", "help"}
}

// Command ysc2onnx turns a YOLOv5 checkpoint or model YAML into an ONNX file and checks the file by running it.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// What the program exits with. The help lists them; scripts rely on them.
const (
	exitOK        = 0
	exitFailure   = 1
	exitUsage     = 2
	exitUnsound   = 3 // verification failed
	exitDangerous = 4 // inspect found names that run programs or code
	exitCodesHelp = `Exit codes:
  0  done
  1  failed: bad input, no ONNX Runtime for verify, an error of the system, interrupted
  2  wrong usage: an unknown flag or command, a value that a flag does not take
  3  verification failed: the file was written and is kept, but a check failed or, with --strict, was not made
  4  inspect: loading the checkpoint with Python may run programs or code`
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run is the program: it gives the exit code.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	a := &app{stdin: stdin, stdout: stdout, stderr: stderr, args: args, json: asksForJSON(args)}
	root := a.rootCommand()
	translated, notes := translate(args)
	root.SetArgs(joinNumbers(translated))
	onlyOnce(root)
	a.leftOut = notes
	return a.finish(root.ExecuteContext(ctx))
}

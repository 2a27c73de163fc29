//go:build unix

// Command export measures ysc2onnx beside a plain copy of the bytes that it writes: wall time and peak memory of the
// whole process, the best of several turns taken one after the other.
//
//	go run ./bench/export [-turns 5] [-ysc2onnx bin/ysc2onnx] [MODEL.yaml…]
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

func main() {
	turns := flag.Int("turns", 5, "how often each is measured")
	program := flag.String("ysc2onnx", "bin/ysc2onnx", "the program")
	flag.Parse()
	models := flag.Args()
	if len(models) == 0 {
		models = []string{"examples/yolov5s_C3ScConv.yaml", "examples/yolov5s.yaml", "examples/yolov5x.yaml"}
	}
	if err := run(models, *turns, *program); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(models []string, turns int, program string) error {
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	fmt.Printf("%-22s %10s %12s %12s %12s %8s\n", "model", "bytes", "export", "peak memory", "plain copy", "ratio")
	for _, model := range models {
		out := filepath.Join(dir, "model.onnx")
		export, cp, peak := time.Hour, time.Hour, int64(0)
		var size int64
		for range turns {
			wall, memory, err := measure(program, model, "-o", out, "--no-verify", "--quiet")
			if err != nil {
				return err
			}
			export, peak = min(export, wall), max(peak, memory)
			start := time.Now()
			if size, err = copyFile(filepath.Join(dir, "copy"), out); err != nil {
				return err
			}
			cp = min(cp, time.Since(start))
		}
		fmt.Printf("%-22s %10d %12s %9.1f MB %12s %7.2fx\n", filepath.Base(model), size, export.Round(time.Millisecond),
			float64(peak)/1e6, cp.Round(time.Millisecond), float64(export)/float64(cp))
	}
	return nil
}

// measure runs a command and gives its wall time and its largest resident set, in bytes.
func measure(name string, args ...string) (time.Duration, int64, error) {
	cmd := exec.Command(name, args...)
	cmd.Stderr = os.Stderr
	start := time.Now()
	err := cmd.Run()
	wall := time.Since(start)
	if err != nil {
		return 0, 0, fmt.Errorf("%s %v: %w", name, args, err)
	}
	usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0, 0, fmt.Errorf("the system does not tell the memory that %s used", name)
	}
	return wall, maxResident(usage), nil
}

func copyFile(to, from string) (int64, error) {
	r, err := os.Open(from)
	if err != nil {
		return 0, err
	}
	defer func() { _ = r.Close() }()
	w, err := os.Create(to)
	if err != nil {
		return 0, err
	}
	n, err := io.Copy(onlyWriter{w}, onlyReader{r}) // through memory, not by the system's own copying
	if cerr := w.Close(); err == nil {
		err = cerr
	}
	return n, err
}

type (
	onlyReader struct{ io.Reader }
	onlyWriter struct{ io.Writer }
)

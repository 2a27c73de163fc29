//go:build unix

// Command export measures ysc2onnx beside a plain copy of the bytes that it writes, and beside YOLOv5's own export.py where
// a checkout of YOLOv5 is named: wall time and peak memory of the whole process, the best of several turns taken one after
// the other.
//
//	go run ./bench/export [-turns 5] [-ysc2onnx bin/ysc2onnx] [MODEL.yaml|MODEL.pt…]
//	go run ./bench/export -yolov5 DIR [-python /usr/bin/python3] [MODEL.pt…]
//
// With -yolov5 the models are checkpoints; where none is named, those of yolov5s and yolov5x are made, untrained, in
// float16, as training leaves them. The Python must have what export.py imports: torch, torchvision, onnx, opencv, pandas…
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

func main() {
	var b bench
	flag.IntVar(&b.turns, "turns", 5, "how often each is measured")
	flag.StringVar(&b.program, "ysc2onnx", "bin/ysc2onnx", "the program")
	flag.StringVar(&b.yolov5, "yolov5", os.Getenv("YOLOV5"), "a checkout of YOLOv5 to measure beside")
	flag.StringVar(&b.python, "python", "/usr/bin/python3", "the Python that runs it")
	flag.Parse()
	if err := b.run(flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

type bench struct {
	turns                   int
	program, yolov5, python string
	dir                     string // for what is written
}

// cost is what one way took: the best wall time and the largest resident set, in bytes.
type cost struct {
	wall   time.Duration
	memory int64
}

func (c *cost) add(wall time.Duration, memory int64) {
	if c.wall == 0 || wall < c.wall {
		c.wall = wall
	}
	c.memory = max(c.memory, memory)
}

func (c *cost) String() string {
	return fmt.Sprintf("%9s %8.1f MB", c.wall.Round(time.Millisecond), float64(c.memory)/1e6)
}

func (b *bench) run(models []string) (err error) {
	if b.dir, err = os.MkdirTemp("", "bench"); err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(b.dir) }()
	switch {
	case len(models) > 0:
	case b.yolov5 == "":
		models = []string{"examples/yolov5s_C3ScConv.yaml", "examples/yolov5s.yaml", "examples/yolov5x.yaml"}
	default:
		for _, name := range []string{"yolov5s", "yolov5x"} {
			checkpoint := filepath.Join(b.dir, name+".pt")
			if _, _, err := b.torch("make", name+".yaml", checkpoint); err != nil {
				return err
			}
			models = append(models, checkpoint)
		}
	}
	fmt.Printf("%-22s %10s %21s %12s %7s", "model", "bytes", "ysc2onnx", "plain copy", "ratio")
	if b.yolov5 != "" {
		fmt.Printf(" %21s %14s", "export.py", "ratios")
	}
	fmt.Println()
	for _, model := range models {
		if err := b.measure(model); err != nil {
			return err
		}
	}
	return nil
}

// measure takes the ways of one model in turn.
func (b *bench) measure(model string) error {
	out := filepath.Join(b.dir, "model.onnx")
	var ours, cp, theirs cost
	var size int64
	for range b.turns {
		wall, memory, err := timed(exec.Command(b.program, model, "-o", out, "--no-verify", "--quiet"))
		if err != nil {
			return err
		}
		ours.add(wall, memory)
		start := time.Now()
		if size, err = copyFile(filepath.Join(b.dir, "copy"), out); err != nil {
			return err
		}
		cp.add(time.Since(start), 0)
		if b.yolov5 == "" {
			continue
		}
		if wall, memory, err = b.torch("export", model, "640"); err != nil {
			return err
		}
		theirs.add(wall, memory)
	}
	fmt.Printf("%-22s %10d %s %12s %6.2fx", filepath.Base(model), size, &ours, cp.wall.Round(time.Millisecond), float64(ours.wall)/float64(cp.wall))
	if b.yolov5 != "" {
		fmt.Printf(" %s %5.0fx %5.0fx", &theirs, float64(theirs.wall)/float64(ours.wall), float64(theirs.memory)/float64(ours.memory))
	}
	fmt.Println()
	return nil
}

// torch runs torch.py, which lies beside this file. export.py writes beside its checkpoint, so that gets a copy in b.dir.
func (b *bench) torch(task, source, target string) (time.Duration, int64, error) {
	if task == "export" {
		if !strings.HasSuffix(source, ".pt") {
			return 0, 0, fmt.Errorf("%s: export.py reads checkpoints, expected a .pt file", source)
		}
		checkpoint := filepath.Join(b.dir, "theirs.pt")
		if _, err := copyFile(checkpoint, source); err != nil {
			return 0, 0, err
		}
		source = checkpoint
	}
	cmd := exec.Command(b.python, filepath.Join("bench", "export", "torch.py"), b.yolov5, task, source, target)
	return timed(cmd)
}

// timed runs a command and gives its wall time and its largest resident set, in bytes. What it prints is shown where it fails.
func timed(cmd *exec.Cmd) (time.Duration, int64, error) {
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = &said, &said
	start := time.Now()
	err := cmd.Run()
	wall := time.Since(start)
	if err != nil {
		return 0, 0, fmt.Errorf("%s: %w\n%s", cmd, err, said.String())
	}
	usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0, 0, fmt.Errorf("the system does not tell the memory that %s used", cmd.Path)
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

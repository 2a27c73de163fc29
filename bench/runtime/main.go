// Command runtime measures two ONNX files in ONNX Runtime in turn, on the same input: the first against the second.
//
//	go run ./bench/runtime [-turns 20] [-threads 2] OURS.onnx THEIRS.onnx
package main

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"time"

	"ysc2onnx/verify/engine"
	"ysc2onnx/verify/ort"
)

func main() {
	turns := flag.Int("turns", 20, "how often each is run")
	threads := flag.Int("threads", 2, "threads of ONNX Runtime")
	flag.Parse()
	if flag.NArg() != 2 {
		flag.Usage()
		os.Exit(2)
	}
	if err := run(context.Background(), flag.Args(), *turns, *threads); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, files []string, turns, threads int) error {
	lib, err := ort.Find("")
	if err != nil {
		return err
	}
	rt, err := ort.Open(lib)
	if err != nil {
		return err
	}
	sessions, inputs, times := make([]engine.Session, 2), make([][]engine.Tensor, 2), make([][]time.Duration, 2)
	for i, file := range files {
		if sessions[i], err = rt.Open(ctx, file, engine.SessionOptions{Threads: threads, Spin: true}); err != nil {
			return err
		}
		inputs[i] = noise(sessions[i].Inputs()[0])
	}
	for turn := range turns + 2 {
		for i, s := range sessions {
			start := time.Now()
			if _, err := s.Run(ctx, inputs[i]); err != nil {
				return err
			}
			if turn >= 2 { // the first two warm up
				times[i] = append(times[i], time.Since(start))
			}
		}
	}
	for i := range times {
		slices.Sort(times[i])
		fmt.Printf("%-40s best %8s  median %8s\n", files[i], times[i][0].Round(time.Millisecond/10), times[i][turns/2].Round(time.Millisecond/10))
	}
	fmt.Printf("the first takes %.3f times as long as the second at best, %.3f in the median\n",
		float64(times[0][0])/float64(times[1][0]), float64(times[0][turns/2])/float64(times[1][turns/2]))
	return nil
}

func noise(in engine.IO) []engine.Tensor {
	t := engine.Tensor{Name: in.Name, Shape: in.Dims}
	n := int64(1)
	for _, d := range in.Dims {
		n *= d
	}
	random := rand.New(rand.NewPCG(0, 0))
	t.Floats = make([]float32, n)
	for i := range t.Floats {
		t.Floats[i] = random.Float32()
	}
	return []engine.Tensor{t}
}

//go:build cgo && !js

package ort

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"ysc2onnx/verify"
	"ysc2onnx/verify/engine"
)

// Profile implements verify.Profiler: the library writes what it measured into a file when a session ends.
func (e *native) Profile(ctx context.Context, path string, opts engine.SessionOptions, inputs []engine.Tensor, runs int) (times [][]verify.NodeTime, err error) {
	dir, err := os.MkdirTemp("", "ysc2onnx-profile-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := runProfiled(ctx, path, opts, inputs, runs+1, filepath.Join(dir, "run")); err != nil {
		return nil, err
	}
	files, err := filepath.Glob(filepath.Join(dir, "run*.json"))
	if err != nil || len(files) != 1 {
		return nil, errors.Join(err, fmt.Errorf("ONNX Runtime wrote %d profiles, expected 1", len(files)))
	}
	f, err := os.Open(files[0])
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	all, err := parseProfile(f)
	if err != nil {
		return nil, err
	}
	if len(all) != runs+1 {
		return nil, fmt.Errorf("ONNX Runtime's profile has %d runs, expected %d: the model is too large to be profiled", len(all), runs+1)
	}
	return all[1:], nil // the first run allocates memory
}

// runProfiled runs a model some times in a session that writes a profile when it is closed.
func runProfiled(ctx context.Context, path string, opts engine.SessionOptions, inputs []engine.Tensor, runs int, prefix string) (err error) {
	settings, err := sessionSettings(opts)
	if err != nil {
		return err
	}
	defer func() { _ = settings.Destroy() }() // the session has its own copy
	if err := settings.EnableProfiling(prefix); err != nil {
		return fmt.Errorf("ONNX Runtime: %w", plain(err))
	}
	s, err := load(ctx, path, opts, settings)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	for range runs {
		if _, err := s.Run(ctx, inputs); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	return nil
}

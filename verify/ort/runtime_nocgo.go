//go:build !cgo && !js

package ort

import (
	"errors"

	"ysc2onnx/verify/engine"
)

// Supported says whether this program can load a shared library at all.
const Supported = false

// Open gives an error: without cgo, no shared library can be loaded.
func Open(Library) (engine.Runtime, error) {
	return nil, errors.New("this program was built without cgo and cannot load ONNX Runtime; build it with CGO_ENABLED=1 and a C compiler, or run \"ysc2onnx verify\" from a build that has cgo")
}

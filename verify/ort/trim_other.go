//go:build cgo && !js && !linux

package ort

// trim does nothing here; see trim_linux.go.
func trim() {}

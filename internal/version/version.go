// Package version holds the release's number, which the program shows and every file carries.
package version

// Version is the release, as the ONNX file's producer_version gives it.
const Version = "0.1.0"

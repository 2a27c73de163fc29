// Package verify checks a written ONNX file and compares it with recorded
// values. It knows nothing of how the graph was built: everything is read back
// from the file, either by its own reader (Structure) or by a Runtime such as
// the one of package verify/ort.
package verify

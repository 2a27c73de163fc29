// Package python reads literals of Python as data: the arguments in a YAML's rows, which YOLOv5 evaluates, and the dicts of
// class names in an ONNX file's metadata. Nothing is evaluated.
package python

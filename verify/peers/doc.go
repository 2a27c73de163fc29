// Package peers checks exported files against other people's programs: onnx-go, and with the build tag peers PyTorch, onnx's
// checker and OpenCV's DNN module, through the Python scripts beside this file, Node.js and a browser. It is a module of its
// own, so that what it needs is not among the requirements of ysc2onnx. Run it with make test-peers.
package peers

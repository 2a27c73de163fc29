// Package heads makes a model's outputs from what its head's convolutions give. Each form of output is a
// [modules.Stage], in a file of its own.
package heads

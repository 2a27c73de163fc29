// Package trained is what a checkpoint says of a model: its tensors, its modules and their attributes, its classes, anchors
// and strides, its own YAML. It overrides a YAML, records what a lowering asked for, and says what differs,
// what does not fit and what it leaves open.
package trained

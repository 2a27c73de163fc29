// Package checkpoint reads trained files as data: PyTorch's zip format (.pt, .pth), as a whole pickled model or a
// state_dict, and safetensors. Nothing that a file names is ever imported, called or looked up.
//
// A pickle is a program for a small stack machine. Here that machine builds plain values only: an exact list of
// module and name pairs (containers, torch's tensors, numpy's scalars and arrays) is understood, and every other name
// that the file calls becomes an inert [Object] that says what was named, with which arguments and state.
//
// Tensors are handles: opening a file reads its directory and its pickle, and the numbers stay in the file until
// [Tensor.ReadFloats] asks for some of them. Sizes, offsets and strides are checked against the file at opening, so a
// handle that exists can be read.
package checkpoint

//go:build cgo && !js

package ort

/*
#include <stdlib.h> // defines __GLIBC__ where that is the library
#ifdef __GLIBC__
#include <malloc.h>
#endif

static void trim(void) {
#ifdef __GLIBC__
	malloc_trim(0);
#endif
}
*/
import "C"

// trim gives the memory that a session leaves free back to the system. The C library keeps much of it, in pieces that the next
// model does not fit into: the check of yolov5x, which runs a small model and then the file, took 1.4 GB for 0.8 GB.
func trim() { C.trim() }

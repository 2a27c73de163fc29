//go:build unix && !linux

package main

import "syscall"

// maxResident is in bytes on macOS.
func maxResident(u *syscall.Rusage) int64 { return int64(u.Maxrss) }

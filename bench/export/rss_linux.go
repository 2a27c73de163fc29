package main

import "syscall"

// maxResident is in kilobytes on Linux.
func maxResident(u *syscall.Rusage) int64 { return u.Maxrss * 1024 }

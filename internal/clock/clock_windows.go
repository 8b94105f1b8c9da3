package clock

import (
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

// Package time reads a clock that moves on only 64 to 2000 times a second
// (golang/go#67066). The performance counter, mostly of 10 MHz, never fails on any
// Windows that Go supports.
var (
	kernel  = windows.NewLazySystemDLL("kernel32.dll")
	counter = kernel.NewProc("QueryPerformanceCounter").Addr()

	frequency = query(kernel.NewProc("QueryPerformanceFrequency").Addr()) // counts a second
	base      = time.Now()
	baseCount = query(counter)
)

// query calls a function that stores one number.
func query(function uintptr) (n int64) {
	_, _, _ = syscall.SyscallN(function, uintptr(unsafe.Pointer(&n)))
	return n
}

// Now returns the current time.
func (c Clock) Now() time.Time {
	if c == Bubble {
		return time.Now()
	}
	return base.Add(duration(query(counter)-baseCount, frequency))
}

// Since returns the time since t, which is one of c.
func (c Clock) Since(t time.Time) time.Duration { return c.Now().Sub(t) }

// duration returns how long a counter of the given frequency takes for n counts. n
// times a billion may be too much for an int64.
func duration(n, frequency int64) time.Duration {
	seconds, rest := n/frequency, n%frequency
	return time.Duration(seconds)*time.Second + time.Duration(rest*int64(time.Second)/frequency)
}

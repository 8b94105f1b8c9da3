package host

import (
	"os"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

var procMemory = windows.NewLazySystemDLL("kernel32.dll").NewProc("K32GetProcessMemoryInfo")

// memoryCounters is PROCESS_MEMORY_COUNTERS (psapi.h).
type memoryCounters struct {
	size           uint32 // of this struct
	pageFaults     uint32
	peakWorkingSet uintptr
	_              [7]uintptr
}

func readRusage() rusage {
	self := windows.CurrentProcess()
	var created, exited, kernel, user windows.Filetime
	if err := windows.GetProcessTimes(self, &created, &exited, &kernel, &user); err != nil {
		return rusage{err: os.NewSyscallError("GetProcessTimes", err)}
	}
	m := memoryCounters{size: uint32(unsafe.Sizeof(memoryCounters{}))}
	ok, _, errno := syscall.SyscallN(procMemory.Addr(), uintptr(self), uintptr(unsafe.Pointer(&m)), uintptr(m.size))
	if ok == 0 {
		return rusage{err: os.NewSyscallError("GetProcessMemoryInfo", errno)}
	}
	return rusage{user: length(user), system: length(kernel), maxRSS: int64(m.peakWorkingSet)}
}

// length is a time in units of 100 ns.
func length(t windows.Filetime) time.Duration {
	return time.Duration(int64(t.HighDateTime)<<32|int64(t.LowDateTime)) * 100
}

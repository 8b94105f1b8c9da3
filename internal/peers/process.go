package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

// A usage is what a process took from its start to its end.
type usage struct {
	started time.Time
	wall    time.Duration
	cpu     time.Duration // user and system, of the whole process
	peak    int64         // resident memory in bytes
}

// anyCPU leaves a process where the kernel puts it.
const anyCPU = -1

// newCommand returns a command that ends with ctx, and whose children end too.
func newCommand(ctx context.Context, path string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, path, args...)
	inGroup(cmd)
	cmd.WaitDelay = time.Second
	return cmd
}

// measure runs cmd on one CPU to its end.
func measure(cmd *exec.Cmd, cpu int) (usage, error) {
	own := peakMemory(os.Getpid())
	u := usage{started: time.Now()}
	if err := startOn(cpu, cmd); err != nil {
		return u, err
	}
	watched := watchMemory(cmd.Process.Pid)
	err := cmd.Wait()
	u.wall = time.Since(u.started)
	u.peak = watched()
	if cmd.ProcessState != nil {
		u.cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
		// What the kernel counts for a process starts with what its parent
		// held when it forked: it is right when it is more than that.
		if counted := maxRSS(cmd.ProcessState); counted > own {
			u.peak = max(u.peak, counted)
		}
	}
	return u, err
}

// watchMemory reads the peak memory of a process until the function it returns
// is called, which returns the last one read. The kernel forgets it when the
// process ends.
func watchMemory(pid int) func() int64 {
	stop, peak := make(chan struct{}), make(chan int64)
	go func() {
		// Chosen: some 30 microseconds of CPU each time, on whichever CPU.
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		last := int64(0)
		for {
			last = max(last, peakMemory(pid))
			select {
			case <-tick.C:
			case <-stop:
				peak <- last
				return
			}
		}
	}()
	return func() int64 {
		close(stop)
		return <-peak
	}
}

// peakMemory is the most resident memory a running process had, in bytes, 0 if
// /proc does not tell.
func peakMemory(pid int) int64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(status), "\nVmHWM:")
	var kib int64
	_, _ = fmt.Sscanf(rest, "%d kB", &kib) // a process that is ending has none
	return kib << 10
}

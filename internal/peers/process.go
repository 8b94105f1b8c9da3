package main

import (
	"context"
	"errors"
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
	stop    time.Duration // from its interruption to its end; 0 if it was not interrupted
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

// measure runs cmd on one CPU to its end. It interrupts it after a while, as
// Ctrl+C does, if that is above 0: what status it ends with is then no error.
func measure(cmd *exec.Cmd, cpu int, interrupt time.Duration) (usage, error) {
	u := usage{started: time.Now()}
	if err := startOn(cpu, cmd); err != nil {
		return u, err
	}
	own := peakMemory(os.Getpid())
	watched := watchMemory(cmd.Process.Pid)
	interrupted := interruptAfter(cmd.Process, interrupt)
	err := cmd.Wait()
	ended := time.Now()
	u.wall = ended.Sub(u.started)
	u.peak = watched()
	var status *exec.ExitError
	switch at := interrupted(); {
	case !at.IsZero():
		u.stop = ended.Sub(at)
		if errors.As(err, &status) {
			err = nil
		}
	case interrupt > 0 && err == nil:
		err = errors.New("it ended before it was interrupted")
	}
	if cmd.ProcessState != nil {
		u.cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
		// What the kernel counts for a process starts with what its parent
		// held when it forked: it is right when it is more than that, and than
		// what the kernel may be wrong by, some pages a CPU.
		if counted := maxRSS(cmd.ProcessState); counted > own+1<<20 {
			u.peak = max(u.peak, counted)
		}
	}
	return u, err
}

// interruptAfter sends a process SIGINT after d > 0. The returned function says
// when that was, the zero time if it was not.
func interruptAfter(p *os.Process, d time.Duration) func() time.Time {
	if d == 0 {
		return func() time.Time { return time.Time{} }
	}
	var at time.Time
	sent := make(chan struct{})
	timer := time.AfterFunc(d, func() {
		defer close(sent)
		now := time.Now()
		if p.Signal(os.Interrupt) == nil { // or else it has just ended
			at = now
		}
	})
	return func() time.Time {
		if !timer.Stop() {
			<-sent
		}
		return at
	}
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

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

// A usage is what a process used from its start to its end.
type usage struct {
	started time.Time
	wall    time.Duration
	cpu     time.Duration // user and system, of the whole process
	peak    int64         // resident memory in bytes
	stop    time.Duration // from the interrupt to the end; 0 if it was not interrupted
}

// anyCPU lets the kernel place a process.
const anyCPU = -1

// newCommand returns a command that is killed with its children when ctx ends.
func newCommand(ctx context.Context, path string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, path, args...)
	setGroup(cmd)
	cmd.WaitDelay = time.Second
	return cmd
}

// measure runs cmd on one CPU to its end. If interrupt is above 0, it sends
// SIGINT after that time, and then ignores the exit status.
func measure(cmd *exec.Cmd, cpu int, interrupt time.Duration) (usage, error) {
	u := usage{started: time.Now()}
	if err := startOn(cpu, cmd); err != nil {
		return u, err
	}
	own := peakMemory(os.Getpid())
	lastPeak := watchMemory(cmd.Process.Pid)
	interruptedAt := interruptAfter(cmd.Process, interrupt)
	err := cmd.Wait()
	ended := time.Now()
	u.wall = ended.Sub(u.started)
	u.peak = lastPeak()
	var status *exec.ExitError
	switch at := interruptedAt(); {
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
		// The kernel's maximum starts with what the parent held at the fork.
		// It is valid if it is clearly above that: the kernel's counts are
		// off by some pages per CPU.
		if counted := maxRSS(cmd.ProcessState); counted > own+1<<20 {
			u.peak = max(u.peak, counted)
		}
	}
	return u, err
}

// interruptAfter sends SIGINT to a process after d, unless d is 0. The returned
// function cancels that and returns when it was sent, the zero time if it was
// not.
func interruptAfter(p *os.Process, d time.Duration) func() time.Time {
	if d == 0 {
		return func() time.Time { return time.Time{} }
	}
	var at time.Time
	sent := make(chan struct{})
	timer := time.AfterFunc(d, func() {
		defer close(sent)
		now := time.Now()
		if p.Signal(os.Interrupt) == nil { // an error means that it has just ended
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

// watchMemory polls the peak memory of a process, because the kernel forgets it
// when the process ends. The returned function stops that and returns the last
// value.
func watchMemory(pid int) func() int64 {
	stop, peak := make(chan struct{}), make(chan int64)
	go func() {
		// A read costs about 30 µs of CPU, on any CPU: under 0.1 % of one.
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

// peakMemory returns the peak resident memory of a running process in bytes, 0
// if /proc does not have it.
func peakMemory(pid int) int64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(status), "\nVmHWM:")
	var kib int64
	_, _ = fmt.Sscanf(rest, "%d kB", &kib) // an ending process has no such line
	return kib << 10
}

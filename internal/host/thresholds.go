package host

import "time"

// Above (sentShare: below) these a warning is raised. Ratios are of what the
// constant's comment says.
const (
	// minWindow is the shortest window in which shares of processor time mean
	// anything: /proc/stat counts in ticks of 10 ms, of which 500 ms has 50 on
	// one processor, and the start of a run is not its steady state. Chosen.
	minWindow = 500 * time.Millisecond

	// lateShare is of the tightest limit on time, or of the median response
	// time without one. Chosen: what stays below moves no verdict that a second
	// run would not move as well.
	lateShare = 0.05

	// lateFloor holds where no limit says what matters. Chosen: Go's timers
	// round up to 1 ms on Linux (golang/go#53824), which is the field's usual.
	lateFloor = time.Millisecond

	// sentShare is of the requests due. Chosen: Nighthawk's example of a gate
	// is 0.99, which would hide a p99 that the missing ones would have missed.
	sentShare = 0.999

	// exhaustedShare is of the run. Chosen to match sentShare.
	exhaustedShare = 1 - sentShare

	// ownCPUShare is of the processors it can use at once. Hyperfoil's CpuWatchdog objects
	// when a processor is idle for less than 20 %.
	ownCPUShare = 0.8

	// stealShare is of all processor time. Chosen: 1 % is 10 ms of each second
	// in which a processor stood still.
	stealShare = 0.01

	// throttledShare is of the periods of a CPU quota, 100 ms each by default.
	// Chosen: with 1 % of them cut short a p99 is the quota's, not the target's.
	throttledShare = 0.01

	// foreignShare is of all processor time, pressureShare of the window. Both
	// chosen: a desktop at rest stays well below.
	foreignShare  = 0.10
	pressureShare = 0.10

	// runQueueShare is of the time threads wanted to run, runQueueFloor of the
	// window: a process that hardly ran has waited a large part of next to
	// nothing. Both chosen.
	runQueueShare = 0.05
	runQueueFloor = 0.01

	// hiccupShare is of the tightest limit on time. Chosen. hiccupFloor leaves
	// out that Go's timers round up to 1 ms on Linux (golang/go#53824), with as
	// much again to wake. hiccupMax holds without a limit: Hyperfoil's
	// threshold of jitter.
	hiccupShare = 0.10
	hiccupFloor = 2 * time.Millisecond
	hiccupMax   = 100 * time.Millisecond

	// gcPauseShare is of the tightest limit on time, gcPauseMax holds without
	// one: Go's collector aims at pauses far below 10 ms ("Go GC: Prioritizing
	// low latency and simplicity", go.dev/blog/go15gc). gcTotalFloor is of the
	// window: rarer pauses move no quantile below p99.9. Chosen but for that.
	gcPauseShare = 0.10
	gcPauseMax   = 10 * time.Millisecond
	gcTotalFloor = 0.001

	// clockStep: clocks that are only disciplined drift by 500 ppm at most
	// (adjtimex(2)), which is 1 s in half an hour. Chosen.
	clockStep = time.Second
)

package host

import (
	"fmt"
	"time"

	"github.com/loadtestkit/load-tester/internal/unit"
)

// A Warning says what makes the numbers of a run doubtful, and what to do.
type Warning struct {
	Code string // for programs: one of the constants below
	Text string // for people: one sentence or two, no full stop at the end
}

// The codes of warnings, in the order [Warnings] returns them.
const (
	Lateness         = "lateness"
	SentBelowDue     = "sent_below_due"
	PermitsExhausted = "permits_exhausted"
	OwnCPU           = "own_cpu"
	Throttled        = "throttled"
	Steal            = "steal"
	ForeignCPU       = "foreign_cpu"
	Pressure         = "pressure"
	RunQueue         = "run_queue"
	Hiccup           = "hiccup"
	GCPause          = "gc_pause"
	ClockStep        = "clock_step"
)

// Load is what the generator knows of its own run.
type Load struct {
	Open       bool // an open workload: arrivals have a schedule, so lateness means something
	InProcess  bool // the target runs in this process and shares its processors
	Loopback   bool // the target is another process of this machine
	Processors int  // that the generator could use at once

	Lateness50, Lateness99, LatenessMax time.Duration // the generator's own: without waiting for a permit
	ResponseP50                         time.Duration
	Threshold                           time.Duration // the tightest limit on a time; 0 without one

	Due, Sent        int64
	Concurrency      int // permits
	PeakInFlight     int
	PermitsExhausted time.Duration // for how long all permits were taken
	Elapsed          time.Duration
}

// Warnings returns what a reader of the report has to know of u and l, nil if
// the run was sound. It warns of no share of processor time over a window
// shorter than half a second, which would be noise, and once of what may be one
// cause.
func Warnings(u Usage, l Load) []Warning {
	var ws []Warning
	add := func(code, text string) {
		if text != "" {
			ws = append(ws, Warning{code, text})
		}
	}
	add(Lateness, lateness(l))
	add(SentBelowDue, sentBelowDue(l))
	add(PermitsExhausted, permitsExhausted(l))
	add(OwnCPU, ownCPU(u, l))
	before := len(ws)
	add(Throttled, throttling(u, l))
	add(Steal, steal(u))
	add(ForeignCPU, foreignCPU(u, l))
	// What has a cause above needs no second warning of its effect.
	if len(ws) == before {
		add(Pressure, pressure(u, l))
	}
	if len(ws) == before {
		add(RunQueue, runQueue(u, l))
	}
	add(Hiccup, hiccups(u, l))
	add(GCPause, gcPause(u, l))
	add(ClockStep, clockStepped(u))
	return ws
}

func lateness(l Load) string {
	late := l.Lateness99 > lateFloor && above(l.Lateness99, lateShare, l.ResponseP50)
	if l.Threshold > 0 {
		late = above(l.Lateness99, lateShare, l.Threshold)
	}
	if !l.Open || !late {
		return ""
	}
	s := fmt.Sprintf("the generator was late by %s at p99 (p50 %s, max %s): response times include that; %s or give it more CPU",
		unit.Duration(l.Lateness99), unit.Duration(l.Lateness50), unit.Duration(l.LatenessMax), l.less())
	if l.InProcess {
		s += ", which it shares with the target here"
	}
	return s
}

func sentBelowDue(l Load) string {
	unsent := l.Due - l.Sent
	if unsent <= 0 || float64(l.Sent) >= sentShare*float64(l.Due) {
		return ""
	}
	s := fmt.Sprintf("%s of %s due requests were never sent and count as missed: ", unit.Count(unsent), unit.Count(l.Due))
	if l.Concurrency > 0 && l.PeakInFlight >= l.Concurrency {
		return s + fmt.Sprintf("all %s permits were taken; %s or %s", unit.Count(int64(l.Concurrency)), raise, l.less())
	}
	return s + fmt.Sprintf("the generator did not keep up, with at most %s in flight; %s or give it more CPU", unit.Count(int64(l.PeakInFlight)), l.less())
}

func permitsExhausted(l Load) string {
	if !l.Open || !above(l.PermitsExhausted, exhaustedShare, l.Elapsed) {
		return ""
	}
	return fmt.Sprintf("all %s permits were taken for %s (%s of the run): arrivals waited for one, and response times include that; the target is too slow for this rate, or %s",
		unit.Count(int64(l.Concurrency)), unit.Duration(l.PermitsExhausted), unit.Percent(ratio(l.PermitsExhausted, l.Elapsed)), raise)
}

func ownCPU(u Usage, l Load) string {
	// A target in this process may take what it likes: the test is about it.
	if l.InProcess || !u.HaveCPU || l.Processors <= 0 || u.Wall < minWindow {
		return ""
	}
	share := ratio(u.CPU, u.Wall) / float64(l.Processors)
	if share <= ownCPUShare {
		return ""
	}
	its := "its only processor"
	if l.Processors > 1 {
		its = fmt.Sprintf("its %d processors", l.Processors)
	}
	return fmt.Sprintf("the generator used %s of %s: it may be the bottleneck; %s or give it more", unit.Percent(share), its, l.less())
}

func throttling(u Usage, l Load) string {
	if !u.Throttled.OK || u.Throttled.Value <= throttledShare {
		return ""
	}
	return fmt.Sprintf("a CPU quota stopped this process in %s of its periods, for %s in all: raise the quota of the container or cgroup, or %s",
		unit.Percent(u.Throttled.Value), unit.Duration(u.ThrottledTime), l.less())
}

func steal(u Usage) string {
	if !u.over(u.Steal, stealShare) {
		return ""
	}
	return fmt.Sprintf("the hypervisor gave %s of this machine's CPU to others: times are too long by an unknown part; repeat the run on a machine that has its processors to itself",
		unit.Percent(u.Steal.Value))
}

func foreignCPU(u Usage, l Load) string {
	if l.Loopback || !u.over(u.ForeignCPU, foreignShare) {
		return "" // on loopback it is the target's, for all that can be told
	}
	return fmt.Sprintf("other processes used %s of this machine's CPU: stop what need not run, or give the generator a machine of its own",
		unit.Percent(u.ForeignCPU.Value))
}

func pressure(u Usage, l Load) string {
	if !u.over(u.Pressure, pressureShare) {
		return ""
	}
	return fmt.Sprintf("something on this machine waited for a processor %s of the time: it has too few for what runs on it; stop what need not run or %s",
		unit.Percent(u.Pressure.Value), l.less())
}

func runQueue(u Usage, l Load) string {
	if !u.over(u.RunQueue, runQueueShare) || !above(u.RunQueueWait, runQueueFloor, u.Wall) {
		return ""
	}
	return fmt.Sprintf("threads of this process waited for a processor %s of the time they could have run (%s in all): stop what else runs here or %s",
		unit.Percent(u.RunQueue.Value), unit.Duration(u.RunQueueWait), l.less())
}

func hiccups(u Usage, l Load) string {
	bad := u.HiccupMax > hiccupMax
	if l.Threshold > 0 {
		bad = u.Wall >= minWindow && u.Hiccup99 > hiccupFloor && above(u.Hiccup99, hiccupShare, l.Threshold)
	}
	if !bad {
		return ""
	}
	return fmt.Sprintf("this process stood still for up to %s (p99 %s): response times include that; stop what else runs here or %s",
		unit.Duration(u.HiccupMax), unit.Duration(u.Hiccup99), l.less())
}

func gcPause(u Usage, l Load) string {
	bad := u.GCPauseMax > gcPauseMax
	if l.Threshold > 0 {
		bad = above(u.GCPauseMax, gcPauseShare, l.Threshold)
	}
	if !bad || !above(u.GCPauseTotal, gcTotalFloor, u.Wall) {
		return ""
	}
	s := fmt.Sprintf("garbage collection stopped this process for up to %s (%s times, %s in all): response times include that; let it collect less often (GOGC, GOMEMLIMIT)",
		unit.Duration(u.GCPauseMax), unit.Count(u.GCPauses), unit.Duration(u.GCPauseTotal))
	if l.InProcess {
		s += " or let the target allocate less"
	}
	return s
}

func clockStepped(u Usage) string {
	switch {
	case u.ClockDrift > clockStep:
		return fmt.Sprintf("the clock of this machine jumped %s ahead: it was set, or the machine was suspended; repeat the run if it was suspended", unit.Duration(u.ClockDrift))
	case u.ClockDrift < -clockStep:
		return fmt.Sprintf("the clock of this machine was set back by %s: times are measured without it, but its timestamps do not fit those of other machines", unit.Duration(-u.ClockDrift))
	}
	return ""
}

// over tells whether a share of processor time is above a threshold, over a
// window long enough.
func (u Usage) over(r Reading, threshold float64) bool {
	return r.OK && u.Wall >= minWindow && r.Value > threshold
}

// The advice of several warnings, for both doors: the flag and the field.
const raise = "raise the concurrency (--concurrency, Options.Concurrency)"

func (l Load) less() string {
	if l.Open {
		return "lower the rate (--rate, Options.Rate)"
	}
	return "lower the concurrency (--concurrency, Options.Concurrency)"
}

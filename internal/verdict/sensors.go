package verdict

import (
	"fmt"
	"strings"
	"time"

	"github.com/loadtestkit/load-tester/internal/host"
	"github.com/loadtestkit/load-tester/internal/record"
	"github.com/loadtestkit/load-tester/internal/unit"
)

// A Sensor reads a share, in [0, 1], that shows whether something other than the
// target slowed a run down. A share above Warn is reported; one above Excuse
// makes a fail doubtful.
type Sensor struct {
	Name  string // in JSON
	Label string // in a table
	Read  func(*host.Readings) *float64
	time  func(*host.Usage) time.Duration // that the share is, where it is known

	Warn   float64
	Excuse float64 // 1 is never

	// What is said then. {share} is the reading, {time} its time, {less} advice in
	// the words of the reader.
	code, warning, excuse string

	sampled bool                      // means nothing over less than minWindow
	effect  bool                      // of waiting, which a sensor before it may explain
	tells   func(*record.Record) bool // whether it means anything in a run; nil is always
	excuses func(*record.Record) bool // whether it excuses a fail; nil is always
}

// minWindow is the shortest window in which shares of processor time mean
// anything: /proc/stat counts in ticks of 10 ms, of which 500 ms has 50 on
// one processor, and the start of a run is not its steady state.
const minWindow = 500 * time.Millisecond

// Sensors are those of a machine, causes before effects. They must not be changed.
var Sensors = []*Sensor{
	{
		Name: "foreign_cpu", Label: "other processes", sampled: true,
		Read: func(r *host.Readings) *float64 { return r.ForeignCPU },
		// On loopback the target may be the other process.
		tells:   func(r *record.Record) bool { return r.Place != record.Loopback },
		Warn:    0.10, // a desktop at rest stays well below
		code:    "foreign_cpu",
		warning: "other processes used {share} of this machine's CPU: stop what need not run",
		Excuse:  0.25,
		excuse:  "other processes took {share} of the processor time",
	},
	&Steal,
	{
		Name: "throttled", Label: "throttled",
		Read:    func(r *host.Readings) *float64 { return r.Throttled },
		time:    func(u *host.Usage) time.Duration { return u.ThrottledTime },
		Warn:    0.01, // of periods that are usually 100 ms: a p99 is then the quota's, not the target's
		code:    "throttled",
		warning: "a CPU quota stopped this process in {share} of its periods, for {time} in all: raise the quota of the container or cgroup, or {less}",
		Excuse:  shortQuota,
		excuse:  "the processor quota ran out in {share} of its periods",
		excuses: quotaWasShort,
	},
	{
		Name: "cpu_pressure", Label: "pressure", sampled: true, effect: true,
		Read:    func(r *host.Readings) *float64 { return r.Pressure },
		Warn:    0.10, // a desktop at rest stays well below
		code:    "pressure",
		warning: "something on this machine waited for a processor {share} of the time: stop what need not run or {less}",
		Excuse:  1, // what waited may be the target
	},
	{
		Name: "run_queue", Label: "run queue", sampled: true, effect: true,
		Read:    func(r *host.Readings) *float64 { return r.RunQueue },
		time:    func(u *host.Usage) time.Duration { return u.RunQueueWait },
		tells:   func(r *record.Record) bool { return over(r.Machine.RunQueueWait, leastQueued, r.Machine.Wall) },
		Warn:    0.05,
		code:    "run_queue",
		warning: "this process waited for a processor {share} of the time, {time} in all: stop what else runs here or {less}",
		Excuse:  1, // what waited may be the target
	},
}

// Steal shows a hypervisor that gives the processors of this machine to others.
var Steal = Sensor{
	Name: "steal", Label: "steal", sampled: true,
	Read:    func(r *host.Readings) *float64 { return r.Steal },
	Warn:    0.01, // 10 ms of each second in which a processor stood still
	code:    "steal",
	warning: "the hypervisor gave {share} of this machine's CPU to others: repeat the run on a machine that has its processors to itself",
	Excuse:  0.05,
	excuse:  "the hypervisor took {share} of the processor time",
}

// leastQueued is the part of the window that threads have to wait before their
// share counts: a process that hardly ran has waited a large part of next to
// nothing.
const leastQueued = 0.01

// shortQuota is the part of its periods in which a quota that is too small runs
// out.
const shortQuota = 0.05

// quotaWasShort reports whether it was not the target that used the quota up: it
// is on another machine, or the control, which hardly uses any, ran out too.
func quotaWasShort(r *record.Record) bool {
	return r.Place == record.Elsewhere || r.Control != nil && above(r.Control.Machine.Throttled, shortQuota)
}

// above reports whether a share is known and more than most.
func above(share *float64, most float64) bool { return share != nil && *share > most }

// Excuses returns why a fail of r is doubtful by what s read; "" if it is not.
func (s *Sensor) Excuses(r *record.Record) string {
	if s.excuses != nil && !s.excuses(r) {
		return ""
	}
	return s.describe(r, s.Excuse, s.excuse, Fields)
}

// doubtful reports whether what s warns of puts a number that reports show in doubt:
// the share is large enough to excuse a fail, or the p99 shows that requests waited.
func (s *Sensor) doubtful(r *record.Record) bool { return s.Excuses(r) != "" || delayed(r) }

// warns returns the warning about what s read during r; "" if there is none.
func (s *Sensor) warns(r *record.Record, w Words) string {
	if s.sampled && r.Machine.Wall < minWindow {
		return ""
	}
	return s.describe(r, s.Warn, s.warning, w)
}

// describe returns a text about a share above most; "" about any other.
func (s *Sensor) describe(r *record.Record, most float64, text string, w Words) string {
	share := s.Read(&r.Machine.Readings)
	if !above(share, most) || s.tells != nil && !s.tells(r) {
		return ""
	}
	values := []string{"{share}", unit.Percent(*share), "{less}", w.less(r)}
	if s.time != nil {
		values = append(values, "{time}", unit.Duration(s.time(&r.Machine)))
	}
	return strings.NewReplacer(values...).Replace(text)
}

const (
	// hiccupWarn is of the tightest limit on time. hiccupFloor leaves out that
	// Go's timers round up to 1 ms on Linux (golang/go#53824), with as much again
	// to wake. hiccupMax holds without a limit: Hyperfoil's threshold of jitter.
	hiccupWarn  = 0.10
	hiccupFloor = 2 * time.Millisecond
	hiccupMax   = 100 * time.Millisecond
)

func warnHiccups(r *record.Record, tightest time.Duration, w Words) string {
	u := &r.Machine
	bad := u.HiccupMax > hiccupMax
	if tightest > 0 {
		bad = u.Wall >= minWindow && u.Hiccup99 > hiccupFloor && over(u.Hiccup99, hiccupWarn, tightest)
	}
	if !bad {
		return ""
	}
	return fmt.Sprintf("this process stood still for up to %s (p99 %s), which response times include: stop what else runs here or %s",
		unit.Duration(u.HiccupMax), unit.Duration(u.Hiccup99), w.less(r))
}

const (
	// gcWarn is of the tightest limit on time, gcMax holds without one: Go's
	// collector aims at pauses far below 10 ms ("Go GC: Prioritizing low latency
	// and simplicity", go.dev/blog/go15gc). gcFloor is of the window: rarer
	// pauses move no quantile below p99.9.
	gcWarn  = 0.10
	gcMax   = 10 * time.Millisecond
	gcFloor = 0.001
)

func warnCollector(r *record.Record, tightest time.Duration) string {
	u := &r.Machine
	bad := u.GCPauseMax > gcMax
	if tightest > 0 {
		bad = over(u.GCPauseMax, gcWarn, tightest)
	}
	if !bad || !over(u.GCPauseTotal, gcFloor, u.Wall) || pressed(r) {
		return ""
	}
	s := fmt.Sprintf("garbage collection stopped this process for up to %s (%s times, %s in all), which response times include: let it collect less often (GOGC, GOMEMLIMIT)",
		unit.Duration(u.GCPauseMax), unit.Count(u.GCPauses), unit.Duration(u.GCPauseTotal))
	if r.Place == record.InProcess {
		s += " or let the target allocate less"
	}
	return s
}

// pressed reports whether any share of processor time is so large that pauses, which
// are measured by the wall clock, may be long because the collector waited for a
// processor too.
func pressed(r *record.Record) bool {
	for _, s := range Sensors {
		if above(s.Read(&r.Machine.Readings), s.Warn) {
			return true
		}
	}
	return false
}

// fewestTicks is how many ticks of the clock the median response time has to take:
// a tick is then no more than a tenth of it.
const fewestTicks = 10

func warnTick(r *record.Record) string {
	tick, p50 := r.Machine.ClockTick, quantile(r.Response, 0.5)
	if tick == 0 || r.Response.Count() == 0 || p50 >= fewestTicks*tick {
		return ""
	}
	return fmt.Sprintf("the clock of this machine moves on in steps of %s only, and the median response time is %s: no time that short can be measured here",
		unit.Duration(tick), unit.Duration(p50))
}

// clockStep is more than clocks drift that are only disciplined: by 500 ppm at
// most (adjtimex(2)), which is 1 s in half an hour.
const clockStep = time.Second

func warnClock(r *record.Record) string {
	switch drift := r.Machine.ClockDrift; {
	case drift > clockStep:
		return fmt.Sprintf("the clock of this machine jumped %s ahead: it was set, or the machine was suspended; repeat the run if it was suspended", unit.Duration(drift))
	case drift < -clockStep:
		return fmt.Sprintf("the clock of this machine was set back by %s: times are measured without it, but its timestamps do not fit those of other machines", unit.Duration(-drift))
	}
	return ""
}

package verdict

import (
	"fmt"
	"time"

	"github.com/loadtestkit/load-tester/internal/record"
	"github.com/loadtestkit/load-tester/internal/unit"
)

// Lateness of the generator.
const (
	// lateWarn is of the tightest limit on time, or of the median response time
	// without one. What stays below moves no verdict that a second run would not
	// move as well.
	lateWarn = 0.05

	// lateFloor holds where no limit says what matters: Go's timers round up to
	// 1 ms on Linux (golang/go#53824), which is the field's usual.
	lateFloor = time.Millisecond

	lateExcuse = 0.20 // of the limit
)

func warnLateness(r *record.Record, tightest time.Duration, w Words) string {
	p50, p99 := quantile(r.Lateness, 0.5), quantile(r.Lateness, 0.99)
	late := p99 > lateFloor && over(p99, lateWarn, quantile(r.Response, 0.5))
	if tightest > 0 {
		late = over(p99, lateWarn, tightest)
	}
	if !r.Open || !late {
		return ""
	}
	s := fmt.Sprintf("the generator was late by %s at p99 (p50 %s, max %s), which response times include: %s or give it more CPU",
		unit.Duration(p99), unit.Duration(p50), unit.Duration(time.Duration(r.Lateness.Max())), w.less(r))
	if r.Place == record.InProcess {
		s += ", which it shares with the target here"
	}
	return s
}

// excuseLateness compares how late the generator was with l, a limit on time. A
// target on this machine may have kept it from running, unless it was late for
// the control as well.
func excuseLateness(l Limit, r *record.Record) string {
	late, ok := l.valueIn(r.Lateness)
	most := time.Duration(lateExcuse * float64(l.Time))
	if !ok || late <= most {
		return ""
	}
	if r.Place != record.Elsewhere {
		if r.Control == nil {
			return ""
		}
		if late, ok := l.valueIn(r.Control.Lateness); !ok || late <= most {
			return ""
		}
	}
	return fmt.Sprintf("the generator was late by %s at %s", unit.Duration(late), l.name())
}

// Requests that were due and never sent, as a part of those due.
const (
	// unsentWarn: Nighthawk's example of a gate is 1 %, which would hide a p99
	// that the missing ones would have missed.
	unsentWarn = 0.001

	// MostUnsent excuses a fail of a rate, and is where a search for a capacity
	// finds that a trial fell behind: Nighthawk's gate.
	MostUnsent = 0.01
)

func warnUnsent(r *record.Record, w Words) string {
	unsent := r.Due - r.Sent
	if float64(unsent) <= unsentWarn*float64(r.Due) {
		return ""
	}
	s := fmt.Sprintf("%s of %s due requests were never sent and count as missed: ", unit.Count(unsent), unit.Count(r.Due))
	if 2*r.Rested > r.Exhausted {
		return s + "permits rested, because connecting had failed"
	}
	if r.Concurrency > 0 && r.PeakInFlight >= r.Concurrency {
		return s + fmt.Sprintf("all %s permits were taken; %s or %s", unit.Count(int64(r.Concurrency)), w.raise(), w.less(r))
	}
	return s + fmt.Sprintf("the generator did not keep up, with at most %s in flight; %s or give it more CPU", unit.Count(int64(r.PeakInFlight)), w.less(r))
}

// excuseUnsent is about rates, which suffer from what was not sent. Arrivals
// that had to wait for a permit are the target's doing.
func excuseUnsent(r *record.Record) string {
	if !r.Open || r.Exhausted > 0 || float64(r.Due-r.Sent) <= MostUnsent*float64(r.Due) {
		return ""
	}
	return fmt.Sprintf("the generator sent only %s of %s arrivals", unit.Count(r.Sent), unit.Count(r.Due))
}

// exhaustedWarn is the part of the run in which all permits were taken, the same
// as of requests that were never sent.
const exhaustedWarn = unsentWarn

func warnExhausted(r *record.Record, w Words) string {
	taken := r.Exhausted - r.Rested
	if !r.Open || !over(taken, exhaustedWarn, r.Elapsed) {
		return ""
	}
	return fmt.Sprintf("all %s permits were taken for %s, which response times include: %s, or %s",
		unit.Count(int64(r.Concurrency)), partOf(taken, r), w.raise(), w.less(r))
}

// warnRested is about waiting for a permit that is the generator's own: it connects
// less often while that fails.
func warnRested(r *record.Record) string {
	if !r.Open || !over(r.Rested, exhaustedWarn, r.Elapsed) {
		return ""
	}
	return fmt.Sprintf("permits rested for %s, because connecting had failed: response times include this rest of the generator, which is not the target's slowness",
		partOf(r.Rested, r))
}

// partOf formats a time in a run and which part of it that is.
func partOf(d time.Duration, r *record.Record) string {
	part := 0.0
	if r.Elapsed > 0 {
		part = float64(d) / float64(r.Elapsed)
	}
	return fmt.Sprintf("%s (%s of the run)", unit.Duration(d), unit.Percent(part))
}

// staleWarn is how long a connection has to be idle before its end is taken for the
// end of the server's patience, and not for that of the server.
const staleWarn = time.Millisecond

func warnStale(r *record.Record, w Words) string {
	if r.Stale.Failed == 0 || r.Stale.Most < staleWarn {
		return ""
	}
	return fmt.Sprintf("%s met a connection that the server had closed after %s idle, and failed: make its keep-alive timeout longer, or use a new connection for each request (%s)",
		unit.Plural(r.Stale.Failed, "request"), unit.Span(r.Stale.Least, r.Stale.Most), w.noKeepAlive())
}

func warnUnanswered(r *record.Record, w Words) string {
	if r.Unanswered == 0 {
		return ""
	}
	return fmt.Sprintf("%s waited on connections that the server never answered on while others were idle: it serves fewer connections than were opened; %s",
		unit.Plural(r.Unanswered, "request"), w.fewer())
}

// mostCPU is the part of the processors it can use at once above which the
// generator is taken for the bottleneck: Hyperfoil's CpuWatchdog objects when a
// processor is idle for less than 20 %.
const mostCPU = 0.80

// ownCPU returns the part of its processors that the generator used, and whether
// that is too much. A target in this process may take what it likes: the test is
// about it.
func ownCPU(r *record.Record) (share string, tooMuch bool) {
	use := r.Machine.CPUShare(r.Processors)
	if r.Place == record.InProcess || !above(use, mostCPU) {
		return "", false
	}
	return unit.Percent(*use), true
}

func warnOwnCPU(r *record.Record, w Words) string {
	share, tooMuch := ownCPU(r)
	if !tooMuch || r.Machine.Wall < minWindow {
		return ""
	}
	its := "its only processor"
	if r.Processors > 1 {
		its = fmt.Sprintf("its %d processors", r.Processors)
	}
	return fmt.Sprintf("the generator used %s of %s: it may be the bottleneck; %s or give it more", share, its, w.less(r))
}

// ExcuseOwnCPU returns why a fail of r is doubtful by the processor time of the
// generator; "" if it is not.
func ExcuseOwnCPU(r *record.Record) string {
	share, tooMuch := ownCPU(r)
	if !tooMuch {
		return ""
	}
	return "the load generator itself used " + share + " of its processors"
}

// Words are those of a reader for the options that advice is about.
type Words uint8

const (
	Fields       Words = iota // of the Go library
	Flags                     // of the command, for a run
	CompareFlags              // for a comparison
	SearchFlags               // for a search
)

// raise advises more permits.
func (w Words) raise() string {
	if w != Fields {
		return "raise --concurrency"
	}
	return "raise the Concurrency"
}

// compare advises a question that a busy machine can answer.
func (w Words) compare() string {
	if w == Fields {
		return "Compare with an earlier version or a reference would tell in about 2s"
	}
	return "load-tester compare with an earlier version or a reference would tell in about 2s"
}

// fewer advises fewer permits.
func (w Words) fewer() string {
	if w != Fields {
		return "lower --concurrency"
	}
	return "lower the Concurrency"
}

// noKeepAlive names the option for new connections.
func (w Words) noKeepAlive() string {
	if w != Fields {
		return "--no-keepalive"
	}
	return "NoKeepAlive of the Server"
}

// Requests names the option for how many requests a run makes.
func (w Words) Requests() string {
	if w == Flags {
		return "--requests"
	}
	return "Count"
}

// less advises less load.
func (w Words) less(r *record.Record) string {
	switch {
	case w == SearchFlags:
		return "lower --most"
	case r.Open && w == CompareFlags:
		return "lower --rate"
	case r.Open && w == Flags:
		return "lower --rate or --stage"
	case r.Open:
		return "lower the rate of Open or Staged"
	case w != Fields:
		return "lower --concurrency"
	}
	return "lower the concurrency of Closed"
}

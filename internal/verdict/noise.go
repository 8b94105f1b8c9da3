package verdict

import (
	"fmt"
	"time"

	"github.com/loadtestkit/load-tester/internal/hist"
	"github.com/loadtestkit/load-tester/internal/stat"
	"github.com/loadtestkit/load-tester/internal/unit"
)

// Noise is what the sensors said about the generator and its machine during a
// run. A nil reading means that its sensor is off. Shares are in [0, 1].
//
// The control is a handler that does nothing, called at the same rate in
// between: trouble that shows there too is the machine's, not the target's.
type Noise struct {
	InProcess bool // the target runs in this process
	Loopback  bool // the target is another process of this machine

	Steal            *float64 // time the hypervisor took
	ForeignCPU       *float64 // other processes, of all processors
	CPUUse           *float64 // this process, of the processors it may use
	Throttled        *float64 // periods in which the quota ran out
	ThrottledControl *float64 // the same while the control ran

	Lateness        *hist.Histogram // the generator's own, in ns
	LatenessControl *hist.Histogram // the same while the control ran
	Control         *hist.Histogram // response times of the control, in ns

	Planned, Sent int64 // arrivals of an open workload; 0 planned if closed
	Blocked       bool  // some arrivals had to wait for a permit, which is the target's doing
}

// From here on noise excuses a fail, and a search for a capacity blames the host
// or the generator. Chosen, but for MostUnsent, the gate of
// Nighthawk's examples, and MostCPU, at which Hyperfoil gives up.
const (
	MostSteal     = 0.05
	mostForeign   = 0.25
	mostThrottled = 0.05
	MostCPU       = 0.80
	mostLateness  = 0.20 // of the limit
	mostControl   = 0.50 // of the limit
	MostUnsent    = 0.01 // of the arrivals
)

// Excuse says why a fail of l cannot be held against the target, "" if it can.
// What the target itself may have caused is no excuse: processor time of this
// process if the target is in it, or of others if it is one of those, or
// lateness of the generator that the control does not share.
func Excuse(l Limit, n Noise) string {
	if !l.noisy() {
		return ""
	}
	above := func(share *float64, most float64) bool { return share != nil && *share > most }
	apart := !n.InProcess && !n.Loopback // the target uses none of this machine
	switch {
	case above(n.Steal, MostSteal):
		return fmt.Sprintf("the hypervisor took %s of the processor time", unit.Percent(*n.Steal))
	case above(n.ForeignCPU, mostForeign) && !n.Loopback:
		return fmt.Sprintf("other processes took %s of the processor time", unit.Percent(*n.ForeignCPU))
	case above(n.Throttled, mostThrottled) && (apart || above(n.ThrottledControl, mostThrottled)):
		return fmt.Sprintf("the processor quota ran out in %s of its periods", unit.Percent(*n.Throttled))
	case above(n.CPUUse, MostCPU) && !n.InProcess:
		return fmt.Sprintf("the load generator itself used %s of its processors", unit.Percent(*n.CPUUse))
	case l.Metric.IsTime():
		return l.excuseTime(n, apart)
	case n.Planned > 0 && !n.Blocked && float64(n.Planned-n.Sent) > MostUnsent*float64(n.Planned):
		return fmt.Sprintf("the generator sent only %s of %s arrivals", unit.Count(n.Sent), unit.Count(n.Planned))
	}
	return ""
}

// excuseTime compares the generator and the control with a limit on time.
func (l Limit) excuseTime(n Noise, apart bool) string {
	late, isLate := l.of(n.Lateness)
	controlLate, controlIsLate := l.of(n.LatenessControl)
	if most := time.Duration(mostLateness * float64(l.Time)); isLate && late > most && (apart || controlIsLate && controlLate > most) {
		return fmt.Sprintf("the generator was late by %s at %s", unit.Duration(late), l.name())
	}
	if d, ok := l.of(n.Control); ok && float64(d) > mostControl*float64(l.Time) {
		return fmt.Sprintf("this machine cannot measure %s: a handler that does nothing took %s at %s", unit.Exact(l.Time), unit.Duration(d), l.name())
	}
	return ""
}

// of returns the metric of l, a time, of what a histogram holds; false if it
// holds too little or is nil.
func (l Limit) of(h *hist.Histogram) (time.Duration, bool) {
	switch {
	case h == nil || h.Count() == 0:
		return 0, false
	case l.Metric == Mean:
		return time.Duration(h.Mean()), true
	case l.Metric == Max:
		return time.Duration(h.Max()), true
	}
	v, _ := h.Quantile(l.Q)
	return time.Duration(v), stat.Enough(l.Q, h.Count())
}

package verdict

import (
	"fmt"
	"time"

	"github.com/loadtestkit/load-tester/internal/hist"
	"github.com/loadtestkit/load-tester/internal/host"
	"github.com/loadtestkit/load-tester/internal/record"
	"github.com/loadtestkit/load-tester/internal/stat"
	"github.com/loadtestkit/load-tester/internal/unit"
)

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

// Excuse says why a fail of l in the run that r is of cannot be held against the
// target, "" if it can. What the target itself may have caused is no excuse:
// processor time of this process if the target is in it, or of others if it is
// one of those, or lateness of the generator that the control does not share.
// Trouble that shows in the control too is the machine's.
func Excuse(l Limit, r *record.Record) string {
	if !l.noisy() {
		return ""
	}
	above := func(share host.Reading, most float64) bool { return share.OK && share.Value > most }
	apart := r.Place == record.Elsewhere // the target uses none of this machine
	control := r.Control
	if control == nil {
		control = &record.Record{}
	}
	u, own := &r.Machine, r.Machine.CPUShare(r.Processors)
	switch {
	case above(u.Steal, MostSteal):
		return fmt.Sprintf("the hypervisor took %s of the processor time", unit.Percent(u.Steal.Value))
	case above(u.ForeignCPU, mostForeign) && r.Place != record.Loopback:
		return fmt.Sprintf("other processes took %s of the processor time", unit.Percent(u.ForeignCPU.Value))
	case above(u.Throttled, mostThrottled) && (apart || above(control.Machine.Throttled, mostThrottled)):
		return fmt.Sprintf("the processor quota ran out in %s of its periods", unit.Percent(u.Throttled.Value))
	case above(own, MostCPU) && r.Place != record.InProcess:
		return fmt.Sprintf("the load generator itself used %s of its processors", unit.Percent(own.Value))
	case l.Metric.IsTime():
		return l.excuseTime(r, control, apart)
	case r.Open && r.Exhausted == 0 && float64(r.Due-r.Sent) > MostUnsent*float64(r.Due):
		return fmt.Sprintf("the generator sent only %s of %s arrivals", unit.Count(r.Sent), unit.Count(r.Due))
	}
	return ""
}

// excuseTime compares the generator and the control with a limit on time.
func (l Limit) excuseTime(r, control *record.Record, apart bool) string {
	late, isLate := l.of(r.Lateness)
	controlLate, controlIsLate := l.of(control.Lateness)
	if most := time.Duration(mostLateness * float64(l.Time)); isLate && late > most && (apart || controlIsLate && controlLate > most) {
		return fmt.Sprintf("the generator was late by %s at %s", unit.Duration(late), l.name())
	}
	if d, ok := l.of(control.Response); ok && float64(d) > mostControl*float64(l.Time) {
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

package verdict

import (
	"github.com/loadtestkit/load-tester/internal/hist"
	"github.com/loadtestkit/load-tester/internal/record"
)

// exceedsLoss reports whether a limit on a quantile was missed by more than other
// load on this machine can have cost, judged by what the control lost in the same
// seconds: at the quantile itself, or by all requests. The latter shows also where
// a target that needs much of the processors was slowed by a factor, and not by
// the milliseconds of a handler that does nothing. It reports false of a server in
// another process of this machine: this process's clock does not tell how much of the
// processors that needs, and so not how much it can have lost.
func (f *Finding) exceedsLoss(r *record.Record) bool {
	if f.Limit.Metric != Quantile || r.Control == nil || r.Place == record.Loopback {
		return false
	}
	own, control := processorTime(r), processorTime(r.Control)
	if own == 0 || control == 0 {
		return false
	}
	return f.tailExceeds(r.Control.Response, own/control) || f.allExceed(r, own, own/control)
}

// processorTime returns the processor time that this process used for a request
// of r, in ns; 0 if it is not known.
func processorTime(r *record.Record) float64 {
	n := r.Due + r.Warmup.Due
	if !r.Machine.HaveCPU || n == 0 {
		return 0
	}
	cpu := r.Machine.CPU()
	if r.Control != nil { // which had its turns meanwhile
		cpu -= r.Control.Machine.CPU()
	}
	return float64(max(cpu, 1)) / float64(n)
}

// tailExceeds reports whether the quantile is surely longer than the limit by more
// than what the control lost half as far beyond, which is its uncertainty. A
// request that needs times as much of the processors can lose as much more.
func (f *Finding) tailExceeds(control *hist.Histogram, times float64) bool {
	l := f.Limit
	if _, known := l.valueIn(control); !known {
		return false
	}
	lost := quantile(control, (1+l.Q)/2)
	return f.Low > float64(l.Time)+max(1, times)*float64(lost)
}

const (
	// calmPart is the part of a run in which other load took no more than its mean
	// share divided by the rest: were it more in all of the others, the mean would be
	// more too.
	calmPart = 0.1
	// fastPart is the part of the requests that may all be those of the calm part and
	// still leave most of these slower.
	fastPart = calmPart / 10
	// fastest is the lowest quantile whose limit is missed if nine tenths of the
	// requests in the calm part miss it.
	fastest = 0.2
)

// allExceed reports whether requests would have missed the limit in the calmest
// part of the run with all of the processors to themselves, each using cpu ns of
// them, times as much as one of the control. Three bounds hold for what they lost:
// the share of the processors that was gone, of all the time they took; as much
// longer as it makes what waits for a processor behind what is in flight; and what
// the control lost at its median, for each part of their work.
func (f *Finding) allExceed(r *record.Record, cpu, times float64) bool {
	if f.Limit.Q < fastest || r.Control.Response.Count() < leastRequests {
		return false
	}
	took := float64(quantile(r.Response, fastPart))
	lost := max(1, times) * float64(quantile(r.Control.Response, 0.5))
	if calm := takenShare(r) / (1 - calmPart); calm < 1 {
		ahead := max(1, float64(r.PeakInFlight)/float64(max(1, r.Processors)))
		lost = min(lost, took*calm, cpu*ahead*calm/(1-calm))
	}
	lost = max(lost, float64(quantile(r.Control.Response, 0.5)))
	return took-lost > float64(f.Limit.Time)
}

// takenShare is the part of the processors that r did not get, as far as sensors know.
func takenShare(r *record.Record) (share float64) {
	for _, s := range Sensors {
		if s.Excuse == 1 || s.tells != nil && !s.tells(r) {
			continue
		}
		if v := s.Read(&r.Machine.Readings); v != nil {
			share += *v
		}
	}
	return share
}

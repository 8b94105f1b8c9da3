package engine

import (
	"context"
	"fmt"
	"time"

	"github.com/loadtestkit/load-tester/internal/report"
	"github.com/loadtestkit/load-tester/internal/unit"
	"github.com/loadtestkit/load-tester/internal/verdict"
)

// pauseLeast is how long a run waits at least before it is repeated: what
// disturbs a machine for a moment has then gone, and two runs are disturbed
// independently. Chosen.
const pauseLeast = 5 * time.Second

// rest pauses before a run that took so long is repeated. It reports false if
// ctx ended meanwhile.
func (p *Plan) rest(ctx context.Context, took time.Duration, m *monitor) bool {
	pause := p.opts.Pause
	if pause == 0 {
		pause = max(pauseLeast, took/2)
	}
	m.says(fmt.Sprintf("pausing %s before the repeat", unit.Duration(pause)))
	defer m.repeats()
	t := time.NewTimer(pause)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// fresh is p with a run id of its own.
func (p *Plan) fresh() (*Plan, error) { return NewPlan(p.given) }

// Why a fail that a fresh run did not repeat does not count.
const notRepeated = "not repeated: a second run, after a pause, did not fail; the first: "

// Where a fact was found that counts.
const factOfRepeat = "in a second run: "

// confirmLimits makes a fail of r inconclusive that its repeat does not share,
// unless it is a fact and no matter of chance; a fact of the repeat counts too.
func confirmLimits(r *report.Report) {
	for i, again := range r.Repeat.Limits {
		confirmLimit(&r.Limits[i], again)
	}
	r.Verdict = report.Overall(r.Limits)
}

func confirmLimit(first *report.LimitResult, again report.LimitResult) {
	switch {
	case first.Verdict == verdict.Fail && again.Verdict == verdict.Fail:
		first.Reason += "; a second run, after a pause: " + again.Reason
	case first.Verdict == verdict.Fail && !first.Exact:
		first.Verdict, first.Reason = verdict.Inconclusive, notRepeated+first.Reason
	case again.Verdict == verdict.Fail && again.Exact:
		first.Verdict, first.Exact, first.Reason = verdict.Fail, true, factOfRepeat+again.Reason
	}
}

// confirmRatios makes a fail of r that its repeat does not share inconclusive; a
// fact of the repeat counts too.
func confirmRatios(r *report.Comparison) {
	for i := range r.Ratios {
		first := &r.Ratios[i]
		if first.Verdict != verdict.Fail {
			continue
		}
		again := r.Repeat.Ratios[i]
		if again.Verdict != verdict.Fail {
			first.Verdict, first.Reason = verdict.Inconclusive, notRepeated+first.Reason
		} else {
			first.Reason += "; a second run, after a pause: " + again.Reason
		}
	}
	// Head's limits come first, and base's are never a fail.
	for i, again := range r.Repeat.Limits[:min(len(r.Limits), len(r.Repeat.Limits))] {
		confirmLimit(&r.Limits[i], again)
	}
	r.Verdict = report.Overall(r.Judged())
}

func ratioFailed(r *report.Comparison) bool {
	for _, ratio := range r.Ratios {
		if ratio.Verdict == verdict.Fail {
			return true
		}
	}
	return false
}

// limitFailed reports whether a limit was missed that chance may have had a part
// in, and none was that it had not: that would settle it.
func limitFailed(limits []report.LimitResult) bool {
	failed := false
	for _, l := range limits {
		if l.Verdict == verdict.Fail && l.Exact {
			return false
		}
		failed = failed || l.Verdict == verdict.Fail
	}
	return failed
}

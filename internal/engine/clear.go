package engine

import (
	"fmt"
	"time"

	"github.com/loadtestkit/load-tester/internal/load"
	"github.com/loadtestkit/load-tester/internal/record"
	"github.com/loadtestkit/load-tester/internal/unit"
	"github.com/loadtestkit/load-tester/internal/verdict"
)

// clearStretch is how long a run until its verdict is clear goes on, at least, between
// two turns of the control.
const clearStretch = time.Second

// untilClear makes load until the verdict on every limit is clear, or the
// budget is used up.
func (r *round) untilClear() error {
	r.monitor.tell("until the verdict is clear, at most " + unit.Duration(r.to.Budget))
	if r.to.schedule != nil {
		return r.openUntilClear()
	}
	s := r.to.whole()
	s.watches = []func(*load.Loop, <-chan struct{}){r.endIfFailing}
	for _, look := range verdict.Looks(r.to.Budget) {
		for left := look.At - r.to.seen.Course(); left > 0; left = look.At - r.to.seen.Course() {
			s.duration, s.requests, s.spread = min(r.stretch(), left), max(0, r.least-r.to.seen.Due), r.spread()
			if err := r.add(s); err != nil || r.to.seen.Interrupted {
				return err
			}
			if r.ended = verdict.AllFailed(r.to.seen); r.ended != "" {
				return nil
			}
			s.warmup, s.watches = 0, nil
			r.control.run(r.ctx, r.cut, s.duration)
			if r.settledAnytime() {
				return nil
			}
		}
		r.standard = r.to.standard().Share(look.Share)
		r.settled = r.keep(r.to.judge(r.to.seen, r.standard))
		if verdict.Settled(r.settled) {
			return nil
		}
		if r.futile(r.to.seen, r.settled) {
			return nil
		}
	}
	return nil
}

// stretch is how long a run goes on between two turns of the control: long enough
// that the time in which permits begin and end is a small part of it.
func (r *round) stretch() time.Duration {
	p50, _ := r.to.seen.Response.Quantile(0.5)
	return max(clearStretch, fewestRounds*time.Duration(p50))
}

const (
	// spreadFrom is the response time from which on permits begin out of step.
	// Requests that are shorter soon are.
	spreadFrom = 5 * time.Millisecond
	// spreadFirst is over how long they begin while response times are not known: a
	// small part of the warm-up.
	spreadFirst = clearWarmup / 5
)

// spread is over how long the permits begin: a response time. Requests of a target
// that mostly waits would come together for ever if they began together, and ten of
// them would say no more than one does.
func (r *round) spread() time.Duration {
	if r.to.Virtual {
		return 0
	}
	p50, ok := r.to.seen.Response.Quantile(0.5)
	switch {
	case !ok:
		return spreadFirst
	case time.Duration(p50) < spreadFrom:
		return 0
	}
	return time.Duration(p50)
}

// fewestRounds is how many requests of median length each permit sends in a stretch, at
// least.
const fewestRounds = 20

// keep lets verdicts stand that were reached at the last look.
func (r *round) keep(results []verdict.Finding) []verdict.Finding {
	for i := range r.settled {
		results[i] = results[i].Keep(r.settled[i])
	}
	return results
}

// settledAnytime reports whether every limit has passed in a way that needs no look,
// or passed at one. It finds out how many requests are lacking.
func (r *round) settledAnytime() bool {
	results := r.to.judge(r.to.seen, r.to.standard())
	r.least = 0
	settled := true
	for i, result := range results {
		switch {
		case result.Verdict == verdict.NotJudged, result.Verdict == verdict.Pass && (result.Anytime || result.Exact):
		case i < len(r.settled) && r.settled[i].Verdict == verdict.Pass && result.Holds:
			results[i] = r.settled[i]
		default:
			settled, r.least = false, max(r.least, result.Least)
		}
	}
	if !settled || verdict.Overall(results) != verdict.Pass {
		return false
	}
	r.settled = results
	return true
}

// futile reports whether the rest of the budget cannot decide a limit, and all
// others are decided. It keeps the reason.
func (r *round) futile(seen *record.Record, results []verdict.Finding) bool {
	course := seen.Course()
	if course < futileFrom || course >= r.to.Budget {
		return false
	}
	will := int64(float64(seen.Due) * float64(r.to.Budget) / float64(course))
	most := 2 * will // what it has had may be a slow spell
	if course >= r.to.Budget/2 {
		most = will + will/4
	}
	open := false
	for _, result := range results {
		if result.Verdict == verdict.Inconclusive {
			open = true
			if result.Least <= most {
				return false
			}
		}
	}
	if open {
		r.early = fmt.Sprintf("ended early, as %s would bring about %s", unit.Duration(r.to.Budget), unit.Count(will))
	}
	return open
}

// futileFrom is the time of load from which on its rate is known.
const futileFrom = time.Second

// openUntilClear is untilClear for an open workload, which has no breaks: a
// target that cannot keep up would catch up in them, and look as if it could.
// The control has its turns before and after.
func (r *round) openUntilClear() error {
	r.control.run(r.ctx, r.cut, controlFor/2)
	s := r.to.whole()
	s.duration = r.to.Budget
	s.watches = []func(*load.Loop, <-chan struct{}){r.look, r.endIfFailing}
	if err := r.add(s); err != nil || r.to.seen.Interrupted || r.ended != "" {
		return err
	}
	r.control.run(r.ctx, r.cut, r.to.seen.Course())
	return nil
}

// look ends a running loop at the first look that has a clear verdict, unless it
// is over before.
func (r *round) look(loop *load.Loop, over <-chan struct{}) {
	looks := verdict.Looks(r.to.Budget)
	last := len(looks) - 1
	for _, look := range looks[:last] {
		if !loop.Reaches(r.to.Warmup+look.At, over) {
			break
		}
		s, seen := r.to.standard().Share(look.Share), loop.Peek()
		if r.settledSoFar(seen, s) {
			r.standard = s
			loop.End()
			return
		}
		if r.futile(seen, r.settled) {
			r.standard = s
			loop.End()
			return
		}
	}
	r.standard = r.to.standard().Share(looks[last].Share)
}

// settledSoFar reports whether the finished requests of a running loop already
// settle every limit. What is not over may still be in time, so it makes no
// fail; for a pass it counts as missed, or a target that answers ever later would
// seem to keep up.
func (r *round) settledSoFar(seen *record.Record, s verdict.Standard) bool {
	seen.Load = r.to.workload(seen)
	r.settled = r.to.judge(seen, s)
	for i, strict := range r.to.judge(withOwed(seen, r.to.Rate), s) {
		switch strict.Limit.Metric {
		case verdict.Quantile, verdict.Throughput, verdict.Goodput:
			if strict.Verdict != verdict.Pass {
				r.settled[i] = r.settled[i].Doubt("some requests are not over")
			}
		}
	}
	return verdict.Settled(r.settled)
}

// withOwed returns seen with the requests that were due at a rate and are not over.
func withOwed(seen *record.Record, rate float64) *record.Record {
	r := *seen
	r.Unfinished = max(0, int64(rate*r.Offering.Seconds())-r.Due)
	r.Due += r.Unfinished
	r.Sent = r.Due
	return &r
}

package engine

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/loadtestkit/load-tester/internal/load"
	"github.com/loadtestkit/load-tester/internal/record"
	"github.com/loadtestkit/load-tester/internal/report"
	"github.com/loadtestkit/load-tester/internal/unit"
	"github.com/loadtestkit/load-tester/internal/verdict"
)

const (
	// searchStart is where a search begins, in arrivals per second: nearly
	// everything takes it, and doubling gets far in a few trials.
	searchStart = 100
	// searchBudget is how long a search goes on at most: on a quiet machine
	// one takes about 25 s.
	searchBudget = 150 * time.Second
	// drainLeast is how long a trial waits at its end, at least, for what is in
	// flight, and drainTimes the same in tightest limits on time: what takes
	// longer has missed them.
	drainLeast = time.Second
	drainTimes = 4
)

// A searchPlan is a search for the highest arrival rate at which limits hold.
type searchPlan struct {
	arm  *armPlan // of one trial
	most float64
}

// NewSearch checks o and fills in defaults. Its error joins a *[Fault] for each
// option that is wrong.
func NewSearch(o SearchOptions) (Plan, error) {
	var f faults
	f.add(len(o.Stages) > 0, "Stages", "are set, but a search chooses its rates; leave them out")
	f.add(len(o.Limits) == 0, "Limits", "none is given, want at least one such as p99<=50ms")
	for _, l := range o.Limits {
		bounded := l.Metric == verdict.Quantile || l.Metric == verdict.Max || l.Metric == verdict.Errors
		f.add(!bounded || l.Op != verdict.Below && l.Op != verdict.AtMost,
			"Limits", "%v is no bound that more load can break, want one such as p99<=50ms or errors<=0.1%%", l)
	}
	bounded := inRange(o.Most)
	f.add(o.Most != 0 && !bounded, "Most", "%v is out of range, want arrivals per second from 1e-6 to 1e9", o.Most)
	if o.Rate == 0 {
		o.Rate = searchStart
		if bounded {
			o.Rate = min(o.Rate, o.Most)
		}
	}
	f.add(bounded && inRange(o.Rate) && o.Most < o.Rate, "Most", "%v is out of range, want the rate that the search begins with, %v, or more, to 1e9", o.Most, o.Rate)
	p := &armPlan{target: o.Target, Settings: o.Settings, duration: time.Second, limits: o.Limits}
	p.Stages = nil
	f = append(f, p.check()...)
	if err := f.err(); err != nil {
		return nil, err
	}
	p.Budget = cmp.Or(p.Budget, searchBudget)
	return &searchPlan{arm: p, most: o.Most}, nil
}

// Preview describes the search; see [Plan].
func (p *searchPlan) Preview() *report.Document {
	d := p.arm.preview(report.Search)
	d.Config.Duration = 0
	d.Found = &report.Found{Limits: limitTexts(p.arm.limits)}
	return d
}

// limitTexts returns limits as the command takes them.
func limitTexts(limits []verdict.Limit) (all []string) {
	for _, l := range limits {
		all = append(all, l.String())
	}
	return all
}

// Run makes the search; see [Plan].
func (p *searchPlan) Run(ctx, cut context.Context, watch Watch) (*report.Document, error) {
	m := startMonitor(watch)
	defer m.end()
	w := &walk{session: session{ctx: ctx, cut: cut, monitor: m}}
	w.search = verdict.NewSearch(verdict.SearchRange{Start: p.arm.Rate, Most: p.most, Budget: p.arm.Budget})
	return w.measure([]*armPlan{p.arm}, w.load, w.describe)
}

// A walk is a search made once: trials at one rate after another.
type walk struct {
	session
	search *verdict.Search
	trials []report.Trial
}

// load makes trials until the search is over.
func (w *walk) load() error {
	to := w.arms[0]
	for t, ok := w.search.Next(); ok; t, ok = w.search.Next() {
		w.monitor.tell(fmt.Sprintf("trial %d at %s, %s", len(w.trials)+1, unit.Rate(t.Rate), "at most "+unit.Duration(to.Budget)))
		began := time.Now()
		trial := &verdict.TrialWatch{TrialPlan: t, Limits: to.limits, Origin: to.seen.Course()}
		r, err := w.try(to, trial)
		if err != nil {
			return err
		}
		if w.stopped() {
			w.search.Interrupt()
			return nil
		}
		if to.seen.Succeeded == 0 && w.ended == "" {
			w.ended = verdict.AllFailed(r)
		}
		limit, why := verdict.Blame(to.limits, r, trial.Behind)
		if w.ended != "" {
			limit, why = verdict.ByTarget, w.ended // and not what was due at its end and not sent
		}
		stalled := verdict.Stalled(to.limits, r)
		w.search.Record(verdict.TrialResult{
			Held: limit == "", Easy: limit == "" && verdict.Easy(to.limits, r), Limit: limit, Stalled: stalled,
			Median: median(r), Took: time.Since(began),
		})
		d := report.Summarize(r.Response)
		w.trials = append(w.trials, report.Trial{
			Rate: t.Rate, Duration: r.Until - trial.Origin, Purpose: t.Purpose,
			Due: r.Due, Sent: r.Sent, Succeeded: r.Succeeded,
			P50: d.P50, P99: d.P99, Held: why == "", Stalled: stalled, Reason: why,
		})
		to.seen.Merge(r)
		if w.ended != "" {
			w.search.GiveUp(w.ended)
			return nil
		}
	}
	return nil
}

// try makes a trial.
func (w *walk) try(to *arm, t *verdict.TrialWatch) (*record.Record, error) {
	schedule := load.Constant(t.Rate)
	schedule.Poisson, schedule.Seed = to.Poisson, to.schedule.Seed
	sensors := to.watchMachine()
	s := stretch{
		schedule: reseeded(&schedule, uint64(len(w.trials))), warmup: t.Warmup, duration: t.For,
		grace: min(to.Grace, max(drainLeast, drainTimes*to.longestLimit())),
	}
	arrivals := s.schedule.Cursor()
	s.watches = []func(*load.Loop, <-chan struct{}){func(loop *load.Loop, over <-chan struct{}) { endIfDecided(t, &arrivals, loop, over) }}
	if to.seen.Succeeded == 0 {
		s.watches = append(s.watches, w.endIfFailing)
	}
	r, err := to.send(w.ctx, w.cut, s, w.monitor)
	machine := sensors()
	if err == nil {
		to.describe(r, machine)
	}
	return r, err
}

// median is the median response time of those that succeeded.
func median(r *record.Record) time.Duration {
	v, _ := r.Response.Quantile(0.5)
	return time.Duration(v)
}

// endIfDecided ends a trial with the given arrivals as soon as its outcome is clear.
// It looks only while requests become due: once the last has, ever fewer end.
func endIfDecided(t *verdict.TrialWatch, arrivals *load.Cursor, loop *load.Loop, over <-chan struct{}) {
	t.Warm = arrivals.Skip(t.Warmup, math.MaxInt64)
	due, end := t.Warm, t.Warmup+t.For
	for at := t.Warmup + verdict.LookEvery; at <= end && loop.Reaches(at, over); at += verdict.LookEvery {
		seen := loop.Peek()
		due += arrivals.Skip(min(t.Warmup+seen.Until-t.Origin, end), math.MaxInt64)
		if t.Decided(seen, due) {
			loop.End()
			return
		}
	}
}

// overload are the warnings of too high a rate, which a search tries on purpose.
var overload = []string{verdict.SentBelowDue, verdict.Lateness, verdict.PermitsExhausted, verdict.PermitsRested}

// describe makes the document of what was found.
func (w *walk) describe() (*report.Document, error) {
	to := w.arms[0]
	to.complete(w.machine)
	d, err := w.document(report.Search, to, nil)
	if err != nil {
		return nil, err
	}
	found := w.search.Result()
	d.StartedAt, d.Interrupted = w.began, w.stopped()
	d.Config.Duration = 0
	d.Verdict = found.Verdict
	d.Found = &report.Found{
		Low: report.Finite(found.Low), High: report.Finite(found.High), StoppedBy: found.StoppedBy, Reason: found.Reason, Trials: w.trials,
		Limits: limitTexts(to.limits),
	}
	d.Generator.Warnings = slices.DeleteFunc(d.Generator.Warnings, func(w verdict.Warning) bool {
		return slices.Contains(overload, w.Code)
	})
	return d, nil
}

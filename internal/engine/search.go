package engine

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"os"
	"slices"
	"time"

	"github.com/loadtestkit/load-tester/internal/host"
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
	// one takes about a minute.
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
	if o.Rate == 0 {
		o.Rate = searchStart
		if o.Most > 0 {
			o.Rate = min(o.Rate, o.Most)
		}
	}
	f.add(o.Most != 0 && !(o.Most >= o.Rate && o.Most <= maxRate), "Most", "%v is below the rate that the search begins with, %v, or above 1e9", o.Most, o.Rate)
	p := &armPlan{target: o.Target, Settings: o.Settings, duration: time.Second, limits: o.Limits}
	p.Stages = nil
	f.join(p.check())
	if err := f.err(); err != nil {
		return nil, err
	}
	p.Budget = cmp.Or(p.Budget, searchBudget)
	return &searchPlan{arm: p, most: o.Most}, nil
}

// Run makes the search; see [Plan].
func (p *searchPlan) Run(ctx, cut context.Context, watch Watch) (*report.Document, error) {
	m := startMonitor(watch)
	defer m.end()
	w := &walk{session: session{ctx: ctx, cut: cut, monitor: m}}
	w.search = verdict.NewSearch(verdict.SearchOptions{Start: p.arm.Rate, Most: p.most, Budget: p.arm.Budget})
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
		w.monitor.tell(fmt.Sprintf("trial %d at %s, %s", len(w.trials)+1, unit.Rate(t.Rate), atMost(to.Budget)))
		began := time.Now()
		r, err := w.try(to, t)
		if err != nil {
			return err
		}
		if w.stopped() {
			w.search.Interrupt()
			return nil
		}
		limit, why := blame(to, r)
		w.search.Record(verdict.TrialResult{Held: limit == "", Limit: limit, Took: time.Since(began)})
		d := report.Summarize(r.Response)
		w.trials = append(w.trials, report.Trial{
			Rate: t.Rate, Duration: t.For, Purpose: t.Purpose,
			Due: r.Due, Sent: r.Sent, Succeeded: r.Succeeded,
			P50: d.P50, P99: d.P99, Held: why == "", Reason: why,
		})
		to.seen.Merge(r)
	}
	return nil
}

// try makes a trial.
func (w *walk) try(to *arm, t verdict.TrialPlan) (*record.Record, error) {
	schedule := load.Constant(t.Rate)
	schedule.Poisson, schedule.Seed = to.Poisson, to.schedule.Seed
	sensors := host.Start(os.DirFS("/"))
	r, err := to.send(w.ctx, w.cut, stretch{
		schedule: reseeded(&schedule, uint64(len(w.trials))), warmup: t.Warmup, duration: t.For,
		grace: min(to.Grace, max(drainLeast, drainTimes*to.longestLimit())),
	}, w.monitor)
	machine := sensors.Stop()
	if err == nil {
		to.describe(r, machine)
	}
	return r, err
}

// blame says what a trial ran into: one of verdict's words, "" if it held.
func blame(to *arm, r *record.Record) (limit, why string) {
	behind := float64(r.Due-r.Sent) > verdict.MostUnsent*float64(r.Due)
	sent := unit.Percent(ratio(r.Sent, r.Due)) + " of what was due was sent"
	if behind && r.PeakInFlight < to.Concurrency {
		return verdict.ByGenerator, sent
	}
	if missed := to.missed(r); len(missed) > 0 {
		steal, use := r.Machine.Steal.Value, r.CPUUse()
		switch {
		case steal > verdict.MostSteal:
			return verdict.ByHost, fmt.Sprintf("%s, while the hypervisor took %s of this machine", missed[0], unit.Percent(steal))
		case r.Place != record.InProcess && use > verdict.MostCPU:
			return verdict.ByGenerator, fmt.Sprintf("%s, with %s of the generator's processors in use", missed[0], unit.Percent(use))
		case to.lateAlone(r):
			return verdict.ByGenerator, missed[0] + ", most of it the generator's own lateness"
		}
		return verdict.ByTarget, missed[0]
	}
	if behind {
		return verdict.ByTarget, sent + ", as all permits were taken"
	}
	return "", ""
}

// lateAlone reports whether a limit on time that was missed would have been kept
// if the generator had sent on time.
func (p *armPlan) lateAlone(r *record.Record) bool {
	for _, l := range p.limits {
		if l.Metric != verdict.Quantile || float64(r.Failed) > (1-l.Q)*float64(r.Due) {
			continue // those that failed would have missed it at any time
		}
		late, _ := r.Lateness.Quantile(l.Q)
		service, _ := r.Service.Quantile(l.Q)
		waited, _ := r.Waited.Quantile(l.Q)
		if time.Duration(late) > l.Time/2 && time.Duration(service+waited) < l.Time/2 {
			return true
		}
	}
	return false
}

// missed says which limits a trial missed, by what was counted alone: a trial
// is one of many, and it is those together that are judged.
func (p *armPlan) missed(r *record.Record) (missed []string) {
	within := r.Within
	for _, l := range p.limits {
		bad := r.Missed()
		text := fmt.Sprintf("error ratio %.3g", ratio(bad, r.Due))
		kept := l.Op.Holds(ratio(bad, r.Due), l.Value)
		switch l.Metric {
		case verdict.Quantile:
			within, bad = within[1:], r.Due-within[0]
			kept = float64(bad) <= (1-l.Q)*float64(r.Due)*(1+1e-12)
			text = fmt.Sprintf("%d of %d not within %v", bad, r.Due, l.Time)
			if r.Failed > 0 {
				text += fmt.Sprintf(", %d of them failed", r.Failed)
			}
		case verdict.Max:
			kept = bad == 0 && l.Op.Holds(float64(r.Response.Max()), float64(l.Time))
			text = "max " + unit.Duration(time.Duration(r.Response.Max()))
			if bad > 0 {
				text = fmt.Sprintf("%d of %d did not succeed", bad, r.Due)
			}
		}
		if !kept {
			missed = append(missed, fmt.Sprintf("%v: %s", l, text))
		}
	}
	return missed
}

// ratio is a/b; 1 where nothing was due.
func ratio(a, b int64) float64 {
	if b == 0 {
		return 1
	}
	return float64(a) / float64(b)
}

// overload are the warnings of too high a rate, which a search tries on purpose.
var overload = []string{verdict.SentBelowDue, verdict.Lateness, verdict.PermitsExhausted}

// describe makes the document of what was found.
func (w *walk) describe() (*report.Document, error) {
	to := w.arms[0]
	to.complete(w.machine)
	d, err := w.document(report.Search, to, nil)
	if err != nil {
		return nil, err
	}
	found := w.search.Result()
	d.StartedAt, d.Elapsed, d.Interrupted = w.began, w.took, w.stopped()
	d.Config.Duration = 0
	d.Verdict = found.Verdict
	d.Found = &report.Found{
		Low: finite(found.Low), High: finite(found.High), StoppedBy: found.StoppedBy, Reason: found.Reason, Trials: w.trials,
	}
	for _, l := range to.limits {
		d.Found.Limits = append(d.Found.Limits, l.String())
	}
	d.Generator.Warnings = slices.DeleteFunc(d.Generator.Warnings, func(w report.Warning) bool {
		return slices.Contains(overload, w.Code)
	})
	return d, nil
}

// finite is f as a document has it: nil where it is unknown or without bound.
func finite(f float64) *float64 {
	if f <= 0 || math.IsInf(f, 0) || math.IsNaN(f) {
		return nil
	}
	return &f
}

package engine

import (
	"slices"
	"time"

	"github.com/loadtestkit/load-tester/internal/host"
	"github.com/loadtestkit/load-tester/internal/record"
	"github.com/loadtestkit/load-tester/internal/report"
	"github.com/loadtestkit/load-tester/internal/verdict"
)

// note keeps a trial for the report.
func (e *exploration) note(t verdict.TrialPlan, o *record.Record, why string) {
	d := report.Summarize(o.Response)
	e.trials = append(e.trials, report.Trial{
		Rate: t.Rate, Duration: t.For, Purpose: t.Purpose,
		Due: o.Due, Sent: o.Sent, Succeeded: o.Succeeded,
		P50: d.P50, P99: d.P99, Held: why == "", Reason: why,
	})
	e.outcome = merged(e.outcome, o)
}

// overload are the warnings of too high a rate, which a search tries on purpose.
var overload = []string{verdict.SentBelowDue, verdict.Lateness, verdict.PermitsExhausted}

// report makes the report of what was found.
func (e *exploration) report(u host.Usage) *report.Capacity {
	found := e.search.Result()
	o := e.outcome
	if o == nil {
		o = e.arm.nothing()
	}
	o.Machine = u
	all := e.plan.report(o, e.arm.pool, nil)
	r := &report.Capacity{
		Schema: report.SchemaVersion, Tool: all.Tool, RunID: all.RunID, StartedAt: e.began, Config: all.Config,
		Elapsed: time.Since(e.began), Low: finite(found.Low), High: finite(found.High),
		StoppedBy: found.StoppedBy, Verdict: found.Verdict, Reason: found.Reason,
		Trials: e.trials, Generator: all.Generator,
	}
	r.Config.Duration = 0
	r.Generator.Warnings = slices.DeleteFunc(r.Generator.Warnings, func(w report.Warning) bool {
		return slices.Contains(overload, w.Code)
	})
	for _, l := range e.plan.opts.Limits {
		r.Limits = append(r.Limits, l.String())
	}
	return r
}

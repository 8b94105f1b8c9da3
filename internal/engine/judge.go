package engine

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/loadtestkit/load-tester/internal/record"
	"github.com/loadtestkit/load-tester/internal/stat"
	"github.com/loadtestkit/load-tester/internal/unit"
	"github.com/loadtestkit/load-tester/internal/verdict"
)

// standard is how sure the verdicts on p's limits have to be.
func (p *Plan) standard() verdict.Standard {
	judged := 0
	for _, l := range p.opts.Limits {
		if l.Metric != verdict.Errors || l.Value != 0 { // which is a fact, not a matter of chance
			judged++
		}
	}
	s := verdict.DefaultStandard.Among(judged)
	// A run until its verdict is clear waits for the least time of a fail.
	s.Repeated = p.opts.Confirm && !p.opts.endless()
	return s
}

// judge gives each limit its verdict on o, as surely as s asks for.
func (p *Plan) judge(o *record.Record, s verdict.Standard) (results []verdict.Result) {
	counts := p.counts(o)
	threshold := 0
	for _, l := range p.opts.Limits {
		c := counts
		if _, ok := l.Threshold(); ok {
			c.Within, c.Threshold = o.Within[threshold], threshold
			threshold++
			if stat.Enough(l.Q, o.Response.Count()) {
				v, ok := o.Response.Quantile(l.Q)
				c.Observed, c.HaveObserved = time.Duration(v), ok
			}
		}
		r := verdict.Judge(l, c, s)
		if p.opts.Waive != "" && l.Metric != verdict.Errors {
			r = r.Waive(p.opts.Waive)
		}
		results = append(results, r)
	}
	return results
}

// workload says in a few words what the target was offered.
func (p *Plan) workload(o *record.Record) string {
	length := unit.Duration(o.Course())
	switch {
	case p.schedule == nil:
		return fmt.Sprintf("closed, %d at a time for %s", p.opts.Concurrency, length)
	case len(p.opts.Stages) > 0:
		return fmt.Sprintf("open, %.4g/s on average for %s", float64(o.Due)/o.Course().Seconds(), length)
	}
	return fmt.Sprintf("open, %.4g/s for %s", p.opts.Rate, length)
}

// counts is what verdicts read of o.
func (p *Plan) counts(o *record.Record) verdict.Counts {
	c := verdict.Counts{
		Due: o.Due, Succeeded: o.Succeeded, Failed: o.Failed,
		Unsent: o.Unsent, Unfinished: o.Unfinished, Completed: o.Kinds[record.NoError],
		Mean: time.Duration(o.Response.Mean()), Max: time.Duration(o.Response.Max()),
		Elapsed: o.Elapsed, Measured: o.Course(), Intervals: o.Series.Intervals(),
		Workload: p.workload(o),
	}
	for _, e := range p.errorCounts(o) {
		c.ErrorKinds = append(c.ErrorKinds, verdict.KindCount{Name: e.Kind, Count: e.Count, First: e.First})
	}
	for status, n := range o.Statuses {
		if !record.Success(status) {
			c.ErrorKinds = append(c.ErrorKinds, verdict.KindCount{Name: fmt.Sprintf("status %d", status), Count: n})
		}
	}
	slices.SortStableFunc(c.ErrorKinds, func(a, b verdict.KindCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Name, b.Name))
	})
	return c
}

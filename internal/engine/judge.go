package engine

import (
	"github.com/loadtestkit/load-tester/internal/record"
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
func (p *Plan) judge(o *record.Record, s verdict.Standard) []verdict.Result {
	results := verdict.Judge(p.opts.Limits, o, s)
	for i, r := range results {
		if p.opts.Waive != "" && r.Limit.Metric != verdict.Errors {
			results[i] = r.Waive(p.opts.Waive)
		}
	}
	return results
}

// excused is results with those fails in doubt that the machine may have caused.
func excused(results []verdict.Result, o *record.Record) []verdict.Result {
	for i, r := range results {
		results[i] = r.Excuse(verdict.Excuse(r.Limit, o))
	}
	return results
}

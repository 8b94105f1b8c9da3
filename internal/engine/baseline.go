package engine

import (
	"fmt"
	"strings"
	"time"

	"github.com/loadtestkit/load-tester/internal/baseline"
	"github.com/loadtestkit/load-tester/internal/report"
	"github.com/loadtestkit/load-tester/internal/unit"
	"github.com/loadtestkit/load-tester/internal/verdict"
)

// Baseline asks for a run to be judged by the earlier runs in a file, or to be
// added to them.
type Baseline struct {
	Path       string
	Name       string              // of the runs that this one is compared with; "" means what the run sends, as benchmarks have it
	Update     bool                // add the run to the file instead of judging it
	Tolerances []verdict.Tolerance // by how much slower is too slow; nil means 5 % at p50 and 10 % at p99
}

// An earlier is a baseline that has been read.
type earlier struct {
	Baseline
	records []baseline.Record
	here    baseline.Fingerprint
}

// read reads the file of b, nil for none.
func (b *Baseline) read() (*earlier, error) {
	if b == nil {
		return nil, nil
	}
	e := &earlier{Baseline: *b, here: baseline.Here()}
	if len(e.Tolerances) == 0 {
		e.Tolerances = defaultTolerances
	}
	var err error
	if e.records, err = baseline.Read(b.Path); err != nil {
		return nil, &Fault{"Baseline", err.Error()}
	}
	return e, nil
}

// record is a run as the file has it. reference is how long the reference work
// took right before it.
func (e *earlier) record(d *report.Document, reference time.Duration) (baseline.Record, error) {
	r := baseline.Record{
		Schema:      baseline.Schema,
		Name:        e.Name,
		At:          d.StartedAt,
		Quantiles:   map[string]float64{},
		N:           d.Requests.Due,
		Throughput:  d.Rate.Throughput,
		Fingerprint: e.here,
		Calibrator:  baseline.Calibrator{Reference: float64(reference)},
		Noise:       map[string]float64{},
	}
	if r.Name == "" {
		r.Name = d.Name()
	}
	r.Revision, r.Dirty = baseline.Revision()
	for _, q := range unit.Quantiles {
		if v := d.ResponseTime.Quantile(q); v != nil {
			r.Quantiles[unit.QuantileName(q)] = float64(*v)
		}
	}
	for _, l := range d.Limits {
		if l.NEffective != nil {
			r.NEffective = *l.NEffective
		}
	}
	if p50 := d.Generator.Control.P50; p50 != nil {
		r.Calibrator.NullHandler = float64(*p50)
	}
	for name, v := range map[string]*float64{
		"steal": d.Generator.Steal, "throttled": d.Generator.Throttled,
		"foreign_cpu": d.Generator.ForeignCPU, "cpu_pressure": d.Generator.CPUPressure,
	} {
		if v != nil {
			r.Noise[name] = *v
		}
	}
	var err error
	r.Histogram, err = d.Record.Response.HDR()
	return r, err
}

// judge adds to a run what those before it say of it.
func (e *earlier) judge(d *report.Document, reference time.Duration, waive string) error {
	if e.Update {
		return nil
	}
	now, err := e.record(d, reference)
	if err != nil {
		return err
	}
	for _, t := range e.Tolerances {
		runs, others, different := baseline.Earlier(e.records, now.Name, e.here, t.Name())
		l := report.LimitResult{Limit: fmt.Sprintf("%s<=%vx baseline", t.Name(), t.Ratio), N: d.Requests.Due}
		if run, ok := now.Run(t.Name()); !ok {
			l.Verdict, l.Reason = verdict.Inconclusive, t.Name()+" against the baseline: too few requests for it"
		} else {
			s := verdict.DefaultStandard.Among(len(e.Tolerances))
			res := verdict.JudgeBaseline(runs, run, t.Ratio, s.Fail, s.Pass)
			l.Verdict, l.Reason = res.Verdict, t.Name()+" against the baseline: "+res.Reason
			if res.Ratio > 0 {
				l.Observed, l.Low, l.High = &res.Ratio, &res.Low, &res.High
			}
			if others > 0 && res.Runs < verdict.LeastBaseline {
				l.Reason += fmt.Sprintf(" (%d more are of another kind of machine: %s)", others, strings.Join(different, ", "))
			}
		}
		if waive != "" {
			l.Verdict, l.Reason = verdict.NotJudged, "not judged: "+waive+"; "+l.Reason
		}
		d.Limits = append(d.Limits, l)
	}
	d.Verdict = report.Overall(d.Judged())
	return nil
}

// update adds a run to the file, if that was asked for, and says so in the
// document. A run that was interrupted, or is no example, is not added.
func (e *earlier) update(d *report.Document, reference time.Duration, waive string) error {
	if !e.Update || d.Interrupted {
		return nil
	}
	if d.Verdict == verdict.Fail {
		waive = "a limit was missed"
	}
	if waive != "" {
		d.Recorded = fmt.Sprintf("not recorded in %s, as %s", e.Path, waive)
		return nil
	}
	r, err := e.record(d, reference)
	if err != nil {
		return err
	}
	if err := baseline.Append(e.Path, r); err != nil {
		return err
	}
	d.Recorded = "recorded in " + e.Path
	return nil
}

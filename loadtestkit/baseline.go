package loadtestkit

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/loadtestkit/load-tester/internal/baseline"
	"github.com/loadtestkit/load-tester/internal/engine"
	"github.com/loadtestkit/load-tester/internal/report"
	"github.com/loadtestkit/load-tester/internal/unit"
	"github.com/loadtestkit/load-tester/internal/verdict"
)

// updateEnv makes runs append to their baselines instead of being judged by
// them.
const updateEnv = "LOADTESTKIT_UPDATE"

// earlierTolerance is how much slower than earlier runs is too slow where
// Options.Tolerance does not say.
var earlierTolerance = Tolerance{P50: 0.05, P99: 0.10}

// earlier are the runs that one is judged by.
type earlier struct {
	path       string
	name       string // of the test
	records    []baseline.Record
	here       baseline.Fingerprint
	reference  time.Duration // measured right before the run
	tolerances []verdict.Tolerance
}

// readEarlier reads o.Baseline; nil without one.
func (o Options) readEarlier(name string) (*earlier, error) {
	if o.Baseline == "" {
		return nil, nil
	}
	if o.Tolerance == (Tolerance{}) {
		o.Tolerance = earlierTolerance
	}
	e := &earlier{path: o.Baseline, name: name, here: baseline.Here()}
	var readErr, err error
	e.records, readErr = baseline.Read(o.Baseline)
	e.tolerances, err = o.Tolerance.list()
	if err := errors.Join(readErr, err); err != nil {
		return nil, fmt.Errorf("options: Baseline: %w", err)
	}
	return e, nil
}

// updating reports whether runs are to be recorded, not judged.
func updating() bool { v := os.Getenv(updateEnv); return v != "" && v != "0" }

// record is a run as the file has it.
func (e *earlier) record(d *report.Report) (baseline.Record, error) {
	r := baseline.Record{
		Schema:      baseline.Schema,
		Name:        e.name,
		At:          d.StartedAt,
		Quantiles:   map[string]float64{},
		N:           d.Requests.Due,
		Throughput:  d.Rate.Throughput,
		Fingerprint: e.here,
		Calibrator:  baseline.Calibrator{Reference: float64(e.reference)},
		Noise:       map[string]float64{},
	}
	r.Revision, r.Dirty = baseline.Revision()
	for _, q := range unit.Quantiles {
		if t := d.ResponseTime.Quantile(q); t != nil {
			r.Quantiles[unit.QuantileName(q)] = float64(*t)
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
	for _, s := range verdict.Sensors {
		if share := s.Read(&d.Generator.Readings); share != nil {
			r.Noise[s.Name] = *share
		}
	}
	var err error
	r.Histogram, err = d.ResponseHist.HDR()
	return r, err
}

// append adds a run to the file.
func (e *earlier) append(d *report.Report) error {
	r, err := e.record(d)
	if err != nil {
		return err
	}
	return baseline.Append(e.path, r)
}

// judge adds to a run what those before it say of it.
func (e *earlier) judge(d *report.Report) error {
	now, err := e.record(d)
	if err != nil {
		return err
	}
	for _, t := range e.tolerances {
		runs, others, different := baseline.Earlier(e.records, e.name, e.here, t.Name())
		l := report.LimitResult{Limit: fmt.Sprintf("%s<=%vx baseline", t.Name(), t.Ratio), N: d.Requests.Due}
		if run, ok := now.Run(t.Name()); !ok {
			l.Verdict, l.Reason = verdict.Inconclusive, fmt.Sprintf("%s against the baseline: too few requests for it", t.Name())
		} else {
			s := verdict.DefaultStandard.Among(len(e.tolerances))
			res := verdict.JudgeBaseline(runs, run, t.Ratio, s.Fail, s.Pass)
			l.Verdict, l.Reason = res.Verdict, t.Name()+" against the baseline: "+res.Reason
			if res.Ratio > 0 {
				l.Observed, l.Low, l.High = &res.Ratio, &res.Low, &res.High
			}
			if others > 0 && res.Runs < verdict.LeastBaseline {
				l.Reason += fmt.Sprintf(" (%d more are of another kind of machine: %s)", others, strings.Join(different, ", "))
			}
		}
		if why := waive(); why != "" {
			l.Verdict, l.Reason = verdict.NotJudged, "not judged: "+why+"; "+l.Reason
		}
		d.Limits = append(d.Limits, l)
	}
	d.Verdict = report.Overall(d.Limits)
	return nil
}

// conclude records a run, or judges it by those before it. A fail counts if a
// second run fails too.
func (e *earlier) conclude(t testing.TB, s *stop, p *engine.Plan, d *report.Report) error {
	t.Helper()
	if updating() {
		why := waive()
		if d.Verdict == verdict.Fail {
			why = "a limit was missed"
		}
		if why != "" {
			t.Logf("loadtestkit: not recorded in %s, as %s", e.path, why)
			return nil
		}
		if err := e.append(d); err != nil {
			return err
		}
		t.Logf("loadtestkit: recorded in %s", e.path)
		return nil
	}
	judged := len(d.Limits)
	if err := e.judge(d); err != nil {
		return err
	}
	if report.Overall(d.Limits[judged:]) != verdict.Fail {
		return nil
	}
	if d.Repeat == nil {
		if err := p.Repeat(s.ctx, s.cut, d); err != nil || d.Repeat == nil {
			return err
		}
	}
	if err := e.judge(d.Repeat); err != nil {
		return err
	}
	again := d.Repeat.Limits[len(d.Repeat.Limits)-len(e.tolerances):]
	for i := range again {
		l := &d.Limits[judged+i]
		switch {
		case l.Verdict == verdict.Fail && again[i].Verdict == verdict.Fail:
			l.Reason += "; a second run, after a pause: " + again[i].Reason
		case l.Verdict == verdict.Fail:
			l.Verdict, l.Reason = verdict.Inconclusive, "not repeated by a second run, after a pause: "+l.Reason
		}
	}
	d.Verdict = report.Overall(d.Limits)
	return nil
}

package loadtestkit

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/loadtestkit/load-tester/internal/engine"
	"github.com/loadtestkit/load-tester/internal/report"
	"github.com/loadtestkit/load-tester/internal/verdict"
)

// A Capacity is the result of [MaxRate].
type Capacity struct {
	Low, High float64 // arrivals per second: the limits held at Low and not at High; 0 if not known
	StoppedBy string  // what keeps the rate from being higher: "target", "generator" or "host"; or why the search ended: "most", "budget" or "interrupt"
	Verdict   string  // "pass" if both ends were verified, else "inconclusive"
	Reason    string  // one line

	data *report.Capacity
}

// WriteText writes the search as [MaxRate] writes it to the test's log: the
// rate, and the curve that was walked to find it.
func (c Capacity) WriteText(w io.Writer) error { return c.data.WriteText(w, style()) }

// WriteJSON writes the search as `load-tester capacity --format json` does;
// `load-tester schema capacity` describes it.
func (c Capacity) WriteJSON(w io.Writer) error { return c.data.WriteJSON(w) }

// MaxRate searches for the highest arrival rate at which opts.Limits hold: short
// trials, each repeated until a majority agrees, at rates that double from
// opts.Rate (100/s if that is 0) and then close in, and both ends verified. It
// takes about a minute, at most opts.Budget (150s if that is 0).
//
// It never fails t for a rate that is low: to demand one, compare the result, or
// better give it as Limits.MinRate to [Run], which offers that rate and judges
// it once. If the search is inconclusive, it does what opts.OnInconclusive says.
func MaxRate(t testing.TB, opts Options) Capacity {
	t.Helper()
	o, err := opts.engine(opts.Target)
	c, searchErr := engine.NewCapacity(o)
	if err := errors.Join(opts.onlyRun(), err, searchErr); err != nil {
		t.Fatalf("loadtestkit: %v", optionsError(err))
	}
	s, done := begin(t)
	defer done()
	d, err := c.Run(s.ctx, s.cut, nil)
	if err != nil {
		t.Fatalf("loadtestkit: %v", err)
	}
	result := Capacity{StoppedBy: d.StoppedBy, Verdict: word(d.Verdict), Reason: d.Reason, data: d}
	if d.Low != nil {
		result.Low = *d.Low
	}
	if d.High != nil {
		result.High = *d.High
	}
	var j judgement
	if d.Verdict == verdict.Inconclusive {
		j.add(d.Verdict, "the capacity: "+d.Reason)
	}
	conclude(t, s, result, d.Interrupted, fmt.Sprintf("%d trials", len(d.Trials)), opts.OnInconclusive, j)
	return result
}

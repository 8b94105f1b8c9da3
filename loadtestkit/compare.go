package loadtestkit

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/loadtestkit/load-tester/internal/engine"
	"github.com/loadtestkit/load-tester/internal/report"
	"github.com/loadtestkit/load-tester/internal/verdict"
)

// A Tolerance is by how much a target may be slower than another before that is
// a fail, at each quantile of the response times: 0.05 is 5 %. 0 means that the
// quantile is not judged; the zero Tolerance judges P50 at 0.05 and P99 at 0.10.
type Tolerance struct {
	P50, P90, P95, P99, P999 float64
}

// list returns the tolerances as the engine judges them.
func (t Tolerance) list() (list []verdict.Tolerance, err error) {
	var errs []error
	for _, q := range []struct {
		name  string
		q     float64
		share float64
	}{{"P50", 0.5, t.P50}, {"P90", 0.9, t.P90}, {"P95", 0.95, t.P95}, {"P99", 0.99, t.P99}, {"P999", 0.999, t.P999}} {
		if !(q.share >= 0 && q.share < 1e6) {
			errs = append(errs, fmt.Errorf("tolerance: %s: %v is out of range, want a share such as 0.05, which is 5 %%", q.name, q.share))
		} else if q.share > 0 {
			list = append(list, verdict.SlowerBy(q.q, q.share))
		}
	}
	return list, errors.Join(errs...)
}

// A Ratio is how many times slower head was than base at one quantile.
type Ratio struct {
	Quantile            string  // such as "p50"
	Tolerance           float64 // the largest ratio that passes, such as 1.05
	Estimate, Low, High float64 // and its 99 % confidence interval; 0 where unknown or without bound
	Verdict             string  // "pass", "fail" or "inconclusive"; "" if not judged
	Reason              string  // one line
}

// A Comparison is the result of [Compare].
type Comparison struct {
	Verdict string // "pass", "fail" or "inconclusive"; "" if nothing was judged
	Ratios  []Ratio
	Pairs   int // of blocks that were compared

	// What one request allocates in this process, net/http's part included;
	// 0 for a target elsewhere. It is counted after the pairs, while the process
	// has one processor, as with [testing.AllocsPerRun].
	BaseAllocs, HeadAllocs float64

	data *report.Comparison
}

// WriteText writes the comparison as [Compare] writes it to the test's log.
func (c Comparison) WriteText(w io.Writer) error { return c.data.WriteText(w, style()) }

// WriteJSON writes the comparison as `load-tester compare --format json` does;
// `load-tester schema compare` describes it.
func (c Comparison) WriteJSON(w io.Writer) error { return c.data.WriteJSON(w) }

// Compare measures head against base in one run, in pairs of short blocks, one
// of each in random order, so that whatever else the machine does meanwhile
// happens to both. It fails t if head is slower than base by more than
// opts.Tolerance, and again in a second run after a pause; two targets that are
// alike fail in far fewer than one in a hundred comparisons, however noisy the
// machine.
//
// It ends when the verdict is clear, at the latest after opts.Budget (20s if
// that is 0) and 12 pairs. An inconclusive verdict does what opts.OnInconclusive
// says. opts has no Target, no end (Requests, Duration, Stages), and of Limits
// only ErrorRatio, which is head's.
func Compare(t testing.TB, opts Options, base, head Target) Comparison {
	t.Helper()
	c, err := opts.comparison(base, head)
	if err != nil {
		t.Fatalf("loadtestkit: %v", err)
	}
	s, done := begin(t)
	defer done()
	d, err := c.Run(s.ctx, s.cut, nil)
	if err != nil {
		t.Fatalf("loadtestkit: %v", err)
	}
	result := newComparison(d)
	var j judgement
	for _, r := range d.Ratios {
		j.add(r.Verdict, r.Reason)
	}
	j.addLimits(d.Limits)
	conclude(t, s, result, d.Interrupted, fmt.Sprintf("%d pairs of blocks", d.Pairs), opts.OnInconclusive, j)
	return result
}

// comparison checks o.
func (o Options) comparison(base, head Target) (*engine.Comparison, error) {
	var errs []error
	if o.Target.given() {
		errs = append(errs, errors.New("Target: is set, but Compare is given two; leave it out"))
	}
	errs = append(errs, o.onlyRun())
	tolerances, err := o.Tolerance.list()
	errs = append(errs, err)
	b, err := o.engine(base)
	errs = append(errs, err)
	h, _ := o.engine(head)
	b.Tolerances, h.Tolerances = tolerances, tolerances
	c, err := engine.NewComparison(b, h)
	if err := errors.Join(append(errs, err)...); err != nil {
		return nil, optionsError(err)
	}
	return c, nil
}

// onlyRun refuses what is for Run alone and would be ignored.
func (o Options) onlyRun() error {
	var errs []error
	if o.Limits.Relative.given() {
		errs = append(errs, errors.New("limits: Relative: is set, but is for Run alone; leave it out"))
	}
	if o.Baseline != "" {
		errs = append(errs, fmt.Errorf("baseline: %q, but is for Run alone; leave it out", o.Baseline))
	}
	return errors.Join(errs...)
}

func optionsError(err error) error {
	return fmt.Errorf("options: %s", strings.ReplaceAll(err.Error(), "\n", "; "))
}

func newComparison(d *report.Comparison) Comparison {
	c := Comparison{Verdict: word(d.Verdict), Pairs: d.Pairs, data: d}
	value := func(f *float64) float64 {
		if f == nil {
			return 0
		}
		return *f
	}
	for _, r := range d.Ratios {
		c.Ratios = append(c.Ratios, Ratio{
			Quantile: r.Quantile, Tolerance: r.Tolerance,
			Estimate: value(r.Ratio), Low: value(r.Low), High: value(r.High),
			Verdict: word(r.Verdict), Reason: r.Reason,
		})
	}
	c.BaseAllocs, c.HeadAllocs = value(d.Base.AllocsPerRequest), value(d.Head.AllocsPerRequest)
	return c
}

// word is a verdict as results have it.
func word(v verdict.Verdict) string {
	if v == verdict.NotJudged {
		return ""
	}
	return v.String()
}

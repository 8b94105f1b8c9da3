package baseline

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/loadtestkit/load-tester/internal/record"
	"github.com/loadtestkit/load-tester/internal/report"
	"github.com/loadtestkit/load-tester/internal/unit"
	"github.com/loadtestkit/load-tester/internal/verdict"
)

// A Baseline holds the earlier runs in a file. A new run is judged by them, or added
// to them.
type Baseline struct {
	Path       string
	Name       string              // of the runs that are compared; "" means the document's name
	Update     bool                // runs are added to the file instead of judged
	Tolerances []verdict.Tolerance // the ratios up to which a run is not too slow

	records []Entry
	here    Fingerprint
}

// Load reads the file. If it does not exist, there are no earlier runs; if its
// directory does not, nothing could be recorded either, and that is an error.
func (b *Baseline) Load() (err error) {
	b.here = Here()
	dir := filepath.Dir(b.Path)
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return noDirectory(dir)
	}
	b.records, err = Read(b.Path)
	return err
}

// record returns the record of a run. reference is what [Reference] returned right
// before the run.
func (b *Baseline) record(d *report.Document, reference time.Duration) (Entry, error) {
	r := Entry{
		Schema:      Schema,
		Name:        b.Name,
		At:          d.StartedAt,
		Quantiles:   map[string]float64{},
		N:           d.Requests.Due,
		Throughput:  d.Rate.Throughput,
		Fingerprint: b.here,
		Calibrator:  Calibrator{Reference: float64(reference)},
		Noise:       map[string]float64{},
		Expects:     d.Config.Expects(),
	}
	if r.Name == "" {
		r.Name = d.Name()
	}
	r.Revision, r.Dirty = Revision()
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
	for _, s := range verdict.Sensors {
		if share := s.Read(&d.Generator.Readings); share != nil {
			r.Noise[s.Name] = *share
		}
	}
	var err error
	r.Histogram, err = d.Record.Response.HDR()
	return r, err
}

// Judge judges a run by the earlier ones and adds the verdicts to its document. If
// waive is not empty, it is the reason why the run is not judged.
func (b *Baseline) Judge(d *report.Document, reference time.Duration, waive string) error {
	now, err := b.record(d, reference)
	if err != nil {
		return err
	}
	for _, t := range b.Tolerances {
		runs, others, different := Earlier(b.records, now.Name, now.Expects, b.here, t.Name())
		l := report.LimitResult{Limit: fmt.Sprintf("%s<=%vx baseline", t.Name(), t.Ratio), N: d.Requests.Due}
		if run, ok := now.Run(t.Name()); !ok {
			why := cmp.Or(wrongResponses(d), "too few requests for it")
			l.Verdict, l.Reason = verdict.Inconclusive, t.Name()+" against the baseline: "+why
			l.Summary, l.Basis = t.Name()+" not compared with the baseline", why
		} else {
			s := verdict.DefaultStandard.Among(len(b.Tolerances))
			res := verdict.JudgeBaseline(runs, run, t.Ratio, s.Fail, s.Pass)
			l.Verdict, l.Reason = res.Verdict, t.Name()+" against the baseline: "+res.Reason
			l.Summary, l.Basis = t.Name()+" "+res.Summary, res.Basis
			if res.Ratio > 0 {
				l.Observed, l.Low, l.High = &res.Ratio, &res.Low, &res.High
			}
			if others > 0 && res.Runs < verdict.LeastBaseline {
				more := fmt.Sprintf(" (%d more are of another kind: %s)", others, strings.Join(different, ", "))
				l.Reason, l.Basis = l.Reason+more, l.Basis+more
			}
		}
		if why := wrongResponses(d); why != "" && l.Verdict == verdict.Pass {
			l.Verdict, l.Reason, l.Basis = verdict.Inconclusive, l.Reason+": "+why, why+"; "+l.Basis
		}
		if waive != "" {
			l.Verdict, l.Reason = verdict.NotJudged, "not judged: "+waive+"; "+l.Reason
			l.Basis = "not judged: " + waive
		}
		d.Limits = append(d.Limits, l)
	}
	d.Verdict = report.Overall(d.Judged())
	return nil
}

// wrongResponses says that requests failed by their status or by a check, which is
// often quick: such a run is no example, and not one to praise. It returns "" if none
// did.
func wrongResponses(d *report.Document) string {
	failed := func(n int64, how string) string {
		return fmt.Sprintf("%s of %s failed %s", unit.Count(n), unit.Plural(d.Requests.Due, "request"), how)
	}
	if len(d.FailedStatuses) > 0 {
		s := d.FailedStatuses[0]
		return failed(s.Count, "with status "+unit.Status(s.Status))
	}
	for _, e := range d.Errors {
		if e.Kind == record.Check.String() {
			return failed(e.Count, "a check")
		}
	}
	return ""
}

// Add adds a run to the file and notes that in its document. A run that missed a limit
// or in which requests failed by their status or by a check is not added, because it
// is no example, nor is one without response times, or one that is not judged for the
// reason waive.
func (b *Baseline) Add(d *report.Document, reference time.Duration, waive string) error {
	r, err := b.record(d, reference)
	if err != nil {
		return err
	}
	switch {
	case d.Verdict == verdict.Fail:
		waive = "a limit was missed"
	case waive != "":
	case d.Requests.Succeeded == 0:
		waive = "no request succeeded"
	case wrongResponses(d) != "":
		waive = wrongResponses(d)
	case len(r.Quantiles) == 0:
		waive = "it has too few requests for a percentile"
	}
	if waive != "" {
		d.Recorded = fmt.Sprintf("not recorded in %s, as %s", unit.Printable(b.Path), waive)
		return nil
	}
	if err := Append(b.Path, r); err != nil {
		return err
	}
	d.Recorded = "recorded in " + unit.Printable(b.Path)
	return nil
}

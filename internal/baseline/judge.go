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
	Path   string
	Name   string // of the runs that are compared; "" means the document's name
	Update bool   // runs are added to the file instead of judged

	// Tolerances are the ratios up to which a run is not too slow. That of p50 is for
	// a request alone and, without CPU, for work, which change less from run to run
	// than p50 does. Without any and without CPU it is 5 %.
	Tolerances []verdict.Tolerance
	CPU        float64 // the ratio of processor time per request; 0 means that of p50
	Allocs     float64 // how many more objects a request may allocate; 0 means that this is not judged
	Bytes      float64 // how many more octets; 0 means that this is not judged

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

// Beside is what was measured beside a run.
type Beside struct {
	Reference time.Duration // what [Reference] returned right before it
	Claims
}

// record returns the record of a run.
func (b *Baseline) record(d *report.Document, beside Beside) (Entry, error) {
	r := Entry{
		Schema:      Schema,
		Name:        b.Name,
		At:          d.StartedAt,
		Quantiles:   map[string]float64{},
		N:           d.Requests.Due,
		Throughput:  d.Rate.Throughput,
		Fingerprint: b.here,
		Calibrator:  Calibrator{Reference: float64(beside.Reference)},
		Claims:      beside.Claims,
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

// A question is one respect in which a run is compared with earlier ones.
type question struct {
	of      string  // a claim, or a quantile under load
	most    float64 // times the baseline; or how many more, if it is a count
	count   bool
	guard   bool   // a run may fail by it, and need not pass
	lacking string // why a run may not have measured it; "" if that does not matter
}

// questions returns what a run is asked.
func (b *Baseline) questions() (all []question) {
	tolerances, given := b.Tolerances, true
	if len(tolerances) == 0 && b.CPU == 0 {
		tolerances, given = verdict.DefaultTolerances, false // under load they are guards
	}
	if b.CPU > 0 {
		all = append(all, question{of: verdict.Work, most: b.CPU, lacking: "the processor time of what answers is not known"})
	}
	for _, t := range tolerances {
		median := t.Q == 0.5
		if median && b.CPU == 0 {
			all = append(all, question{of: verdict.Work, most: t.Ratio})
		}
		if median {
			all = append(all, question{of: verdict.Quick, most: t.Ratio, lacking: "too few requests succeeded when sent alone"})
		}
		q := question{of: t.Name(), most: t.Ratio, guard: median || !given}
		if !q.guard {
			q.lacking = "too few requests for it"
		}
		all = append(all, q)
	}
	const uncounted = "what a request allocates could not be counted"
	if b.Allocs > 0 {
		all = append(all, question{of: verdict.Allocs, most: b.Allocs, count: true, lacking: uncounted})
	}
	if b.Bytes > 0 {
		all = append(all, question{of: verdict.Bytes, most: b.Bytes, count: true, lacking: uncounted})
	}
	return all
}

// Counts reports whether what a request allocates is to be counted: to record it, or
// because it is judged.
func (b *Baseline) Counts() bool { return b.Update || b.Allocs > 0 || b.Bytes > 0 }

// limit is the question as a limit.
func (q *question) limit() string {
	if q.count {
		return fmt.Sprintf("%s<=%v more than the baseline", q.of, q.most)
	}
	return fmt.Sprintf("%s<=%vx baseline", q.of, q.most)
}

// meanings say what claims are about.
var meanings = map[string]string{
	verdict.Work:   "processor time per request, client and net/http included",
	verdict.Quick:  "an undisturbed request, alone",
	verdict.Allocs: "objects per request",
	verdict.Bytes:  "octets per request",
}

// Judge judges a run by the earlier ones and adds the verdicts to its document. If
// waive is not empty, it is the reason why the run is not judged.
func (b *Baseline) Judge(d *report.Document, beside Beside, waive string) error {
	now, err := b.record(d, beside)
	if err != nil {
		return err
	}
	all := b.questions()
	s := verdict.DefaultStandard.Among(len(all))
	for _, q := range all {
		if l, ok := b.answer(q, &now, d, s); ok {
			if waive != "" {
				l.Verdict, l.Exact, l.Reason = verdict.NotJudged, false, "not judged: "+waive+"; "+l.Reason
				l.Basis = "not judged: " + waive
			}
			d.Limits = append(d.Limits, l)
		}
	}
	d.Verdict = report.Overall(d.Judged())
	return nil
}

// answer judges a run in one respect. It returns false if there is nothing to say.
func (b *Baseline) answer(q question, now *Entry, d *report.Document, s verdict.Standard) (l report.LimitResult, ok bool) {
	l = report.LimitResult{Limit: q.limit(), N: d.Requests.Due}
	run, known := now.Run(q.of)
	if !known {
		why := cmp.Or(wrongResponses(d), q.lacking)
		l.Verdict, l.Reason = verdict.Inconclusive, q.of+" against the baseline: "+why
		l.Summary, l.Basis = q.of+" not compared with the baseline", why
		return l, q.lacking != ""
	}
	runs, others, different := Earlier(b.records, now.Name, now.Expects, b.here, q.of)
	res := q.judge(runs, run, s)
	switch {
	case q.guard && res.Verdict != verdict.Fail:
		res.Verdict = verdict.NotJudged
		ok = res.Ratio > 0 // else the claims say how many runs there are
	case q.lacking == "" && len(runs) < verdict.LeastBaseline:
		// It is not known of every server, nor in every run of a server.
		res.Verdict, ok = verdict.NotJudged, true
	}
	l.Verdict, l.Exact = res.Verdict, q.count
	l.Summary, l.Basis, l.Reason = q.of+" "+res.Summary, res.Basis, q.of+" against the baseline: "+res.Reason
	if meaning := meanings[q.of]; meaning != "" {
		l.Basis = meaning + "; " + l.Basis
	}
	if q.count {
		l.Observed = &run.Value
	}
	if res.Ratio > 0 {
		l.Observed, l.Low, l.High = &res.Ratio, &res.Low, &res.High
	}
	if others > 0 && res.Runs < verdict.LeastBaseline {
		more := fmt.Sprintf(" (%d more are of another kind: %s)", others, strings.Join(different, ", "))
		l.Reason, l.Basis = l.Reason+more, l.Basis+more
	}
	if why := wrongResponses(d); why != "" && l.Verdict == verdict.Pass {
		l.Verdict, l.Reason, l.Basis = verdict.Inconclusive, l.Reason+": "+why, why+"; "+l.Basis
	}
	return l, ok || l.Verdict != verdict.NotJudged
}

// judge judges a run in one respect by earlier ones.
func (q *question) judge(earlier []verdict.BaselineRun, now verdict.BaselineRun, s verdict.Standard) verdict.BaselineResult {
	if !q.count {
		return verdict.JudgeBaseline(earlier, now, q.most, s.Fail, s.Pass)
	}
	var counts []float64
	for _, e := range earlier {
		counts = append(counts, e.Value)
	}
	return verdict.JudgeCount(counts, now.Value, q.most)
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
func (b *Baseline) Add(d *report.Document, beside Beside, waive string) error {
	r, err := b.record(d, beside)
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

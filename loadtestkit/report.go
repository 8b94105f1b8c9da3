package loadtestkit

import (
	"io"
	"testing"
	"time"

	"github.com/loadtestkit/load-tester/internal/report"
)

// A Report is the result of one run. Warm-up is in none of its numbers.
//
// Due = Sent + Unsent, and Sent = Succeeded + Failed + Unfinished, exactly.
type Report struct {
	Due, Sent, Succeeded, Failed int64
	Unsent                       int64 // due and never sent
	Unfinished                   int64 // sent and not done when the run was cut off
	Completed                    int64 // complete responses, whatever their status

	Elapsed     time.Duration    // from the end of the warm-up to the last done
	Throughput  float64          // completed responses per second
	Goodput     float64          // succeeded responses per second
	StatusCodes map[string]int64 // responses by status, such as "200"; never nil
	Errors      map[string]int64 // requests without a complete response by error kind, such as "timeout"; never nil
	Warnings    []string         // what makes the numbers doubtful, and what to do about it; nil if nothing does
	Interrupted bool             // stopped before its end: by Ctrl+C, a cancelled context or the test's deadline

	Verdict string   // of all limits: "pass", "fail" or "inconclusive"; "" if none was judged
	Limits  []Judged // the verdict on each limit; nil without one

	data *report.Report
}

// Judged is the verdict on one limit.
type Judged struct {
	Limit   string // such as "p99<=50ms"
	Verdict string // "pass", "fail" or "inconclusive"; "" if not judged
	Reason  string // one line: what was measured and how surely, what was wanted
}

func newReport(d *report.Report) Report {
	r := Report{
		Due:         d.Requests.Due,
		Sent:        d.Requests.Sent,
		Succeeded:   d.Requests.Succeeded,
		Failed:      d.Requests.Failed,
		Unsent:      d.Requests.Unsent,
		Unfinished:  d.Requests.Unfinished,
		Completed:   d.Requests.Completed,
		Elapsed:     d.Elapsed,
		Throughput:  d.Rate.Throughput,
		Goodput:     d.Rate.Goodput,
		StatusCodes: d.StatusCodes,
		Errors:      map[string]int64{},
		Interrupted: d.Interrupted,
		Verdict:     word(d.Verdict),
		data:        d,
	}
	for _, e := range d.Errors {
		r.Errors[e.Kind] = e.Count
	}
	for _, l := range d.Limits {
		r.Limits = append(r.Limits, Judged{l.Limit, word(l.Verdict), l.Reason})
	}
	for _, w := range d.Generator.Warnings {
		r.Warnings = append(r.Warnings, w.Text)
	}
	return r
}

// ResponseTime returns the quantile q, in (0, 1], of the response times of the
// succeeded requests: by nearest rank, within 0.1 %, and exact for q = 1. ok is
// false when nothing succeeded.
func (r Report) ResponseTime(q float64) (d time.Duration, ok bool) {
	v, ok := r.data.ResponseHist.Quantile(q)
	return time.Duration(v), ok
}

// ServiceTime is [Report.ResponseTime] counted from when each request was sent
// instead of due: what the target took, without what it made later requests
// wait.
func (r Report) ServiceTime(q float64) (d time.Duration, ok bool) {
	v, ok := r.data.ServiceHist.Quantile(q)
	return time.Duration(v), ok
}

// WriteText writes the report as [Run] writes it to the test's log: more of it
// with go test -v.
func (r Report) WriteText(w io.Writer) error { return report.WriteText(w, r.data, style()) }

// style is verbose with go test -v.
func style() report.Style { return report.Style{Verbose: testing.Testing() && testing.Verbose()} }

// WriteJSON writes the report as `load-tester --format json` does; `load-tester
// schema` describes it.
func (r Report) WriteJSON(w io.Writer) error { return report.WriteJSON(w, r.data) }

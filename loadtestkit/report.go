package loadtestkit

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"testing"
	"time"

	"github.com/loadtestkit/load-tester/internal/report"
	"github.com/loadtestkit/load-tester/internal/text"
)

// A Report is the result of one run. Warm-up is in none of its numbers. The zero
// Report describes nothing; its methods may be called.
//
// Due = Sent + Unsent, and Sent = Succeeded + Failed + Unfinished, exactly.
//
// A request failed if its response had a status other than 200 to 299, or than
// Request.ExpectStatus, counted in StatusCodes, or if it got no complete response or
// one that failed a check, counted in Errors by one of these kinds: resolve, connect_refused, connect_timeout, connect, no_fds,
// no_ports, tls, write, closed (a kept-alive connection ended before the
// response), reset, truncated, malformed, too_large, timeout, check (a check of the
// response failed, or Go code under test returned an error or panicked), and
// redirect (one that was to be followed leads nowhere).
type Report struct {
	Due, Sent, Succeeded, Failed int64
	Unsent                       int64 // due and never sent
	Unfinished                   int64 // sent and not done when the run was cut off
	SentAgain                    int64 // sent once more, because the server had closed the connection without seeing them
	Completed                    int64 // complete responses, whatever their status

	Elapsed     time.Duration    // from the end of the warm-up until the last request ended and the time for arrivals was up
	Throughput  float64          // completed responses per second; in an open workload the gap after the last arrival counts too
	Goodput     float64          // succeeded responses per second
	StatusCodes map[int]int64    // responses by status
	Errors      map[string]int64 // requests without a complete response, or with one that failed a check, by kind
	Warnings    []string         // what makes the numbers doubtful, and what to do about it; nil if nothing does
	Interrupted bool             // stopped before its end: by Ctrl+C, a cancelled context or the test's deadline
	Stopped     string           // why it was given up, such as "every one of the first 812 requests failed: status 401"; "" if it was not

	Verdict Verdict       // of all that was judged
	Limits  []LimitResult // the verdict on each limit; nil without one

	data *report.Document // nil of the zero Report
}

// A LimitResult is the verdict on one limit.
//
// Observed, Low and High are in nanoseconds for a limit on time, so that
// time.Duration(Observed) is one, in [0, 1] for a ratio, in responses per second
// for a rate, and times as long for a comparison with a baseline.
type LimitResult struct {
	Limit     string // such as "p99<=50ms"
	Verdict   Verdict
	Observed  float64 // NaN if it is not known or has no bound
	Low, High float64 // the confidence interval around Observed: 0 and +Inf where it has no bound, both equal to Observed if that is a fact
	Reason    string  // one line: what was measured and how surely, what was wanted
}

// newReport is the report of a run, of a comparison's head or of a search.
func newReport(d *report.Document) Report {
	r := Report{
		Due:         d.Requests.Due,
		Sent:        d.Requests.Sent,
		Succeeded:   d.Requests.Succeeded,
		Failed:      d.Requests.Failed,
		Unsent:      d.Requests.Unsent,
		Unfinished:  d.Requests.Unfinished,
		SentAgain:   d.Requests.SentAgain,
		Completed:   d.Requests.Completed,
		Elapsed:     d.Elapsed,
		Throughput:  d.Rate.Throughput,
		Goodput:     d.Rate.Goodput,
		Interrupted: d.Interrupted,
		Stopped:     d.Stopped,
		StatusCodes: map[int]int64{},
		Errors:      map[string]int64{},
		Verdict:     Verdict(d.Verdict),
		data:        d,
	}
	for status, n := range d.StatusCodes {
		code, _ := strconv.Atoi(status)
		r.StatusCodes[code] = n
	}
	for _, e := range d.Errors {
		r.Errors[e.Kind] = e.Count
	}
	for _, l := range d.Limits {
		r.Limits = append(r.Limits, newLimitResult(l))
	}
	for _, w := range d.Generator.Warnings {
		if !w.Minor {
			r.Warnings = append(r.Warnings, w.Text)
		}
	}
	return r
}

func newLimitResult(l report.LimitResult) LimitResult {
	r := LimitResult{Limit: l.Limit, Verdict: Verdict(l.Verdict), Reason: l.Reason, Observed: known(l.Observed, math.NaN())}
	r.Low, r.High = known(l.Low, 0), known(l.High, math.Inf(1))
	if l.Exact && l.Observed != nil && l.Low == nil && l.High == nil {
		r.Low, r.High = r.Observed, r.Observed
	}
	return r
}

// known is *f, or otherwise if that is not known.
func known(f *float64, otherwise float64) float64 {
	if f == nil {
		return otherwise
	}
	return *f
}

// ResponseTime returns the quantile q, in (0, 1], of the response times of the
// succeeded requests: by nearest rank, within 0.1 %, and exact for q = 1. ok is
// false if nothing succeeded, and for any other q.
func (r Report) ResponseTime(q float64) (d time.Duration, ok bool) {
	if !r.canTell(q) {
		return 0, false
	}
	v, ok := r.data.Record.Response.Quantile(q)
	return time.Duration(v), ok
}

// ServiceTime is [Report.ResponseTime] counted from when each request was sent
// instead of due: how long the target took, without how long it made later
// requests wait.
func (r Report) ServiceTime(q float64) (d time.Duration, ok bool) {
	if !r.canTell(q) {
		return 0, false
	}
	v, ok := r.data.Record.Service.Quantile(q)
	return time.Duration(v), ok
}

// canTell reports whether times were recorded and q is a quantile.
func (r Report) canTell(q float64) bool {
	return r.data != nil && r.data.Record != nil && q > 0 && q <= 1
}

// WriteText writes the report as the functions of this package write it to the
// test's log: more of it with go test -v.
func (r Report) WriteText(w io.Writer) error {
	if r.data == nil {
		_, err := fmt.Fprintln(w, "Nothing was measured.")
		return err
	}
	return text.Write(w, r.data, style())
}

// style returns the style of a report: in a test it is brief without -v.
func style() text.Style {
	verbose := testing.Testing() && testing.Verbose()
	return text.Style{Verbose: verbose, Brief: testing.Testing() && !verbose}
}

// WriteJSON writes the report as `load-tester --format json` does; `load-tester
// schema` describes it. The zero Report is null.
func (r Report) WriteJSON(w io.Writer) error { return report.WriteJSON(w, r.data) }

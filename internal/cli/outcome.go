package cli

import (
	"errors"
	"strings"

	"github.com/loadtestkit/load-tester/internal/http1"
	"github.com/loadtestkit/load-tester/internal/record"
	"github.com/loadtestkit/load-tester/internal/report"
	"github.com/loadtestkit/load-tester/internal/unit"
	"github.com/loadtestkit/load-tester/internal/verdict"
)

// statusOf is the exit status after a measurement. A run may have nothing to
// judge; a comparison or a search without a verdict has not measured.
func statusOf(d *report.Document) int {
	switch {
	case d.Kind == report.Run && d.Requests.Succeeded == 0:
		return statusNotMeasured
	case d.Verdict == verdict.Fail:
		return statusMissed
	case d.Verdict == verdict.Pass, d.Kind == report.Run && d.Verdict == verdict.NotJudged:
		return statusDone
	}
	return statusNotMeasured
}

// complaints say why the exit status is not 0. seen: the reader has the text of
// the report, which says what was judged.
func complaints(d *report.Document, seen bool) (lines []string) {
	// An interrupted search has trials that were made to the end.
	switch {
	case d.Stopped != "" && seen:
	case d.Stopped != "":
		lines = []string{"given up: " + d.Stopped}
	case !d.Interrupted || d.Kind == report.Search && len(d.Found.Trials) > 0:
		lines = d.NothingSucceeded()
	}
	lines = append(lines, cures(d)...)
	if seen {
		return lines
	}
	if d.Kind == report.Comparison && d.Repeat != nil && d.Verdict == verdict.Inconclusive {
		// The reasons are of ratios that may have nothing to do with it.
		return append(lines, "cannot judge: the fail did not come again when it was repeated")
	}
	for _, l := range d.Judged() {
		switch {
		case l.Reason == d.Stopped: // a search that was given up
		case l.Verdict == verdict.Fail:
			lines = append(lines, l.Reason)
		case l.Verdict == verdict.Inconclusive:
			lines = append(lines, "cannot judge: "+l.Reason)
		}
	}
	return lines
}

// cures say which flags help against failures of the requests.
func cures(d *report.Document) (lines []string) {
	for _, e := range d.Errors {
		cause, words := http1.CauseIn(e.First)
		if about := adviceTLS(cause); about != "" {
			lines = append(lines, words+"; "+about)
		}
	}
	for _, s := range d.FailedStatuses {
		if http1.IsRedirect(s.Status) && s.Location != "" {
			return append(lines, "--location (-L) follows redirects, --expect-status 3xx counts them as successes")
		}
	}
	return lines
}

// advice is why nothing could be measured, and what to do about it, in one line.
func advice(err error) string {
	lines := strings.Split(err.Error(), "\n")
	for i := range lines {
		lines[i] = unit.Clause(lines[i])
	}
	line := strings.Join(lines, "; ")
	if about := adviceTLS(http1.CauseOf(err)); about != "" {
		return line + "; " + about
	}
	var e *record.Error
	if !errors.As(err, &e) {
		return line
	}
	switch e.Kind {
	case record.Resolve:
		return line + "; check the name in the URL"
	case record.ConnectRefused:
		return line + "; is the server running, and is this its port?"
	case record.ConnectTimeout, record.Timeout:
		return line + "; does a server answer there?"
	case record.Connect:
		return line + "; can this machine reach the server?"
	case record.NoFDs:
		return line + "; raise the limit with ulimit -n"
	}
	return line
}

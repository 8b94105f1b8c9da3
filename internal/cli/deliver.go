package cli

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/loadtestkit/load-tester/internal/hist"
	"github.com/loadtestkit/load-tester/internal/report"
	"github.com/loadtestkit/load-tester/internal/verdict"
)

// patience is how long a signal waits for a report that nobody takes, as one
// that goes into a pager. Chosen.
const patience = time.Second

// deliver writes the results where they belong, and to stderr where that fails,
// and returns the exit status. gaveUp is the signal that ended a write that
// would not end by itself, nil if there was none.
func (j *job) deliver(r *report.Report, signals <-chan os.Signal) (status int, gaveUp os.Signal) {
	status = statusOf(r)
	style := j.style(j.out.w, j.set)
	content, err := render(r, j.set.format, style)
	if err != nil {
		j.complain("writing the report: %v", err)
		return statusNotMeasured, nil
	}
	// One reader sees both streams: a terminal, or a log with 2>&1.
	together := j.out.file == nil && j.text() && same(j.out.w, j.stderr)
	if running := j.running(r); together {
		content = withRunning(content, running)
	} else {
		fmt.Fprint(j.stderr, running)
	}

	gaveUp, err = j.commit(j.out, content, signals)
	switch {
	case gaveUp != nil:
		return status, gaveUp
	case err != nil:
		j.complain("writing the report to %s: %v; here it is:", j.out.name, err)
		j.salvage(r)
		status = statusNotMeasured
	case j.out.file == nil && wasClosed(j.out.w) && !same(j.out.w, j.stderr):
		// Whoever gave /dev/null on purpose has the right status.
		j.complain("%s is closed; here is the report:", j.out.name)
		j.salvage(r)
	}
	if j.hdrLog != nil {
		gaveUp, err = j.commitHDRLog(r, signals)
		if err != nil {
			j.complain("writing the HDR log to %s: %v", j.hdrLog.name, err)
			status = statusNotMeasured
		}
	}
	j.verdicts(r, together)
	return status, gaveUp
}

// text reports whether the report is for people.
func (j *job) text() bool { return j.set.format == "" || j.set.format == "text" }

// render writes r in a format.
func render(r *report.Report, format string, style report.Style) ([]byte, error) {
	var b bytes.Buffer
	var err error
	switch format {
	case "json":
		err = report.WriteJSON(&b, r)
	case "hgrm":
		err = hist.WriteHgrm(&b, r.ResponseHist)
	default:
		err = report.WriteText(&b, r, style)
	}
	return b.Bytes(), err
}

// running is the line that stands for the progress where no line moves.
func (j *job) running(r *report.Report) string {
	if j.screen.width != nil || j.set.quiet || j.set.noProgress {
		return ""
	}
	c := &r.Config
	v := view{
		done: r.Requests.Succeeded + r.Requests.Failed, total: c.Requests,
		elapsed: r.Elapsed, duration: j.duration,
	}
	return v.final(r.Interrupted) + "\n"
}

// withRunning puts the line behind the head of the report's text.
func withRunning(text []byte, line string) []byte {
	head, rest, ok := bytes.Cut(text, []byte("\n\nResults:"))
	if !ok || line == "" {
		return text
	}
	return fmt.Appendf(nil, "%s\n\n%s\nResults:%s", head, line, rest)
}

// commit writes an output. A signal ends a write that takes too long.
func (j *job) commit(o *output, content []byte, signals <-chan os.Signal) (gaveUp os.Signal, err error) {
	done := make(chan error, 1)
	go func() { done <- o.commit(content) }()
	select {
	case err = <-done:
		return nil, err
	case gaveUp = <-signals:
	}
	select {
	case err = <-done:
		return nil, err
	case <-time.After(patience):
		return gaveUp, nil
	}
}

func (j *job) commitHDRLog(r *report.Report, signals <-chan os.Signal) (gaveUp os.Signal, err error) {
	var b bytes.Buffer
	if err := hist.WriteHDRLog(&b, r.StartedAt, "", r.Series); err != nil {
		return nil, err
	}
	return j.commit(j.hdrLog, b.Bytes(), signals)
}

// salvage writes the report to stderr.
func (j *job) salvage(r *report.Report) {
	if content, err := render(r, j.set.format, j.style(j.stderr, j.set)); err == nil {
		_, _ = j.stderr.Write(content) // the last place to try
	}
}

// verdicts says on stderr why the status is not 0, unless the reader has just
// seen it in the report.
func (j *job) verdicts(r *report.Report, seen bool) {
	if r.Requests.Succeeded == 0 && !r.Interrupted {
		j.complain("no request succeeded: there is nothing to judge")
	}
	for _, l := range r.Limits {
		if l.Verdict == verdict.Fail && !seen {
			j.complain("%s", l.Reason)
		}
		if l.Verdict == verdict.Inconclusive && !seen {
			j.complain("cannot judge: %s", l.Reason)
		}
	}
}

// oneLine joins the lines of a message.
func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }

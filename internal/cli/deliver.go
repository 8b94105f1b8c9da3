package cli

import (
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/loadtestkit/load-tester/internal/report"
)

// patience is how long a signal waits for a report that nobody takes, as one
// that goes into a pager. Chosen.
const patience = time.Second

// deliver writes the results where they belong, and to stderr where that fails,
// and returns the exit status. gaveUp is the signal that ended a write that
// would not end by itself, nil if there was none.
func (j *job) deliver(r result, signals <-chan os.Signal) (status int, gaveUp os.Signal) {
	status = r.status()
	style := j.style(j.out.w, j.set)
	// One reader sees both streams: a terminal, or a log with 2>&1.
	together := j.out.file == nil && j.text() && same(j.out.w, j.stderr)
	if j.saysRunning() {
		running := final(r.extent(), r.interrupted())
		if together {
			style.Note = running
		} else {
			fmt.Fprintln(j.stderr, running)
		}
	}

	gaveUp, err := j.write(j.out, r, j.set.format, style, signals)
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
		gaveUp, err = j.write(j.hdrLog, r, hdrLog, report.Style{}, signals)
		if err != nil {
			j.complain("writing the HDR log to %s: %v", j.hdrLog.name, err)
			status = statusNotMeasured
		}
	}
	for _, line := range r.complaints(together) {
		j.complain("%s", line)
	}
	return status, gaveUp
}

// text reports whether the report is for people.
func (j *job) text() bool { return j.set.format == "" || j.set.format == "text" }

// saysRunning reports whether a line stands for the progress, as where no line
// moves.
func (j *job) saysRunning() bool {
	return j.screen.width == nil && !j.set.quiet && !j.set.noProgress
}

// write writes r to an output.
func (j *job) write(o *output, r result, format string, style report.Style, signals <-chan os.Signal) (gaveUp os.Signal, err error) {
	content, err := r.render(format, style)
	if err != nil {
		return nil, err
	}
	return j.commit(o, content, signals)
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

// salvage writes the report to stderr.
func (j *job) salvage(r result) {
	if content, err := r.render(j.set.format, j.style(j.stderr, j.set)); err == nil {
		_, _ = j.stderr.Write(content) // the last place to try
	}
}

// oneLine joins the lines of a message.
func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }

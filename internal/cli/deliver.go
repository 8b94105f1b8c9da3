package cli

import (
	"bytes"
	"fmt"
	"os"
	"time"

	"github.com/loadtestkit/load-tester/internal/export"
	"github.com/loadtestkit/load-tester/internal/report"
	"github.com/loadtestkit/load-tester/internal/text"
	"github.com/loadtestkit/load-tester/internal/unit"
)

// patience is how long a signal waits for a report that nobody reads, such as
// one that goes into a pager.
const patience = time.Second

// deliver writes the results where they belong, and to stderr where that fails,
// and returns the exit status. gaveUp is the signal that ended a write that
// would not end by itself, nil if there was none.
func (j *job) deliver(d *report.Document, signals <-chan os.Signal) (status int, gaveUp os.Signal) {
	status = statusOf(d)
	style := j.style(j.out.w)
	style.Headless = j.headless
	// One reader sees both streams: a terminal, or a log with 2>&1.
	together := j.out.file == nil && j.isText() && same(j.out.w, j.stderr)
	if j.screen.width == nil && !j.quiet && !j.noProgress {
		if together {
			style.Note = summary(d)
		} else {
			fmt.Fprintln(j.stderr, j.legible(summary(d)))
		}
	}

	gaveUp, err := j.write(j.out, d, writerOf(j.format, style), signals)
	switch {
	case gaveUp != nil:
		return status, gaveUp
	case err != nil:
		j.complain("writing the report to %s: %s; here it is:", j.out.name, unit.Clause(err.Error()))
		j.salvage(d)
		status = statusNotMeasured
	case j.out.file == nil && wasClosed(j.out.w) && !same(j.out.w, j.stderr):
		// Someone who gave /dev/null on purpose gets the right status.
		j.complain("%s is closed; here is the report:", j.out.name)
		j.salvage(d)
	}
	if j.log != nil {
		gaveUp, err = j.write(j.log, d, export.HDRLog, signals)
		if err != nil {
			j.complain("writing the HDR log to %s: %v", j.log.name, err)
			status = statusNotMeasured
		}
	}
	for _, line := range complaints(d, together) {
		j.complain("%s", line)
	}
	if d.Recorded != "" && !j.quiet {
		j.complain("%s", d.Recorded)
	}
	return status, gaveUp
}

// isText reports whether the report is for people.
func (j *job) isText() bool { return j.format == "" || j.format == "text" }

// summary is the one line about progress where no line moves.
func summary(d *report.Document) string {
	outcome := "done"
	if d.Interrupted {
		outcome = "interrupted"
	}
	return fmt.Sprintf("Running...  [%s] %s", text.Progress(d), outcome)
}

// write writes d to an output.
func (j *job) write(o *output, d *report.Document, write writer, signals <-chan os.Signal) (gaveUp os.Signal, err error) {
	var b bytes.Buffer
	if err := write(&b, d); err != nil {
		return nil, err
	}
	return commit(o, b.Bytes(), signals)
}

// commit writes an output. A signal ends a write that takes too long.
func commit(o *output, content []byte, signals <-chan os.Signal) (gaveUp os.Signal, err error) {
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
func (j *job) salvage(d *report.Document) {
	var b bytes.Buffer
	if err := writerOf(j.format, j.style(j.stderr))(&b, d); err == nil {
		_, _ = j.stderr.Write(b.Bytes()) // the last place to try
	}
}

// openOutputs opens where the results go.
func (j *job) openOutputs() bool {
	var err error
	if j.out, err = j.openOutput(j.output); err != nil {
		j.complain("--output %q: %v", j.output, err)
		return false
	}
	if j.hdrLog == "" {
		return true
	}
	if j.log, err = j.openOutput(j.hdrLog); err != nil {
		j.complain("--hdr-log %q: %v", j.hdrLog, err)
		j.dropOutputs()
		return false
	}
	return true
}

// dropOutputs gives up the results that did not get where they should.
func (j *job) dropOutputs() {
	j.out.drop()
	if j.log != nil {
		j.log.drop()
	}
}

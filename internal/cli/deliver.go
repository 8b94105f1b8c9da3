package cli

import (
	"bytes"
	"fmt"

	"github.com/loadtestkit/load-tester/internal/export"
	"github.com/loadtestkit/load-tester/internal/report"
	"github.com/loadtestkit/load-tester/internal/text"
	"github.com/loadtestkit/load-tester/internal/unit"
)

// deliver writes the results where they belong, and to stderr where that fails,
// and returns the exit status. It waits for those who read the report.
func (j *job) deliver(d *report.Document) (status int) {
	status = statusOf(d)
	omitted := j.describeWriting(&d.Generator)
	style := j.style(j.out.w)
	style.Headless = j.head != nil
	// One reader sees both streams: a terminal, or a log with 2>&1.
	together := j.out.file == nil && j.isText() && same(j.out.w, j.stderr)
	if j.screen.width == nil && !j.quiet && !j.noProgress {
		if together {
			style.Note = summary(d)
		} else {
			j.screen.print(j.legible(summary(d)) + "\n")
		}
	}

	j.settle()
	err := j.write(j.out, d, writerOf(j.format, style))
	switch {
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
		if err := j.write(j.log, d, export.HDRLog); err != nil {
			j.complain("writing the HDR log to %s: %v", j.log.name, err)
			status = statusNotMeasured
		}
	}
	for _, line := range append(omitted, complaints(d, together)...) {
		j.complain("%s", line)
	}
	if d.Recorded != "" && !j.quiet {
		j.complain("%s", d.Recorded)
	}
	return status
}

// describeWriting adds to g what writing to stderr has cost, and returns what to say
// of the log.
func (j *job) describeWriting(g *report.Generator) (lines []string) {
	g.LogLinesDropped, g.Writing = j.screen.cost()
	if n := g.LogLinesDropped; n > 0 {
		lines = append(lines, were(n, "log line")+" dropped: standard error took them too slowly")
	}
	if n := j.failures.count(); n > 0 {
		g.LogLinesDropped += n
		lines = append(lines, were(n, "failed request")+" not logged: at most "+unit.Count(logRate)+" a second are")
	}
	return lines
}

// were is the beginning of a sentence about n things, at least one.
func were(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun + " was"
	}
	return unit.Count(n) + " " + noun + "s were"
}

// settle waits for what is to be written before the report where that goes.
func (j *job) settle() {
	if same(j.out.w, j.stderr) {
		j.screen.flush(patience)
	}
	if j.head != nil {
		j.head.flush(patience)
	}
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
func (j *job) write(o *output, d *report.Document, write writer) error {
	var b bytes.Buffer
	if err := write(&b, d); err != nil {
		return err
	}
	return o.commit(b.Bytes())
}

// salvage writes the report to stderr, unless that takes nothing.
func (j *job) salvage(d *report.Document) {
	var b bytes.Buffer
	if err := writerOf(j.format, j.style(j.stderr))(&b, d); err == nil && j.screen.flush(patience) {
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

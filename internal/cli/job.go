package cli

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/loadtestkit/load-tester/internal/engine"
	"github.com/loadtestkit/load-tester/internal/report"
	"github.com/loadtestkit/load-tester/internal/text"
	"github.com/loadtestkit/load-tester/internal/verdict"
)

// A job is a command that measures: what its flags say besides the engine's
// options, and where its result goes.
type job struct {
	*session
	*flags

	request      *engine.RequestOptions // whose body is read last; nil without the flags of a request
	urls, bodies []string

	format, output, hdrLog              string
	verbose, quiet, noProgress, noColor bool

	note     string // a line on stderr before the measurement; "" for none
	meter    *meter
	screen   *screen
	out, log *output // log is nil without --hdr-log
	headless bool    // the head of the report was shown before the measurement
}

func newJob(s *session, cmd *cobra.Command, statuses string) *job {
	return &job{session: s, flags: newFlags(cmd, statuses), meter: &meter{}}
}

// do makes a plan, carries it out, delivers the result and sets the exit
// status. o are the plan's settings. An error is about the flags: nothing was
// sent.
func (j *job) do(o *engine.Settings, newPlan func() (engine.Plan, error)) error {
	if j.quiet && j.verbose {
		j.faults.add("--quiet and --verbose are both given, want one of them")
	}
	j.readBody()
	if err := j.faults.err(); err != nil {
		return err
	}
	j.screen = &screen{w: j.stderr}
	if fd, ok := j.terminal(j.stderr); ok && !j.quiet && !j.noProgress {
		j.screen.width = func() int { return width(fd) }
		j.screen.red, j.screen.ascii = j.style(j.stderr).Red, !j.isUTF8()
	}
	if j.verbose {
		o.Log = slog.New(slog.NewTextHandler(j.screen, nil))
	}
	o.Alone, o.Words = true, verdict.Flags
	plan, err := newPlan()
	if err != nil {
		return j.planFaults(err)
	}
	j.status = j.carryOut(plan)
	return nil
}

// readBody reads the request's body. It does not wait for standard input when
// something else is wrong.
func (j *job) readBody() {
	switch {
	case len(j.bodies) > 1:
		j.faults.add("--body is given %d times, want it once", len(j.bodies))
	case len(j.bodies) == 1 && len(j.faults) == 0:
		var err error
		if j.request.Body, err = content(j.bodies[0], j.stdin); err != nil {
			j.faults.add("--body %q: %v", j.bodies[0], err)
		}
	}
}

// content returns what TEXT, @FILE or - stands for.
func content(s string, stdin io.Reader) ([]byte, error) {
	name, isFile := strings.CutPrefix(s, "@")
	switch {
	case s == "-":
		b, err := io.ReadAll(stdin)
		if err != nil {
			return nil, fmt.Errorf("reading standard input: %w", err)
		}
		return b, nil
	case isFile:
		b, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("%w, want text, @FILE or -", cause(err))
		}
		return b, nil
	}
	return []byte(s), nil
}

// carryOut measures, delivers what was measured and returns the exit status.
func (j *job) carryOut(plan engine.Plan) (status int) {
	if !j.openOutputs() {
		return statusNotMeasured
	}
	defer j.dropOutputs()
	signals, release := j.catch()
	defer release()
	if j.note != "" && !j.quiet {
		fmt.Fprintln(j.stderr, j.note)
	}
	j.showHead(plan)
	d, sig, err := j.watch(plan, signals)
	switch {
	case d == nil && sig != nil:
		j.complain("interrupted before the first request")
		return statusAfter(sig)
	case d == nil:
		j.complain("%s", advice(err))
		return statusNotMeasured
	}
	status, gaveUp := j.deliver(d, signals)
	if err != nil { // only a part went wrong, such as the update of a baseline
		j.complain("%s", advice(err))
		status = statusNotMeasured
	}
	switch {
	case gaveUp != nil:
		return statusAfter(gaveUp)
	case d.Interrupted && sig != nil:
		return statusAfter(sig)
	}
	return status
}

// showHead shows on a terminal what is measured, while it is.
func (j *job) showHead(plan engine.Plan) {
	if _, ok := j.terminal(j.out.w); !ok || j.quiet || !j.isText() {
		return
	}
	j.headless = text.WriteHead(j.out.w, plan.Preview(), j.style(j.out.w)) == nil
}

// watch carries out a plan, shows how far it has come and honours signals. sig
// is the first of them, nil if none came.
func (j *job) watch(plan engine.Plan, signals <-chan os.Signal) (d *report.Document, sig os.Signal, err error) {
	i := interruptible(signals, func() {
		if !j.quiet {
			fmt.Fprintln(j.screen, "load-tester: stopping: waiting for what is in flight; Ctrl+C again cuts it off")
		}
	})
	d, err = plan.Run(i.ctx, i.cut, func(p engine.Progress) {
		v := j.meter.view(p)
		v.stopping = i.ctx.Err() != nil
		j.screen.show(v)
	})
	j.screen.clear()
	return d, i.end(), err
}

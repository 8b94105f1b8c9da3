package cli

import (
	"cmp"
	"fmt"
	"log/slog"
	"os"

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

	request *engine.RequestOptions // finished last; nil without the flags of a request
	urls    []string
	bodies  []*bodyFlag
	user    string
	targets []string // URLs that get load
	tls     tlsFlags

	format, output, hdrLog              string
	verbose, quiet, noProgress, noColor bool

	notes    []string // lines on stderr before the measurement
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
	j.readTLS()
	j.finishRequest()
	if err := j.faults.err(); err != nil {
		return err
	}
	for _, target := range j.targets {
		j.remarkOn(target)
	}
	j.screen = &screen{w: j.stderr}
	if fd, ok := j.terminal(j.stderr); ok && !j.quiet && !j.noProgress {
		j.screen.width = func() int { return width(fd) }
		j.screen.red, j.screen.ascii = j.style(j.stderr).Red, !j.isUTF8()
	}
	if j.verbose {
		o.Log = slog.New(slog.NewTextHandler(j.screen, nil))
	}
	o.Alone, o.Words = true, cmp.Or(o.Words, verdict.Flags)
	plan, err := newPlan()
	if err != nil {
		return j.planFaults(err)
	}
	for _, w := range plan.Preview().Generator.Warnings {
		j.note("%s", w.Text)
	}
	j.status = j.carryOut(plan)
	return nil
}

// carryOut measures, delivers what was measured and returns the exit status.
func (j *job) carryOut(plan engine.Plan) (status int) {
	if !j.openOutputs() {
		return statusNotMeasured
	}
	defer j.dropOutputs()
	signals, release := j.catch()
	defer release()
	for _, note := range j.notes {
		if !j.quiet {
			j.say(note)
		}
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

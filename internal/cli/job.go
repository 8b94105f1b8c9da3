package cli

import (
	"cmp"
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
	failures *limitedLog // nil without --verbose
	out, log *output     // log is nil without --hdr-log
	head     *screen     // where the head of the report was shown before the measurement; nil if it was not
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
	if fd, ok := j.terminal(j.stderr); ok && !j.quiet && !j.noProgress {
		j.screen.width = func() int { return width(fd) }
		j.screen.red, j.screen.ascii = j.style(j.stderr).Red, !j.isUTF8()
	}
	if j.verbose {
		j.failures = &limitedLog{Handler: slog.NewTextHandler(j.screen, nil)}
		o.Log = j.failures
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
	i := j.interruptible(func() {
		if !j.quiet {
			j.complain("stopping: waiting for what is in flight; Ctrl+C again cuts it off")
		}
	})
	defer i.release()
	for _, note := range j.notes {
		if !j.quiet {
			j.say(note)
		}
	}
	j.showHead(plan)
	d, sig, err := j.watch(plan, i)
	switch {
	case d == nil && sig != nil:
		j.complain("interrupted before the first request")
		return statusAfter(sig)
	case d == nil:
		j.complain("%s", advice(err))
		return statusNotMeasured
	}
	status = j.deliver(d)
	if err != nil { // only a part went wrong, such as the update of a baseline
		j.complain("%s", advice(err))
		status = statusNotMeasured
	}
	if d.Interrupted && sig != nil {
		return statusAfter(sig)
	}
	return status
}

// showHead shows on a terminal what is measured, while it is.
func (j *job) showHead(plan engine.Plan) {
	if _, ok := j.terminal(j.out.w); !ok || j.quiet || !j.isText() {
		return
	}
	var b strings.Builder
	if text.WriteHead(&b, plan.Preview(), j.style(j.out.w)) == nil {
		j.head = &screen{w: j.out.w}
		j.head.print(b.String())
	}
}

// watch carries out a plan, shows how far it has come and honours signals. sig
// is the first of them, nil if none came.
func (j *job) watch(plan engine.Plan, i *interrupter) (d *report.Document, sig os.Signal, err error) {
	d, err = plan.Run(i.ctx, i.cut, func(p engine.Progress) {
		v := j.meter.view(p)
		v.stopping = i.ctx.Err() != nil
		j.screen.show(v)
	})
	sig = i.end()
	j.screen.clear()
	if i.cut.Err() == nil { // else all the time there is left is the report's
		j.screen.flush(patience)
	}
	return d, sig, err
}

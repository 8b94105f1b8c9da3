package cli

import (
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/loadtestkit/load-tester/internal/engine"
	"github.com/loadtestkit/load-tester/internal/report"
	"github.com/loadtestkit/load-tester/internal/verdict"
)

// A job is one run and where its results go.
type job struct {
	*session
	set         *settings
	out, hdrLog *output // hdrLog is nil if none is wanted
	screen      *screen
	duration    time.Duration // planned; 0 without a bound
}

// run makes a load and its report and returns the exit status. An error is
// about the flags: nothing was sent.
func (s *session) run(set *settings, o engine.Options) (status int, err error) {
	j := &job{session: s, set: set, screen: &screen{w: s.stderr}}
	if fd, ok := s.terminal(s.stderr); ok && !set.quiet && !set.noProgress {
		j.screen.width = func() int { return width(fd) }
		j.screen.red = s.style(s.stderr, set).Red
	}
	if set.verbose {
		o.Log = slog.New(slog.NewTextHandler(j.screen, nil))
	}
	plan, err := engine.NewPlan(o)
	if err != nil {
		return statusUsage, planFaults(err)
	}
	if !j.open() {
		return statusNotMeasured, nil
	}
	defer j.drop()

	signals, release := s.catch()
	defer release()
	m := newMeter(o)
	j.duration = m.duration
	r, sig, err := j.measure(plan, m, signals)
	switch {
	case err != nil && sig != nil:
		s.complain("interrupted before the first request")
		return statusAfter(sig), nil
	case err != nil:
		s.complain("%s", advice(err))
		return statusNotMeasured, nil
	}
	status, gaveUp := j.deliver(r, signals)
	switch {
	case gaveUp != nil:
		return statusAfter(gaveUp), nil
	case r.Interrupted && sig != nil:
		return statusAfter(sig), nil
	}
	return status, nil
}

// open opens where the results go.
func (j *job) open() bool {
	var err error
	if j.out, err = j.openOutput(j.set.output); err != nil {
		j.complain("--output %q: %v", j.set.output, err)
		return false
	}
	if j.set.hdrLog != "" {
		if j.hdrLog, err = j.openOutput(j.set.hdrLog); err != nil {
			j.complain("--hdr-log %q: %v", j.set.hdrLog, err)
			j.drop()
			return false
		}
	}
	return true
}

// drop gives up the results that did not get where they should.
func (j *job) drop() {
	j.out.drop()
	if j.hdrLog != nil {
		j.hdrLog.drop()
	}
}

// measure runs the plan, shows how far it is and heeds signals. sig is the
// first of them, nil if none came.
func (j *job) measure(plan *engine.Plan, m *meter, signals <-chan os.Signal) (r *report.Report, sig os.Signal, err error) {
	i := interruptible(signals, func() {
		if !j.set.quiet {
			fmt.Fprintln(j.screen, "load-tester: stopping: waiting for what is in flight; Ctrl+C again cuts it off")
		}
	})
	r, err = plan.Run(i.ctx, i.cut, func(p engine.Progress) {
		v := m.view(p.Progress)
		v.stopping = i.ctx.Err() != nil
		j.screen.show(v)
	})
	j.screen.clear()
	return r, i.end(), err
}

// statusOf is what a report means for the exit status.
func statusOf(r *report.Report) int {
	switch {
	case r.Requests.Succeeded == 0:
		return statusNotMeasured
	case r.Verdict == verdict.Fail:
		return statusMissed
	case r.Verdict == verdict.Inconclusive:
		return statusNotMeasured
	}
	return statusDone
}

package cli

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/loadtestkit/load-tester/internal/engine"
	"github.com/loadtestkit/load-tester/internal/report"
)

// A result is what a command has measured.
type result interface {
	render(format string, style report.Style) ([]byte, error)
	extent() string // how far it came, in a few words
	interrupted() bool
	status() int
	complaints(seen bool) []string // why the status is not 0; seen: the reader has the text before him
}

// textOrJSON writes r in one of the two formats of the commands that compare and
// search.
func textOrJSON(r interface {
	WriteJSON(io.Writer) error
	WriteText(io.Writer, report.Style) error
}, format string, style report.Style) ([]byte, error) {
	var b bytes.Buffer
	if format == "json" {
		err := r.WriteJSON(&b)
		return b.Bytes(), err
	}
	err := r.WriteText(&b, style)
	return b.Bytes(), err
}

// A measure measures, shows how far it is to watch, and heeds contexts as
// [engine.Plan.Run] does.
type measure func(ctx, cut context.Context, watch engine.Watch) (result, error)

// A job is one measurement and where its results go.
type job struct {
	*session
	set         *settings
	out, hdrLog *output // hdrLog is nil if none is wanted
	screen      *screen
}

// do prepares a measurement, makes it and delivers what it measured, and returns
// the exit status. An error is about the flags: nothing was sent.
func (s *session) do(set *settings, m *meter, prepare func(*slog.Logger) (measure, error)) (status int, err error) {
	j := &job{session: s, set: set, screen: &screen{w: s.stderr}}
	if fd, ok := s.terminal(s.stderr); ok && !set.quiet && !set.noProgress {
		j.screen.width = func() int { return width(fd) }
		j.screen.red = s.style(s.stderr, set).Red
	}
	var log *slog.Logger
	if set.verbose {
		log = slog.New(slog.NewTextHandler(j.screen, nil))
	}
	measure, err := prepare(log)
	if err != nil {
		return statusUsage, err
	}
	if !j.open() {
		return statusNotMeasured, nil
	}
	defer j.drop()

	signals, release := s.catch()
	defer release()
	r, sig, err := j.watch(measure, m, signals)
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
	case r.interrupted() && sig != nil:
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

// watch measures, shows how far that is and heeds signals. sig is the first of
// them, nil if none came.
func (j *job) watch(measure measure, m *meter, signals <-chan os.Signal) (r result, sig os.Signal, err error) {
	i := interruptible(signals, func() {
		if !j.set.quiet {
			fmt.Fprintln(j.screen, "load-tester: stopping: waiting for what is in flight; Ctrl+C again cuts it off")
		}
	})
	r, err = measure(i.ctx, i.cut, func(p engine.Progress) {
		v := m.view(p)
		v.stopping = i.ctx.Err() != nil
		j.screen.show(v)
	})
	j.screen.clear()
	return r, i.end(), err
}

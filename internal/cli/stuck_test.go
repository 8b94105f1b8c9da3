package cli

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/loadtestkit/load-tester/internal/engine"
	"github.com/loadtestkit/load-tester/internal/report"
	"github.com/loadtestkit/load-tester/internal/verdict"
)

// attend carries out a plan in a session, and returns its exit status.
func attend(s *session, plan func(ctx context.Context, log slog.Handler) *report.Document, args ...string) int {
	return s.attend(func() int {
		cmd := &cobra.Command{}
		j := newJob(s, cmd, "")
		j.addOutput(report.Comparison)
		var o engine.Settings
		if err := cmd.ParseFlags(args); err != nil {
			panic(err)
		}
		if err := j.do(&o, func() (engine.Plan, error) {
			return fakePlan(func(ctx context.Context, _ engine.Watch) (*report.Document, error) { return plan(ctx, o.Log), nil }), nil
		}); err != nil {
			panic(err)
		}
		return j.status
	})
}

// A standard error that takes nothing holds up neither the load nor the report, and
// the report tells.
func TestStderrThatTakesNothing(t *testing.T) {
	const lines = logRate + 10
	synctest.Test(t, func(t *testing.T) {
		r := newTrial()
		s := r.open()
		g := &gate{opened: make(chan struct{})}
		s.stderr, s.screen.w = g, g
		began := time.Now()
		status := attend(s, func(ctx context.Context, log slog.Handler) *report.Document {
			for range lines {
				if log.Enabled(ctx, slog.LevelWarn) {
					assert.NoError(t, log.Handle(ctx, slog.NewRecord(time.Now(), slog.LevelWarn, "request failed", 0)))
				}
				synctest.Wait() // the first is being written
			}
			assert.Zero(t, time.Since(began), "the load was not held up")
			return compared(verdict.Fail)
		}, "-v", "-f", "json")
		assert.Equal(t, statusMissed, status)
		assert.Equal(t, patience, time.Since(began))
		var d report.Document
		require.NoError(t, json.Unmarshal([]byte(r.Stdout.String()), &d))
		assert.EqualValues(t, lines, d.Generator.LogLinesDropped)
		assert.Equal(t, patience, d.Generator.Writing)
		close(g.opened)
	})
}

// Lines that were dropped are said where the others are.
func TestDroppedLinesAreSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newTrial()
		s := r.open()
		assert.Equal(t, statusMissed, attend(s, func(ctx context.Context, log slog.Handler) *report.Document {
			for range 2*logRate + 1 {
				log.Enabled(ctx, slog.LevelWarn)
			}
			s.screen.drop([]byte("a line\nanother\n"))
			return compared(verdict.Fail)
		}, "-v"))
		assert.Contains(t, r.Stderr.String(), "load-tester: 2 log lines were dropped: standard error took them too slowly\n"+
			"load-tester: 1,001 failed requests were not logged: at most 1,000 a second are\n")
		assert.Regexp(t, `Stderr: +log lines dropped: 1,003\n`, r.Stdout)
	})
}

// Whatever blocks, the second signal ends the session within a second.
func TestSecondSignalEnds(t *testing.T) {
	for name, blocks := range map[string]func(ctx context.Context, over chan struct{}){
		"the load":   func(_ context.Context, over chan struct{}) { <-over },
		"the report": func(ctx context.Context, _ chan struct{}) { <-ctx.Done() }, // nobody reads it
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				in, out := io.Pipe()
				over := make(chan struct{})
				r := newTrial()
				r.out = out
				go func() {
					r.signals <- syscall.SIGTERM
					time.Sleep(time.Hour)
					r.signals <- os.Interrupt
				}()
				began := time.Now()
				assert.Equal(t, 143, attend(r.open(), func(ctx context.Context, _ slog.Handler) *report.Document {
					blocks(ctx, over)
					return compared(verdict.Pass)
				}))
				assert.Less(t, time.Since(began), time.Hour+time.Second)
				assert.Contains(t, r.Stderr.String(), "load-tester: given up: ")
				require.NoError(t, in.Close())
				close(over)
			})
		})
	}
}

// A report that nobody reads holds the session up for less than a second after a
// signal that comes later than the load.
func TestSignalEndsAReportThatNobodyReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in, out := io.Pipe()
		r := newTrial()
		r.out = out
		time.AfterFunc(time.Hour, func() { r.signals <- os.Interrupt })
		began := time.Now()
		assert.Equal(t, 130, attend(r.open(), func(context.Context, slog.Handler) *report.Document { return compared(verdict.Pass) }))
		assert.Equal(t, time.Hour+patience, time.Since(began))
		require.NoError(t, in.Close())
	})
}

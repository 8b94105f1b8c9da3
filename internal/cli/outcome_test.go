package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/loadtestkit/load-tester/internal/engine"
	"github.com/loadtestkit/load-tester/internal/load"
	"github.com/loadtestkit/load-tester/internal/record"
	"github.com/loadtestkit/load-tester/internal/report"
	"github.com/loadtestkit/load-tester/internal/text"
	"github.com/loadtestkit/load-tester/internal/verdict"
)

var hundred = report.Requests{Due: 100, Sent: 100, Completed: 100, Succeeded: 100}

// ran is a run with one limit.
func ran(v verdict.Verdict) *report.Document {
	return &report.Document{
		Kind: report.Run, Arm: report.Arm{Requests: hundred}, Verdict: v,
		Limits: []report.LimitResult{{Limit: "p50<=1s", Verdict: v, Reason: "p50 response time 2s, want <= 1s"}},
	}
}

const slower = "work: a request uses 1.12 times base's processor time, want <= 1.05"

// compared is a comparison of one claim.
func compared(v verdict.Verdict) *report.Document {
	c := report.ClaimResult{Claim: "work", FailAbove: new(1.05), PassBelow: new(1.05), Ratio: new(1.12), Confidence: 0.99, Verdict: v, Reason: strings.TrimPrefix(slower, "work: ")}
	return &report.Document{
		Kind: report.Comparison, Took: 2 * time.Second,
		Base: &report.Arm{Requests: hundred}, Arm: report.Arm{Requests: hundred},
		Pairs: &report.Pairs{Rounds: 12}, Claims: []report.ClaimResult{c}, Verdict: v,
	}
}

// found is a search.
func found(v verdict.Verdict) *report.Document {
	return &report.Document{
		Kind: report.Search, Arm: report.Arm{Requests: hundred}, Verdict: v,
		Found: &report.Found{Low: new(420.0), High: new(470.0), Limits: []string{"p99<=50ms"}, StoppedBy: "target", Reason: "held at 420/s, not at 470/s"},
	}
}

func TestStatusOfResults(t *testing.T) {
	check := func(d *report.Document, status int, lines ...string) {
		t.Helper()
		assert.Equal(t, status, statusOf(d))
		assert.Equal(t, lines, complaints(d, false))
	}
	for _, tc := range []struct {
		of        func(verdict.Verdict) *report.Document
		why       string
		notJudged int
	}{
		{ran, "p50 response time 2s, want <= 1s", statusDone},
		{compared, slower, statusNotMeasured},
		{found, "held at 420/s, not at 470/s", statusNotMeasured},
	} {
		check(tc.of(verdict.Pass), statusDone)
		check(tc.of(verdict.Fail), statusMissed, tc.why)
		check(tc.of(verdict.Inconclusive), statusNotMeasured, "cannot judge: "+tc.why)
		check(tc.of(verdict.NotJudged), tc.notJudged)
		assert.Empty(t, complaints(tc.of(verdict.Fail), true), "the reader has seen it")
	}

	d := compared(verdict.Fail)
	d.Limits = []report.LimitResult{{Verdict: verdict.Fail, Reason: "error ratio 1, want <= 0"}}
	check(d, statusMissed, slower, "error ratio 1, want <= 0")

	for _, tc := range []struct {
		of   func(verdict.Verdict) *report.Document
		want string
	}{
		{ran, "no request succeeded: there is nothing to judge"},
		{compared, "no request to head succeeded: there is nothing to compare"},
		{found, "no request succeeded: there is no rate at which limits hold"},
	} {
		d := tc.of(verdict.NotJudged)
		d.Requests = report.Requests{Due: 100, Sent: 100, Failed: 100}
		check(d, statusNotMeasured, tc.want)
		assert.Len(t, complaints(d, true), 1, "that is not in the verdicts")
		d.Interrupted = true
		check(d, statusNotMeasured)
	}
	d = found(verdict.Inconclusive)
	d.Interrupted, d.Requests.Succeeded, d.Found.Trials = true, 0, make([]report.Trial, 3)
	check(d, statusNotMeasured, "no request succeeded: there is no rate at which limits hold", "cannot judge: "+d.Found.Reason)
	d = compared(verdict.Inconclusive)
	d.Repeat = compared(verdict.Pass)
	check(d, statusNotMeasured, "cannot judge: the fail did not come again when it was repeated")
	assert.Empty(t, complaints(d, true))
	d = compared(verdict.NotJudged)
	d.Base.Requests.Succeeded = 0
	check(d, statusNotMeasured, "no request to base succeeded: there is nothing to compare")
	d = ran(verdict.Fail)
	d.Requests.Succeeded = 0
	assert.Equal(t, statusNotMeasured, statusOf(d), "a run without a success has no number to judge")
}

func TestFormats(t *testing.T) {
	names, help := formatsOf(report.Run)
	assert.Equal(t, []string{"text", "json", "hgrm", "bench"}, names)
	assert.Equal(t, "text, json, hgrm: a percentile spectrum, or bench: for benchstat\n", help)
	for _, d := range []*report.Document{compared(verdict.Pass), found(verdict.Pass)} {
		names, help := formatsOf(d.Kind)
		assert.Equal(t, []string{"text", "json"}, names)
		assert.Equal(t, "text or json", help)
		var b bytes.Buffer
		require.NoError(t, writerOf("json", text.Style{})(&b, d))
		assert.True(t, json.Valid(b.Bytes()))
		b.Reset()
		require.NoError(t, writerOf("", text.Style{Note: "Running"})(&b, d))
		assert.Contains(t, b.String(), "\n\nRunning\n\n", "text is the default, in its style")
	}
}

func TestAdvice(t *testing.T) {
	for kind := record.NoError + 1; kind < record.Kinds; kind++ {
		err := &record.Error{Kind: kind, Err: errors.Join(errors.New("one"), errors.New("two"))}
		assert.Regexp(t, `^connecting: one; two(; .*)?$`, advice(fmt.Errorf("connecting: %w", err)), "one line")
	}
	assert.Equal(t, "what to do is said", advice(errors.New("what to do is said")))
}

// A fakePlan measures nothing.
type fakePlan func(ctx context.Context, watch engine.Watch) (*report.Document, error)

func (p fakePlan) Preview() *report.Document { return &report.Document{} }

func (p fakePlan) Run(ctx, _ context.Context, watch engine.Watch) (*report.Document, error) {
	return p(ctx, watch)
}

// Whatever is measured is delivered in the same way.
func TestCarryOut(t *testing.T) {
	carryOut := func(plan fakePlan, args ...string) (int, *trial) {
		r := newTrial()
		cmd := &cobra.Command{}
		j := newJob(r.open(), cmd, "")
		j.addOutput(report.Comparison)
		require.NoError(t, cmd.ParseFlags(args))
		require.NoError(t, j.do(&engine.Settings{}, func() (engine.Plan, error) {
			return fakePlan(func(ctx context.Context, watch engine.Watch) (*report.Document, error) {
				if len(args) > 0 {
					r.signals <- os.Interrupt
					<-ctx.Done()
				}
				return plan(ctx, watch)
			}), nil
		}))
		require.True(t, j.screen.flush(time.Minute))
		return j.status, r
	}
	status, r := carryOut(func(_ context.Context, watch engine.Watch) (*report.Document, error) {
		watch(engine.Progress{Tally: load.Tally{Elapsed: time.Second}, Doing: "round 3"})
		return compared(verdict.Fail), nil
	})
	assert.Equal(t, statusMissed, status)
	assert.Equal(t, "Running...  [12 rounds in 2s] done\nload-tester: "+slower+"\n", r.Stderr.String())
	assert.Contains(t, r.Stdout.String(), "\n  ✗ work   a request uses 1.12 times base's processor time")

	status, r = carryOut(func(context.Context, engine.Watch) (*report.Document, error) {
		d := compared(verdict.Inconclusive)
		d.Interrupted = true
		return d, nil
	}, "--quiet")
	assert.Equal(t, 130, status)
	assert.Contains(t, r.Stdout.String(), "Interrupted after 2s: 12 rounds\n", "what was done is shown")

	status, r = carryOut(func(context.Context, engine.Watch) (*report.Document, error) { return nil, context.Canceled }, "-q")
	assert.Equal(t, 130, status)
	assert.Equal(t, "load-tester: interrupted before the first request\n", r.Stderr.String())

	status, r = carryOut(func(context.Context, engine.Watch) (*report.Document, error) {
		return ran(verdict.Pass), errors.New("writing baseline: no space left on device")
	})
	assert.Equal(t, statusNotMeasured, status)
	assert.Contains(t, r.Stdout.String(), "Results:", "what was measured is not lost")
	assert.Contains(t, r.Stderr.String(), "load-tester: writing baseline: no space left on device\n")

	_, r = carryOut(func(context.Context, engine.Watch) (*report.Document, error) {
		d := ran(verdict.Pass)
		d.Recorded = "recorded in a.jsonl"
		return d, nil
	})
	assert.Contains(t, r.Stderr.String(), "\nload-tester: recorded in a.jsonl\n")
}

func TestSummary(t *testing.T) {
	d := ran(verdict.Pass)
	d.Config.Requests = 100
	assert.Equal(t, "Running...  [100/100] done", summary(d))
	d.Interrupted = true
	assert.Equal(t, "Running...  [100/100] interrupted", summary(d))
}

// What flags can help is said where it is not before the first request that a run
// fails.
func TestCures(t *testing.T) {
	check := func(a report.Arm, want ...string) {
		t.Helper()
		assert.Equal(t, want, cures(&report.Document{Arm: a}))
	}
	check(report.Arm{})
	check(report.Arm{FailedStatuses: []report.FailedStatus{{Status: 401}, {Status: 304}, {Status: 300, Location: "/a"}}})
	check(report.Arm{FailedStatuses: []report.FailedStatus{{Status: 301, Location: "/a"}, {Status: 302, Location: "/b"}}},
		"--location (-L) follows redirects, --expect-status 3xx counts them as successes")
	failed := func(first string) report.Arm {
		return report.Arm{Errors: []report.ErrorCount{{Kind: "tls", Count: 9, First: first}}}
	}
	check(failed("waiting for the response: EOF"))
	check(failed("remote error: tls: certificate required: the server wants a client certificate, or another one"),
		"the server wants a client certificate, or another one; --cert FILE and --key FILE give it one")
	check(failed("reading status line: this port speaks TLS, as an https URL does"),
		"this port speaks TLS, as an https URL does; https:// in the URL")
}

// A reader of the page knows what it said.
func TestGivenUpIsSaidOnce(t *testing.T) {
	const why = "every one of the first 80 requests failed: status 500"
	d := found(verdict.Inconclusive)
	d.Stopped, d.Found.Reason, d.Requests = why, why, report.Requests{Due: 80, Sent: 80, Failed: 80}
	assert.Equal(t, []string{"given up: " + why}, complaints(d, false))
	assert.Empty(t, complaints(d, true))
}

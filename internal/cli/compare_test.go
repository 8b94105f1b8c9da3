package cli

import (
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/loadtestkit/load-tester/internal/engine"
	"github.com/loadtestkit/load-tester/internal/load"
	"github.com/loadtestkit/load-tester/internal/report"
	"github.com/loadtestkit/load-tester/internal/verdict"
)

const slower = "head is 1.12 times base at p50, at most 1.05 allowed"

// comparedAs is a comparison of one quantile with that verdict.
func comparedAs(v verdict.Verdict) *comparison {
	r := report.Ratio{Quantile: "p50", Tolerance: 1.05, Ratio: new(1.12), Confidence: 0.99, Verdict: v, Reason: slower}
	arm := report.Arm{Requests: report.Requests{Due: 100, Sent: 100, Completed: 100, Succeeded: 100}}
	return &comparison{&report.Comparison{Base: arm, Head: arm, Ratios: []report.Ratio{r}, Verdict: v, Pairs: 12, Elapsed: 2 * time.Second}}
}

func TestComparisonStatus(t *testing.T) {
	check := func(c *comparison, status int, complaints ...string) {
		t.Helper()
		assert.Equal(t, status, c.status())
		assert.Equal(t, complaints, c.complaints(false))
	}
	check(comparedAs(verdict.Pass), 0)
	check(comparedAs(verdict.Fail), 1, slower)
	check(comparedAs(verdict.Inconclusive), 3, "cannot judge: "+slower)
	check(comparedAs(verdict.NotJudged), 3)
	assert.Empty(t, comparedAs(verdict.Fail).complaints(true), "the reader has it before him")

	c := comparedAs(verdict.Fail)
	c.Limits = []report.LimitResult{{Verdict: verdict.Fail, Reason: "error ratio 1, want <= 0"}}
	check(c, 1, slower, "error ratio 1, want <= 0")

	c = comparedAs(verdict.Fail)
	c.Repeat, c.Verdict = comparedAs(verdict.Pass).Comparison, verdict.Inconclusive
	check(c, 3, "cannot judge: the fail did not come again when it was repeated")
	c.Repeat, c.Verdict = comparedAs(verdict.Fail).Comparison, verdict.Fail
	check(c, 1, slower)

	c = comparedAs(verdict.NotJudged)
	c.Head.Requests = report.Requests{Due: 100, Sent: 100, Failed: 100}
	check(c, 3, "no request to head succeeded: there is nothing to compare")
	assert.Len(t, c.complaints(true), 1, "that is not in the verdicts")
	c.Interrupted = true
	check(c, 3)
}

func TestCapacityStatus(t *testing.T) {
	c := &capacity{&report.Capacity{Verdict: verdict.Pass, Low: new(420.0), High: new(470.0), Limits: []string{"p99<=50ms"}, StoppedBy: "target"}}
	c.Reason = "the limits held at 420/s and not at 470/s"
	assert.Zero(t, c.status())
	assert.Empty(t, c.complaints(false))
	c.Verdict = verdict.Inconclusive
	assert.Equal(t, 3, c.status())
	assert.Equal(t, []string{"cannot judge: " + c.Reason}, c.complaints(false))
	assert.Empty(t, c.complaints(true))
	c.Verdict = verdict.NotJudged
	assert.Equal(t, 3, c.status())
}

func TestFormatsOfResults(t *testing.T) {
	for _, r := range []result{comparedAs(verdict.Pass), &capacity{&report.Capacity{}}} {
		b, err := r.render("json", report.Style{})
		require.NoError(t, err)
		assert.True(t, json.Valid(b))
		b, err = r.render("", report.Style{Note: "Running"})
		require.NoError(t, err)
		assert.Contains(t, string(b), "\n\nRunning\n\n")
	}
}

// Whatever is measured is delivered in the same way.
func TestDo(t *testing.T) {
	made := func(c *comparison, during func(ctx context.Context, watch engine.Watch)) func(*slog.Logger) (measure, error) {
		return func(*slog.Logger) (measure, error) {
			return func(ctx, _ context.Context, watch engine.Watch) (result, error) {
				during(ctx, watch)
				return c, nil
			}, nil
		}
	}
	trial := func() *trial {
		r := newTrial()
		r.session = &session{stdout: r.Stdout, stderr: r.Stderr, env: func(string) string { return "" },
			catch: func() (<-chan os.Signal, func()) { return r.signals, func() {} }}
		return r
	}
	r := trial()
	status, err := r.do(&settings{}, newMeter(engine.Options{}), made(comparedAs(verdict.Fail), func(_ context.Context, watch engine.Watch) {
		watch(engine.Progress{Progress: load.Progress{Elapsed: time.Second}, Doing: "pair 3 of at most 200"})
	}))
	require.NoError(t, err)
	assert.Equal(t, 1, status)
	assert.Equal(t, "Running...  [12 pairs in 2s] done\nload-tester: head is 1.12 times base at p50, at most 1.05 allowed\n", r.Stderr.String())
	assert.Contains(t, r.Stdout.String(), "\n  fail  head is 1.12 times base")

	r = trial()
	stopped := comparedAs(verdict.Inconclusive)
	stopped.Interrupted = true
	status, err = r.do(&settings{quiet: true}, newMeter(engine.Options{}), made(stopped, func(ctx context.Context, _ engine.Watch) {
		r.signals <- os.Interrupt
		<-ctx.Done()
	}))
	require.NoError(t, err)
	assert.Equal(t, 130, status)
	assert.Contains(t, r.Stdout.String(), "Interrupted after 2s: 12 pairs\n", "what was done is told")
}

func TestDefaultsOfACommand(t *testing.T) {
	set := &settings{bases: []string{"http://a"}, heads: []string{"http://a"}}
	set.checkCompare()
	require.NoError(t, set.faults.err(), "both may be the same")
	o, err := set.options(nil)
	require.NoError(t, err)
	assert.Zero(t, o.Requests, "how many is the engine's business")

	set = &settings{limits: make([]verdict.Limit, 1), budget: 5 * time.Second, confirm: true}
	o, err = set.runOptions(nil)
	require.NoError(t, err)
	assert.Zero(t, o.Requests, "until the verdict is clear")
	assert.Equal(t, 5*time.Second, o.Budget)
	assert.True(t, o.Confirm)
	set = &settings{limits: make([]verdict.Limit, 1), duration: time.Second}
	o, _ = set.runOptions(nil)
	assert.Zero(t, o.Requests)
	o, _ = (&settings{}).runOptions(nil)
	assert.EqualValues(t, defaultRequests, o.Requests)
}

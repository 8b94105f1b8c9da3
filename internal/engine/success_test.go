package engine

import (
	"errors"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/loadtestkit/load-tester/internal/baseline"
	"github.com/loadtestkit/load-tester/internal/http1"
	"github.com/loadtestkit/load-tester/internal/report"
	"github.com/loadtestkit/load-tester/internal/verdict"
)

// statuses is a handler that answers with some statuses in turn, after a
// millisecond.
func statuses(codes ...int) http.Handler {
	var n atomic.Int64
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(time.Millisecond)
		w.Header().Set("Location", "/login")
		w.WriteHeader(codes[(n.Add(1)-1)%int64(len(codes))])
		io.WriteString(w, "text")
	})
}

// Targets whose responses have other statuses are not compared, whatever counts as
// a success.
func TestComparisonOfOtherStatuses(t *testing.T) {
	compare := func(base, head http.Handler, expect string, texts ...string) (d *report.Document) {
		synctest.Test(t, func(t *testing.T) {
			target := func(h http.Handler) Target {
				return Target{Handler: h, RequestOptions: RequestOptions{ExpectStatus: expect}}
			}
			p, err := NewComparison(CompareOptions{
				Base: target(base), Head: target(head), Limits: limits(t, texts...),
				Settings: Settings{Load: Load{Concurrency: 2}, Budget: 5 * time.Second, Virtual: true},
			})
			require.NoError(t, err)
			d, err = p.Run(t.Context(), t.Context(), nil)
			require.NoError(t, err)
		})
		return d
	}
	const differ = "not compared, as the statuses differ: base: 200 (100%); head: 302 (100%)"

	d := compare(statuses(200), statuses(302), "200,302", "errors<=0%")
	assert.Equal(t, verdict.Inconclusive, d.Verdict)
	times := 0
	for _, c := range d.Claims {
		if c.Exact {
			continue
		}
		times++
		assert.Equal(t, verdict.Inconclusive, c.Verdict)
		assert.Contains(t, c.Reason, differ)
		assert.Equal(t, strings.TrimPrefix(differ, "not compared, as "), c.Basis)
	}
	assert.Equal(t, 4, times)

	d = compare(statuses(200), statuses(200, 302), "", "errors<=100%")
	assert.Equal(t, verdict.Inconclusive, d.Verdict)
	assert.Contains(t, claimed(t, d, verdict.Quick).Reason, "base: 200 (100%); head: 200 (50%), 302 (50%)")

	d = compare(statuses(200), statuses(302), "", "errors<=0%")
	assert.Equal(t, verdict.Fail, d.Verdict, "that head fails is a fact")
	assert.Contains(t, d.Stopped, "head: every one")

	d = compare(statuses(302), statuses(302), "", "errors<=100%")
	assert.Equal(t, verdict.Inconclusive, d.Verdict, "of two that fail none is as good as the other")

	d = compare(statuses(302), statuses(302), "302", "errors<=0%")
	assert.Equal(t, verdict.Pass, d.Verdict, "%+v", d.Ratios)
}

// A run in which requests failed by their status is neither recorded nor passed,
// and one with another idea of a success is not compared with.
func TestBaselineOfFailedStatuses(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "runs.jsonl")
	measure := func(h http.Handler, expect string, update bool) (d *report.Document) {
		synctest.Test(t, func(t *testing.T) {
			d = run(t, RunOptions{
				Target:   Target{Handler: h, RequestOptions: RequestOptions{ExpectStatus: expect}},
				Settings: Settings{Virtual: true}, Requests: 400,
				Baseline: &baseline.Baseline{Path: path, Update: update, Tolerances: []verdict.Tolerance{{Q: 0.5, Ratio: 1.05}}},
			})
		})
		return d
	}
	d := measure(statuses(200, 200, 503, 200), "", true)
	assert.Equal(t, "not recorded in "+path+", as 100 of 400 requests failed with status 503", d.Recorded)
	for range verdict.LeastBaseline {
		d = measure(statuses(200), "", true)
		assert.Equal(t, "recorded in "+path, d.Recorded)
	}
	assert.Equal(t, verdict.Pass, measure(statuses(200), "", false).Verdict)

	d = measure(statuses(200, 200, 503, 200), "", false)
	assert.Equal(t, verdict.Inconclusive, d.Verdict)
	assert.Contains(t, d.Limits[0].Reason, ": 100 of 400 requests failed with status 503")
	assert.Equal(t, "100 of 400 requests failed with status 503", d.Limits[0].Basis)

	var n atomic.Int64
	half := Target{Handler: statuses(200), RequestOptions: RequestOptions{Check: func(*http1.Message) error {
		if n.Add(1)%2 == 0 {
			return errors.New("an error in JSON")
		}
		return nil
	}}}
	wrong := func(update bool) (d *report.Document) {
		synctest.Test(t, func(t *testing.T) {
			tolerances := []verdict.Tolerance{{Q: 0.5, Ratio: 1.05}}
			d = run(t, RunOptions{Target: half, Settings: Settings{Virtual: true}, Requests: 400,
				Baseline: &baseline.Baseline{Path: path, Update: update, Tolerances: tolerances}})
		})
		return d
	}
	assert.Equal(t, "not recorded in "+path+", as 200 of 400 requests failed a check", wrong(true).Recorded)
	assert.NotEqual(t, verdict.Pass, wrong(false).Verdict)

	d = measure(statuses(503), "", false)
	assert.Equal(t, "400 of 400 requests failed with status 503", d.Limits[0].Basis)

	d = measure(statuses(200), "2xx", false)
	assert.Equal(t, verdict.Inconclusive, d.Verdict)
	assert.Contains(t, d.Limits[0].Reason, "(10 more are of another kind: success was the default)")
}

// The first answer is known even if it came in the warm-up, and what is expected
// of the target is not expected of the control beside it.
func TestFirstAnswersOfARun(t *testing.T) {
	t.Parallel()
	d := run(t, RunOptions{
		Target:   Target{Handler: statuses(404), RequestOptions: RequestOptions{ExpectStatus: "418", ExpectBody: "tea", FollowRedirects: true}},
		Settings: Settings{Load: Load{Concurrency: 2}, Warmup: 20 * time.Millisecond},
		Duration: 50 * time.Millisecond, Limits: limits(t, "errors<=100%"), Control: true,
	})
	require.Len(t, d.FailedStatuses, 1)
	assert.Equal(t, 404, d.FailedStatuses[0].Status)
	assert.Equal(t, d.Requests.Failed, d.FailedStatuses[0].Count)
	assert.Equal(t, "text", d.FailedStatuses[0].Body)
	assert.Equal(t, "418", d.Config.ExpectStatus)
	assert.Equal(t, verdict.Inconclusive, d.Verdict)
	assert.Contains(t, d.Limits[0].Reason, "no request succeeded, so nothing was measured")
	require.NotNil(t, d.Record.Control)
	assert.Positive(t, d.Record.Control.Succeeded)
	assert.Zero(t, d.Record.Control.Failed)
}

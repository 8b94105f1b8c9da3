package loadtestkit

import (
	"bytes"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/loadtestkit/load-tester/internal/record"
	"github.com/loadtestkit/load-tester/internal/report"
	"github.com/loadtestkit/load-tester/internal/verdict"
)

func TestZeroResultsAreSafe(t *testing.T) {
	c := Comparison{}
	for _, r := range []Report{{}, c.Report, c.Base, Capacity{}.Report} {
		for _, q := range []float64{0.5, 1, 0, -1, 2, math.NaN()} {
			d, ok := r.ResponseTime(q)
			assert.False(t, ok)
			assert.Zero(t, d)
			d, ok = r.ServiceTime(q)
			assert.False(t, ok)
			assert.Zero(t, d)
		}
		var text, json bytes.Buffer
		require.NoError(t, r.WriteText(&text))
		assert.Equal(t, "Nothing was measured.\n", text.String())
		require.NoError(t, r.WriteJSON(&json))
		assert.Equal(t, "null\n", json.String())
		assert.Zero(t, r.StatusCodes[200])
		assert.Equal(t, NotJudged, r.Verdict)
	}
	assert.Equal(t, "not judged", LimitResult{}.Verdict.String())
	assert.Equal(t, "not judged", Ratio{}.Verdict.String())
}

// No quantile that is none gives a time.
func TestQuantilesAreChecked(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r, err := Measure(t.Context(), Options{Target: taking(time.Millisecond), Count: 20})
		require.NoError(t, err)
		for _, q := range []float64{0, -1, 1.1, math.NaN(), math.Inf(1)} {
			_, ok := r.ResponseTime(q)
			assert.False(t, ok, q)
		}
		d, ok := r.ResponseTime(1)
		assert.True(t, ok)
		assert.Equal(t, time.Millisecond, d)
		d, ok = r.ServiceTime(0.5)
		assert.True(t, ok)
		assert.Equal(t, time.Millisecond, d)
	})
}

func TestVerdictsAreThoseOfReports(t *testing.T) {
	for ours, theirs := range map[Verdict]verdict.Verdict{
		NotJudged: verdict.NotJudged, Passed: verdict.Pass, Failed: verdict.Fail, Inconclusive: verdict.Inconclusive,
	} {
		assert.Equal(t, ours, Verdict(theirs))
		assert.Equal(t, theirs.String(), ours.String())
	}
	assert.Equal(t, "Verdict(9)", Verdict(9).String())
}

func TestLimitResultsHaveNumbers(t *testing.T) {
	check := func(l report.LimitResult, observed, low, high float64) {
		t.Helper()
		r := newLimitResult(l)
		if math.IsNaN(observed) {
			assert.True(t, math.IsNaN(r.Observed), r.Observed)
		} else {
			assert.Equal(t, observed, r.Observed)
		}
		assert.Equal(t, low, r.Low)
		assert.Equal(t, high, r.High)
	}
	check(report.LimitResult{}, math.NaN(), 0, math.Inf(1))
	check(report.LimitResult{Observed: new(5.0), Low: new(4.0), High: new(6.0)}, 5, 4, 6)
	check(report.LimitResult{Observed: new(5.0), Low: new(4.0)}, 5, 4, math.Inf(1))
	check(report.LimitResult{Low: new(4.0)}, math.NaN(), 4, math.Inf(1))
	check(report.LimitResult{Observed: new(0.0), Exact: true}, 0, 0, 0)
	check(report.LimitResult{Observed: new(5.0)}, 5, 0, math.Inf(1))

	inBubble(t, func(t *testing.T) {
		r, err := Measure(t.Context(), Options{Target: taking(time.Millisecond), Count: 2000, Limits: Limits{P50: 5 * time.Millisecond}})
		require.NoError(t, err)
		require.Len(t, r.Limits, 2)
		p50, errors := r.Limits[0], r.Limits[1]
		assert.Equal(t, time.Millisecond, time.Duration(p50.Observed).Round(10*time.Microsecond))
		assert.LessOrEqual(t, p50.Low, p50.Observed)
		assert.GreaterOrEqual(t, p50.High, p50.Observed)
		assert.Zero(t, errors.Observed)
	})
}

// The doc comment of Report names every kind of error there is.
func TestReportNamesTheKinds(t *testing.T) {
	p, _ := documented(t)
	for _, typ := range p.Types {
		if typ.Name != "Report" {
			continue
		}
		for kind := record.NoError + 1; kind < record.Kinds; kind++ {
			assert.Regexp(t, `\b`+kind.String()+`\b`, typ.Doc)
		}
		return
	}
	assert.Fail(t, "Report is not documented")
}

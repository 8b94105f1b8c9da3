package baseline

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/loadtestkit/load-tester/internal/record"
	"github.com/loadtestkit/load-tester/internal/report"
	"github.com/loadtestkit/load-tester/internal/verdict"
)

func TestQuestions(t *testing.T) {
	asked := func(b Baseline) (all []string) {
		for _, q := range b.questions() {
			s := q.limit()
			if q.guard {
				s += " (guard)"
			}
			all = append(all, s)
		}
		return all
	}
	p50, p999 := verdict.Tolerance{Q: 0.5, Ratio: 1.07}, verdict.Tolerance{Q: 0.999, Ratio: 1.2}
	assert.Equal(t, []string{"work<=1.05x baseline", "quick<=1.05x baseline", "p50<=1.05x baseline (guard)", "p99<=1.1x baseline (guard)"}, asked(Baseline{}))
	assert.Equal(t, []string{"work<=1.07x baseline", "quick<=1.07x baseline", "p50<=1.07x baseline (guard)", "p99.9<=1.2x baseline"},
		asked(Baseline{Tolerances: []verdict.Tolerance{p50, p999}}))
	assert.Equal(t, []string{"work<=1.02x baseline"}, asked(Baseline{CPU: 1.02}), "alone")
	assert.Equal(t, []string{"work<=1.02x baseline", "quick<=1.07x baseline", "p50<=1.07x baseline (guard)"}, asked(Baseline{CPU: 1.02, Tolerances: []verdict.Tolerance{p50}}))
	assert.Equal(t, []string{"p99.9<=1.2x baseline", "allocs<=2 more than the baseline", "bytes<=64 more than the baseline"},
		asked(Baseline{Tolerances: []verdict.Tolerance{p999}, Allocs: 2, Bytes: 64}))
}

// document is of a run of a hundred requests of 1 ms.
func document() *report.Document {
	r := record.New(false, nil)
	for i := range 100 {
		at := time.Duration(i) * time.Millisecond
		r.Add(&record.Sample{Due: at, Sent: at, Done: at + time.Millisecond, Result: record.Result{Status: 200}})
	}
	r.Due, r.Sent = 100, 100
	return report.New(report.Facts{Kind: report.Run, ID: func(int64) string { return "" }}, r)
}

func TestJudge(t *testing.T) {
	beside := func(quick, work float64, objects float64) Beside {
		return Beside{Claims: Claims{Quick: &Calibrated{Time: quick}, Work: &Calibrated{Time: work}, Allocs: &objects}}
	}
	path := filepath.Join(t.TempDir(), "runs.jsonl")
	judge := func(b Baseline, now Beside, waive string) (verdicts map[string]verdict.Verdict, reasons map[string]string) {
		t.Helper()
		b.Path, b.Name = path, "TestA"
		require.NoError(t, b.Load())
		d := document()
		require.NoError(t, b.Judge(d, now, waive))
		verdicts, reasons = map[string]verdict.Verdict{}, map[string]string{}
		for _, l := range d.Limits {
			verdicts[l.Limit], reasons[l.Limit] = l.Verdict, l.Reason
			if l.Verdict == verdict.Fail {
				assert.Equal(t, l.Limit == "allocs<=2 more than the baseline", l.Exact, "a count is a fact")
			}
		}
		return verdicts, reasons
	}
	add := func(now Beside) {
		t.Helper()
		b := Baseline{Path: path, Name: "TestA", Update: true}
		require.NoError(t, b.Load())
		d := document()
		d.StartedAt = time.Now()
		require.NoError(t, b.Add(d, now, ""))
		require.Contains(t, d.Recorded, "recorded in ")
	}
	counted := Baseline{Allocs: 2, CPU: 1.05}
	add(Beside{})
	_, reasons := judge(counted, beside(100, 50, 7), "")
	assert.Contains(t, reasons["allocs<=2 more than the baseline"], "the baseline has no run that counted it: record one (1 more are of another kind: allocs was not measured)")
	assert.Contains(t, reasons["work<=1.05x baseline"], "the baseline has 0 of 10 runs like this one: record 10 more, or compare two targets in one run, which needs none (1 more are of another kind: work was not measured)")
	for range verdict.LeastBaseline {
		add(beside(100, 50, 7))
	}
	v, _ := judge(Baseline{}, beside(100, 50, 7), "")
	assert.Equal(t, map[string]verdict.Verdict{"work<=1.05x baseline": verdict.Pass, "quick<=1.05x baseline": verdict.Pass, "p50<=1.05x baseline": verdict.NotJudged, "p99<=1.1x baseline": verdict.NotJudged}, v)
	v, _ = judge(Baseline{}, beside(120, 50, 7), "")
	assert.Equal(t, verdict.Fail, v["quick<=1.05x baseline"])
	assert.Equal(t, verdict.Pass, v["work<=1.05x baseline"])
	v, _ = judge(counted, beside(100, 60, 9), "")
	assert.Equal(t, map[string]verdict.Verdict{"work<=1.05x baseline": verdict.Fail, "allocs<=2 more than the baseline": verdict.Pass}, v)
	v, _ = judge(counted, beside(100, 50, 10), "")
	assert.Equal(t, map[string]verdict.Verdict{"work<=1.05x baseline": verdict.Pass, "allocs<=2 more than the baseline": verdict.Fail}, v)
	v, reasons = judge(counted, Beside{}, "")
	assert.Equal(t, map[string]verdict.Verdict{"work<=1.05x baseline": verdict.Inconclusive, "allocs<=2 more than the baseline": verdict.Inconclusive}, v)
	assert.Equal(t, "work against the baseline: the processor time of what answers is not known", reasons["work<=1.05x baseline"])
	v, _ = judge(Baseline{}, Beside{Claims: Claims{Quick: &Calibrated{Time: 100}}}, "")
	assert.NotContains(t, v, "work<=1.05x baseline", "it was not asked for by name")
	v, _ = judge(counted, beside(100, 60, 20), "the race detector is on")
	assert.Equal(t, map[string]verdict.Verdict{"work<=1.05x baseline": verdict.NotJudged, "allocs<=2 more than the baseline": verdict.NotJudged}, v)
}

func TestClaimsAreReadBack(t *testing.T) {
	path := file(t, "")
	e := some("TestA")
	e.Claims = Claims{Quick: &Calibrated{Time: 310_000, NullHandler: 28_000, Reference: 39_000, Arithmetic: 55_000}, Work: &Calibrated{Time: 315_000}, Allocs: new(24.0), Bytes: new(0.0)}
	require.NoError(t, Append(path, e))
	read, err := Read(path)
	require.NoError(t, err)
	e.Schema = Schema
	assert.Equal(t, []Entry{e}, read)
	for _, wrong := range []Claims{
		{Quick: &Calibrated{}}, {Work: &Calibrated{Time: 1, NullHandler: -1}}, {Work: &Calibrated{Time: 1, Arithmetic: 1e19}}, {Allocs: new(-1.0)}, {Bytes: new(1e19)},
	} {
		e.Claims = wrong
		assert.ErrorContains(t, Append(path, e), "less than 2^63")
	}
}

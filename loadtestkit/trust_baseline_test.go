package loadtestkit

import (
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// By ten recorded runs, runs of equal code do not fail, and those of a tenth more work
// do, on a machine that does something else too.
func TestTrustBaseline(t *testing.T) {
	n := runs(t, 20)
	path := filepath.Join(t.TempDir(), "working.jsonl")
	t.Setenv(updateEnv, "10")
	f, _ := runFake(&fakeTB{}, Options{Target: working(quarterMillisecond), Count: 2000, Baseline: path})
	require.Empty(t, f.errors)
	t.Setenv(updateEnv, "")
	judge := func(work float64) (c tally) {
		varied := map[string][]float64{} // logarithms of the ratios
		for range n {
			f, r := runFake(&fakeTB{}, Options{Target: working(int(work * quarterMillisecond)), Count: 2000, Baseline: path})
			c.add(f, r.Elapsed)
			for _, l := range r.Limits {
				if of, _, ok := strings.Cut(l.Limit, "<="); ok && l.Observed > 0 {
					varied[of] = append(varied[of], math.Log(l.Observed))
				}
			}
			for _, l := range append(f.errors, f.skips...) {
				t.Logf("%v: %s", work, l)
			}
		}
		for of, x := range varied {
			mean, square := 0.0, 0.0
			for _, v := range x {
				mean += v / float64(len(x))
				square += v * v / float64(len(x))
			}
			t.Logf("%v: %s is %.3f times the baseline, give or take %.1f %%", work, of, math.Exp(mean), 100*math.Sqrt(max(0, square-mean*mean)))
		}
		t.Logf("%v: %s", work, c.String())
		return c
	}
	equal, more := judge(1), judge(1.1)
	assert.Zero(t, equal.fail)
	assert.Zero(t, more.pass)
	assert.GreaterOrEqual(t, float64(more.fail), 0.9*float64(n))
}

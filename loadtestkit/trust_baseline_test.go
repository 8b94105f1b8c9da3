package loadtestkit

import (
	"fmt"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// computing answers after some quarters of a millisecond of work, about.
func computing(quarters float64) Target {
	return Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		x := uint64(1)
		for range int(quarters * 250_000) {
			x = x*6364136223846793005 + 1442695040888963407
		}
		fmt.Fprint(w, x)
	}))
}

// By ten recorded runs, runs of equal code do not fail, and those of a tenth more work
// do, on a machine that does something else too.
func TestTrustBaseline(t *testing.T) {
	if os.Getenv("LOADTESTKIT_TRUST") != "1" {
		t.Skip("takes ten minutes: set LOADTESTKIT_TRUST=1 to run it")
	}
	const n = 20
	path := filepath.Join(t.TempDir(), "working.jsonl")
	t.Setenv(updateEnv, "10")
	f, _ := runFake(&fakeTB{}, Options{Target: computing(1), Count: 2000, Baseline: path})
	require.Empty(t, f.errors)
	t.Setenv(updateEnv, "")
	judge := func(work float64) (count map[string]int) {
		count = map[string]int{}
		varied := map[string][]float64{} // logarithms of the ratios
		for range n {
			f, r := runFake(&fakeTB{}, Options{Target: computing(work), Count: 2000, Baseline: path})
			switch {
			case len(f.errors) > 0:
				count["fail"]++
			case len(f.skips) > 0:
				count["inconclusive"]++
			default:
				count["pass"]++
			}
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
		t.Logf("%v: %v", work, count)
		return count
	}
	equal, more := judge(1), judge(1.1)
	assert.Zero(t, equal["fail"])
	assert.LessOrEqual(t, more["pass"], n/20)
	assert.GreaterOrEqual(t, more["fail"], n*9/10)
}

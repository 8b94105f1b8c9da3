package trust

import (
	"net/http"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/loadtestkit/load-tester/loadtestkit"
)

// Parts add up: what is read back is what was written, and no trial is made twice.
func TestPartsAddUp(t *testing.T) {
	file := filepath.Join(t.TempDir(), "outcomes")
	made, err := readOutcomes(file)
	require.NoError(t, err)
	require.Empty(t, made)
	all := len(remaining(made))
	for _, o := range []outcome{
		{Case: "equal handlers", Build: "new", Verdict: passed, Seconds: 2},
		{Case: "equal handlers", Build: "new", Verdict: inconclusive, Seconds: 20, Foreign: 0.75, Reason: "no\nmore time"},
		{Case: "equal handlers", Build: "new", Verdict: passed, Seconds: 3},
		{Case: "equal handlers", Build: "old", Verdict: failed, Seconds: 7.25},
	} {
		require.NoError(t, o.appendTo(file))
		made = append(made, o)
	}
	again, err := readOutcomes(file)
	require.NoError(t, err)
	assert.Equal(t, made, again)
	assert.Len(t, remaining(again), all-3)
	assert.Contains(t, table(again), "| equal handlers | pass | 2 / 1 / 0 | 3.0, 20.0 | 0 / 0 / 1 | 7.2, 7.2 |\n")
	assert.Contains(t, table(again), "new: 3 trials; other processes used 0 % of the processors' time in the median, 75 % in one of ten.")
}

func TestWitnessKeepsVerdicts(t *testing.T) {
	check := func(target loadtestkit.Target, want, reason string) {
		t.Helper()
		w := &witness{TB: t}
		w.watch(func() {
			loadtestkit.Run(w, loadtestkit.Options{Target: target, Count: 10, Limits: loadtestkit.Limits{P50: 1e9}})
		})
		assert.Equal(t, want, w.verdict())
		assert.Contains(t, w.reason(), reason)
		assert.Contains(t, w.log.String(), "10 requests", "the report")
	}
	check(sleeping(0), inconclusive, "p50")
	broken := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) })
	check(loadtestkit.Handler(broken), failed, "status 500")
}

// The regressions answer as their base does.
func TestQueriesHaveOneAnswer(t *testing.T) {
	db := open(t, newDatabase(t))
	defer db.Close()
	once, err := joined(db)
	require.NoError(t, err)
	assert.Equal(t, 2*orders, once)
	each, err := onePerOrder(db)
	require.NoError(t, err)
	assert.Equal(t, once, each)
}

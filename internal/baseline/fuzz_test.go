package baseline

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/loadtestkit/load-tester/internal/unit"
	"github.com/loadtestkit/load-tester/internal/verdict"
)

// FuzzLine tests that whatever a line holds, it is refused or read as a record that can
// be judged by and written again.
func FuzzLine(f *testing.F) {
	r := some("TestA")
	r.Schema = Schema
	line, err := json.Marshal(r)
	require.NoError(f, err)
	f.Add(line)
	for _, s := range []string{
		`{"schema":1,"name":"TestA","at":"2025-06-01T12:00:00Z","response_time_ns":{"p50":1500000}}`,
		`{"schema":1,"name":"a","at":"9999-12-31T23:59:59Z","response_time_ns":{"p99.9999":9.2e18},"n":-1}`,
		`{"schema":2}`, `[]`, "<<<<<<< HEAD", `{"n_effective":1e400}`, "\xff\x00",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		r, err := parse(line)
		if err != nil {
			return
		}
		again, err := json.Marshal(r)
		require.NoError(t, err)
		require.False(t, bytes.Contains(again, []byte("\n")), "one line")
		back, err := parse(again)
		require.NoError(t, err)
		require.Equal(t, r.Quantiles, back.Quantiles)
		for name, ns := range r.Quantiles {
			q, err := unit.ParseQuantile(name)
			require.NoError(t, err)
			require.True(t, 0 < q && q < 1, name)
			runs, others, _ := Earlier([]Entry{r, r, r}, r.Name, r.Expects, r.Fingerprint, name)
			require.Len(t, runs, 3)
			require.Zero(t, others)
			s := verdict.DefaultStandard
			require.NotEmpty(t, verdict.JudgeBaseline(runs, verdict.BaselineRun{Value: ns, Calibrators: runs[0].Calibrators}, 1.05, s.Fail, s.Pass).Reason)
		}
	})
}

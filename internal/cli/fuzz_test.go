package cli

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/loadtestkit/load-tester/internal/engine"
)

// FuzzValues tests that what the parsers of flags accept is in range.
func FuzzValues(f *testing.F) {
	for _, s := range []string{
		"100", "10k", "1.5m", "9e15", "1e16", "9007199254740993", "-1", "NaN", "1e-400", "1000/s", "50/m", "10/ms", "1e9", "1e10/m", "1e-7", "0/h", "/", "1/",
		"10s:100..1000", "5s:0", "1h:1e9..0/s", "10s", "1m30s", "-0s", "9223372036854775807ns", "2562047h47m16.854775808s", "1.2", "200,3xx", "Accept: a", "X-A;", ":", "1.3", "me:secret",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if n, err := parseCount(s); err == nil {
			require.True(t, 1 <= n && n <= 1<<53, n)
		}
		if n, err := parseConcurrency(s); err == nil {
			require.True(t, 1 <= n && n <= math.MaxInt32, n)
		}
		if n, err := parseAhead(s); err == nil {
			require.True(t, n == -1 || 1 <= n && n <= math.MaxInt32, n)
		}
		if r, err := parseRate(s); err == nil {
			require.True(t, 0 < r && r <= 1e9, r)
		}
		if st, err := parseStage(s); err == nil {
			require.Positive(t, st.For)
			require.True(t, 0 <= st.From && st.From <= 1e9 && 0 <= st.To && st.To <= 1e9, st)
		}
		if d, err := parseTime(s); err == nil {
			require.Positive(t, d)
		}
		if d, err := parseTimeout(s); err == nil {
			require.Positive(t, d)
		}
		if d, err := parseGrace(s); err == nil {
			require.Positive(t, d)
		}
		if n, err := parseSeed(s); err == nil {
			require.Positive(t, n)
		}
		if v, err := parseTLSVersion(s); err == nil {
			require.Contains(t, []uint16{0x0301, 0x0302, 0x0303, 0x0304}, v)
		}
		r := &engine.RequestOptions{}
		if err := addHeader(r)(s); err == nil {
			require.Equal(t, 1, len(r.Header)+len(r.Without))
		}
		require.Equal(t, withScheme(s), withScheme(withScheme(s)))
		asDuration(s)
	})
}

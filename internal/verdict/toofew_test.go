package verdict

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/loadtestkit/load-tester/internal/unit"
)

// What is said before a run is what its verdict would be at best.
func TestTooFew(t *testing.T) {
	s := DefaultStandard
	for text, to := range map[string]string{
		"p99<=50ms": "judge", "p99>50ms": "judge", "p50<50ms": "judge", "p90<=50ms": "judge",
		"mean<=50ms": "pass", "throughput>=1": "pass", "goodput>=1": "pass",
		"errors<=1%": "pass", "errors<0.5%": "pass",
	} {
		l := limit(t, text)
		need := l.least(s)
		require.Greater(t, need, int64(1), text)
		assert.Equal(t, fmt.Sprintf("%v needs %s requests to %s", l, unit.Count(need), to), l.TooFew(need-1, s))
		assert.Empty(t, l.TooFew(need, s), text)
		assert.NotEqual(t, Pass, judge(t, text, even(need-1, 0, 0, enough), s).Verdict, "%s of %d", text, need-1)
		if text != "p99>50ms" {
			assert.Equal(t, Pass, judge(t, text, even(need, 0, 0, enough), s).Verdict, "%s of %d", text, need)
		}
	}
	assert.Equal(t, "p99<=200ms needs 3,000 requests to judge", limit(t, "p99<=200ms").TooFew(2_000, s))
	for _, text := range []string{"errors<=0%", "errors<=100%", "errors>=50%", "max<=1s"} {
		assert.Empty(t, limit(t, text).TooFew(1, s), "%s of one request is a fact, or may pass", text)
	}
}

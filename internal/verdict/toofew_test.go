package verdict

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/loadtestkit/load-tester/internal/unit"
)

// What is said before a run is what comes of it.
func TestTooFew(t *testing.T) {
	for text, need := range map[string]int64{"p99<=50ms": 3000, "p99>50ms": 3000, "p50<50ms": 60, "p90<=50ms": 300, "p99.9<=50ms": 30_000} {
		l := limit(t, text)
		fewer := fmt.Sprintf("%v needs %s requests to judge", l, unit.Count(need))
		far := fewer + ", or 5s of load if none comes near it"
		if l.lower() {
			far = fewer
		}
		assert.Equal(t, far, l.TooFew(need-1))
		assert.Equal(t, far, l.TooFew(max(30, need/5)), "6 beyond the quantile")
		assert.Equal(t, fewer, l.TooFew(max(30, need/5)-1))
		assert.Empty(t, l.TooFew(need), text)
		assert.Equal(t, Inconclusive, judge(t, text, even(need-1, 1, 0, time.Second), DefaultStandard).Verdict, "%s of %d", text, need-1)
		assert.NotEqual(t, Inconclusive, judge(t, text, even(need, 0, 0, enough), DefaultStandard).Verdict, "%s of %d", text, need)
	}
	for _, text := range []string{"errors<=0%", "errors<=1%", "max<=1s", "mean<=1s", "throughput>=1"} {
		assert.Empty(t, limit(t, text).TooFew(1), "%s of one request can be missed", text)
	}
}

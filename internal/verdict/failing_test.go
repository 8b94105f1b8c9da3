package verdict

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/loadtestkit/load-tester/internal/record"
)

func TestAllFailed(t *testing.T) {
	warm := func(r *record.Record, succeeded, failed int64) *record.Record {
		r.Warmup.Succeeded, r.Warmup.Failed = succeeded, failed
		return r
	}
	const over = time.Second
	for _, tc := range []struct {
		r    *record.Record
		want string
		why  string
	}{
		{seen(over, equal(3, refused)...), "every one of the first 3 requests failed: status 503", ""},
		{seen(over, equal(3, reset)...), "every one of the first 3 requests failed: reset (first: reset)", "an error kind with its message"},
		{seen(over, refused, refused, reset), "every one of the first 3 requests failed: status 503 2, reset 1", "in two ways"},
		{warm(seen(over, equal(1000, refused)...), 0, 812), "every one of the first 1,812 requests failed: status 503", "the warm-up counts"},
		{seen(over, equal(2, refused)...), "", "too few"},
		{warm(seen(over, refused), 0, 2), "every one of the first 3 requests failed: status 503", "enough with the warm-up"},
		{warm(seen(over), 0, 1000), "", "how the warm-up failed is not known"},
		{warm(seen(over, equal(1000, refused)...), 1, 0), "", "one succeeded in the warm-up"},
		{seen(over, append(equal(1000, refused), 0)...), "", "one succeeded"},
		{seen(over), "", "nothing has ended"},
	} {
		assert.Equal(t, tc.want, AllFailed(tc.r), tc.why)
	}
}

// A target that keeps up with the rate has the throughput that is offered: the gap after
// the last request counts.
func TestThroughputOfFewRequests(t *testing.T) {
	r := seen(8*time.Second, equal(40, 0)...)
	assert.Less(t, r.Elapsed, 7900*time.Millisecond)
	for _, limit := range []string{"throughput>=5", "goodput>=5"} {
		f := judge(t, limit, r, DefaultStandard)
		assert.Equal(t, 5.0, f.Observed, limit)
		assert.Contains(t, f.Reason, "40 ", limit)
		assert.Contains(t, f.Reason, " in 8s", limit)
	}
}

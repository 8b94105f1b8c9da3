package verdict

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/loadtestkit/load-tester/internal/record"
)

func limit(t *testing.T, s string) Limit {
	t.Helper()
	l, err := Parse(s)
	require.NoError(t, err)
	return l
}

// judge returns the verdict on one limit.
func judge(t *testing.T, l string, r *record.Record, s Standard) Finding {
	t.Helper()
	return Judge([]Limit{limit(t, l)}, r, s)[0]
}

// What becomes of a request that does not succeed stands in place of its
// response time.
const (
	reset      = -1 - iota // its connection was reset at once
	timedOut               // it failed at once with a message that no terminal should see
	refused                // it got status 503 at once
	unsent                 // it was never sent
	unfinished             // it never ended
)

// seen returns the record of an open workload whose requests were due evenly
// over a span of time, by their response times. It counts those within 50 ms.
func seen(over time.Duration, times ...time.Duration) *record.Record {
	r := record.New(true, []time.Duration{50 * time.Millisecond})
	for k, d := range times {
		due := over * time.Duration(k) / time.Duration(len(times))
		s := record.Sample{N: int64(k), Due: due, Sent: due, Done: due + max(d, 0), Result: record.Result{Status: 200}}
		switch d {
		case unsent:
			r.AddUnsent(due, 1)
			continue
		case unfinished:
			r.AddUnfinished(due, due)
			continue
		case reset:
			s.Result = record.Result{Kind: record.Reset, Err: errors.New("reset")}
		case timedOut:
			s.Result = record.Result{Kind: record.Timeout, Err: errors.New("read tcp 127.0.0.1:51034: i/o \x1b[31mtimeout\n")}
		case refused:
			s.Status, s.Unexpected = 503, true
		}
		r.Add(&s)
	}
	r.Offering, r.Until = over, over
	return r
}

// together returns the record of all requests of several.
func together(all ...*record.Record) *record.Record {
	r := seen(0)
	for _, o := range all {
		r.Merge(o)
	}
	return r
}

// equal returns n equal times.
func equal(n int64, d time.Duration) []time.Duration {
	times := make([]time.Duration, n)
	for i := range times {
		times[i] = d
	}
	return times
}

// mixed returns n times of 4 ms, but slow of them of 60 ms, and missed of them
// what becomes of those. Slow and missed ones come evenly, so that nothing
// depends on anything.
func mixed(n, slow, missed int64, what time.Duration) []time.Duration {
	times := equal(n, 4*time.Millisecond)
	bad := slow + missed
	for k := range n {
		switch at := k * bad / n; {
		case at == (k+1)*bad/n:
		case at*missed/bad != (at+1)*missed/bad:
			times[k] = what
		default:
			times[k] = 60 * time.Millisecond
		}
	}
	return times
}

// even returns the record of n such requests, of which the missed were reset.
func even(n, slow, missed int64, over time.Duration) *record.Record {
	return seen(over, mixed(n, slow, missed, reset)...)
}

func TestEven(t *testing.T) {
	r := even(1000, 30, 10, time.Second)
	require.NoError(t, r.Check())
	assert.Equal(t, []int64{1000, 960, 10}, []int64{r.Due, r.Within[0], r.Failed})
	assert.Equal(t, time.Second, r.Course())
}

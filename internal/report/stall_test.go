package report

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/loadtestkit/load-tester/internal/http1"
	"github.com/loadtestkit/load-tester/internal/record"
)

func TestStalls(t *testing.T) {
	f := Facts{ID: func(n int64) string { return http1.RequestID("3f2a9c", n) }}
	check := func(want []Stall, why string, requests ...record.Slow) {
		t.Helper()
		got := stalls(f, requests)
		for i := range got {
			got[i].Slowest = SlowRequest{ResponseTime: got[i].Slowest.ResponseTime}
		}
		assert.Equal(t, want, got, why)
	}
	slow := func(due, done time.Duration) record.Slow { return record.Slow{Due: due, Sent: due, Done: done} }
	stall := func(n int64, first, last, longest time.Duration) Stall {
		return Stall{Count: n, FirstDue: first, LastDue: last, Slowest: SlowRequest{ResponseTime: longest}}
	}
	check(nil, "nothing")
	check([]Stall{stall(1, ms, ms, 4*ms)}, "one", slow(ms, 5*ms))
	check([]Stall{stall(3, 10*ms, 30*ms, 90*ms), stall(2, 500*ms, 501*ms, 50*ms)}, "two pauses",
		slow(10*ms, 100*ms), slow(20*ms, 100*ms), slow(30*ms, 100*ms), slow(500*ms, 550*ms), slow(501*ms, 550*ms))
	check([]Stall{stall(2, 0, 50*ms, 100*ms), stall(1, 95*ms, 95*ms, 60*ms)}, "a chain is no pause: the third began when the second had ended",
		slow(0, 100*ms), slow(50*ms, 90*ms), slow(95*ms, 155*ms))
	check([]Stall{stall(1, 0, 0, 10*ms), stall(1, 10*ms, 10*ms, 10*ms)}, "one after the other", slow(0, 10*ms), slow(10*ms, 20*ms))
	var many []record.Slow
	for i := range time.Duration(20) {
		many = append(many, slow(i*time.Second, i*time.Second+ms))
	}
	assert.Len(t, stalls(f, many), 10)
	assert.Equal(t, SlowRequest{ID: "3f2a9c-000000000007", Due: ms, ResponseTime: 4 * ms, ServiceTime: 3 * ms, Status: 200},
		stalls(f, []record.Slow{{N: 7, Due: ms, Sent: 2 * ms, Done: 5 * ms, Status: 200}})[0].Slowest)
}

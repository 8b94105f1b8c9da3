package verdict

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/loadtestkit/load-tester/internal/record"
)

// withStatuses returns a record of complete responses.
func withStatuses(statuses map[int]int64) *record.Record {
	r := record.New(false, nil)
	for status, n := range statuses {
		r.Statuses[status] = n
		r.Kinds[record.NoError] += n
	}
	return r
}

func TestMixesDiffer(t *testing.T) {
	check := func(base, head map[int]int64, want string) {
		t.Helper()
		assert.Equal(t, want, MixesDiffer(withStatuses(base), withStatuses(head)))
	}
	type mix = map[int]int64
	check(mix{200: 1000}, mix{200: 3000}, "")
	check(mix{200: 1000}, mix{302: 1000}, "the statuses differ: base: 200 (100%); head: 302 (100%)")
	check(mix{200: 1000}, mix{200: 500, 302: 500}, "the statuses differ: base: 200 (100%); head: 200 (50%), 302 (50%)")
	check(mix{200: 900, 404: 100}, mix{200: 800, 404: 200}, "the statuses differ: base: 200 (90%), 404 (10%); head: 200 (80%), 404 (20%)")
	check(mix{200: 900, 404: 100}, mix{200: 910, 404: 90}, "") // by chance
	check(mix{200: 9}, mix{200: 8, 404: 1}, "")                // too few to say
	check(mix{200: 100_000}, mix{200: 99_500, 503: 500}, "")   // which moves no median
	check(mix{200: 100_000}, mix{200: 98_500, 503: 1500}, "the statuses differ: base: 200 (100%); head: 200 (98.5%), 503 (1.5%)")
	check(mix{}, mix{200: 1000}, "") // other reasons say that base did not answer
	for _, function := range []*record.Record{withStatuses(mix{}), record.New(false, nil)} {
		function.Kinds[record.NoError] = 1000
		assert.Empty(t, MixesDiffer(function, withStatuses(mix{200: 1000})), "a Go function has no statuses")
		assert.Empty(t, MixesDiffer(withStatuses(mix{200: 1000}), function))
	}
	check(mix{200: 1, 201: 1, 202: 1, 203: 1, 204: 100}, mix{302: 1000},
		"the statuses differ: base: 204 (96.2%), 200 (1%), 201 (1%), 202 (1%), ...; head: 302 (100%)")
}

// A rate at which requests fail by their status is no capacity, fast as they may be.
func TestTrialsThatFailByStatus(t *testing.T) {
	p50 := parseAll(t, "p50<=50ms")
	both := parseAll(t, "p50<=50ms", "errors<=40%")
	times := func(failed int) *record.Record {
		r := seen(0)
		for range failed {
			r.Merge(seen(0, refused))
		}
		for range 10 - failed {
			r.Merge(seen(0, 1))
		}
		r.Answers[503] = record.Answer{Body: []byte("busy")}
		return r
	}
	check := func(limits []Limit, failed int, want, reason string) {
		t.Helper()
		limit, why := Blame(limits, times(failed), "")
		assert.Equal(t, want, limit, why)
		assert.Equal(t, reason, why)
	}
	check(p50, 0, "", "")
	check(p50, 3, ByTarget, "3 of 10 failed: status 503 3")
	check(both, 3, "", "")
	check(both, 5, ByTarget, "errors<=40%: error ratio 0.5")
	check(parseAll(t, "errors<=100%"), 10, ByTarget, "10 of 10 failed: status 503 10")
}

func TestReasonsNameRedirectsAndBodies(t *testing.T) {
	check := func(a record.Answer, want string) {
		t.Helper()
		r := seen(1e9, refused, refused)
		r.Answers[503] = a
		assert.Contains(t, judge(t, "errors<=0%", r, DefaultStandard).Reason, want)
	}
	check(record.Answer{}, "(2 of 2: status 503 2)")
	check(record.Answer{Body: []byte("come back\x1b later\n")}, `(2 of 2: status 503 2; first: come back\x1b later)`)
	check(record.Answer{Location: "/login", Body: []byte("x")}, "(2 of 2: status 503 2; first: 503 to /login)")
	check(record.Answer{Location: "/items/", Slashed: "/items"}, "(2 of 2: status 503 2; first: /items redirects to /items/: did you mean that?)")
}

package verdict

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// names lists claims by name and quantile, with their two ratios.
func names(claims []Claim) (all []string) {
	for _, c := range claims {
		s := c.title()
		if c.Witness {
			s += " (witness)"
		}
		all = append(all, s)
	}
	return all
}

func TestClaimsOf(t *testing.T) {
	t.Parallel()
	assert.Equal(t, []Claim{
		{Name: Allocs}, {Name: Bytes},
		{Name: Work, Fail: 1.05, Pass: 1.05},
		{Name: Quick, Fail: 1.05, Pass: 1.05},
		{Name: Alone, Fail: 1.05, Pass: 1.26},
		{Name: Burst, Fail: 1.05, Pass: 1.26},
		{Name: Tail, Q: 0.99, Fail: 1.1, Pass: 1.98},
		{Name: Locks, Fail: 1.05},
		{Name: Load, Q: 0.5, Fail: 1.05},
		{Name: Load, Q: 0.99, Fail: 1.1},
	}, ClaimsOf(nil, 0, 0, 0, 0, nil), "5 % at p50 and 10 % at p99")

	check := func(want []string, claims []Claim) {
		t.Helper()
		assert.Equal(t, want, names(claims))
	}
	check([]string{"allocs", "bytes", "work"}, ClaimsOf(nil, 1.1, 0, 0, 0, nil))
	check([]string{"allocs", "bytes", "tail p95", "load p95"}, ClaimsOf([]Tolerance{{0.95, 1.2}}, 0, 1, 0, 0, nil))
	check([]string{"work"}, ClaimsOf(nil, 0, 0, 0, 0, []string{Work}))
	check([]string{"quick", "alone (witness)"}, ClaimsOf(nil, 0, 0, 0, 0, []string{Quick}))
	check([]string{"quick", "alone"}, ClaimsOf(nil, 0, 0, 0, 0, []string{Alone, Quick}))

	strict := ClaimsOf([]Tolerance{{0.5, 1.05}, {0.99, 1.1}}, 1.2, 3, 400, 1, nil)
	assert.Equal(t, Claim{Name: Allocs, Fail: 3}, strict[0])
	assert.Equal(t, Claim{Name: Bytes, Fail: 400}, strict[1])
	assert.Equal(t, Claim{Name: Work, Fail: 1.2, Pass: 1.2}, strict[2])
	assert.Equal(t, Claim{Name: Tail, Q: 0.99, Fail: 1.1, Pass: 1.1}, strict[6])
}

// add adds n readings in which head takes so many times what base takes, a little more
// and a little less in turn.
func add(i *Inquiry, name string, n int, base, ratio float64) {
	for k := range n {
		i.Add(name, Reading{base, base * ratio * (1 + 0.004*float64(k%5-2))})
	}
}

func find(t *testing.T, i *Inquiry, name string) ClaimFinding {
	t.Helper()
	for _, f := range i.Findings() {
		if f.Name == name {
			return f
		}
	}
	require.Fail(t, "no finding", name)
	return ClaimFinding{}
}

// What it costs to be certain: all of 14 readings above the tolerance are a fail, all
// of them below it a pass, and 13 are neither.
func TestClaimIsSettledAtItsFirstLook(t *testing.T) {
	t.Parallel()
	i := NewInquiry(ClaimsOf(nil, 0, 0, 0, 0, nil), true)
	add(i, Work, 13, 206e3, 1.18)
	assert.True(t, i.Open(Work))
	assert.Equal(t, Inconclusive, i.Verdict())
	assert.Equal(t, Inconclusive, find(t, i, Work).Verdict)
	add(i, Work, 1, 206e3, 1.18)
	assert.False(t, i.Open(Work))
	assert.Equal(t, Fail, i.Verdict())
	f := find(t, i, Work)
	assert.Equal(t, Fail, f.Verdict)
	assert.Equal(t, "a request uses 1.18 times base's processor time, want <= 1.05", f.Summary)
	assert.Equal(t, "99 % interval 1.17 to 1.18; 243µs instead of 206µs", f.Basis)
	assert.Equal(t, "a request uses 1.18 times base's processor time (99 % interval 1.17 to 1.18), want <= 1.05: 243µs instead of 206µs", f.Reason)
	assert.Equal(t, 14, f.Readings)

	add(i, Burst, 14, 2e6, 1.01)
	f = find(t, i, Burst)
	assert.Equal(t, Pass, f.Verdict)
	assert.Equal(t, "requests sent at once take 1.01 times as long, surely not 1.26", f.Summary)
	t.Log(f.Basis)
	for _, f := range i.Findings() {
		t.Logf("%v %s | %s | %s | %s | %s", f.Verdict, f.Name, f.Summary, f.Basis, f.Reason, f.Detail)
	}
	for _, f := range i.Ratios() {
		t.Logf("%v %s | %s", f.Verdict, f.Summary, f.Basis)
	}
}

func TestQuickHasToAgree(t *testing.T) {
	t.Parallel()
	i := NewInquiry(ClaimsOf(nil, 0, 0, 0, 0, nil), true)
	rng := rand.New(rand.NewPCG(1, 1))
	stratum := func(quick, alone float64) {
		var order []Single
		for k := range 4 {
			base, head := 300e3, 300e3*alone
			if k == 0 {
				base, head = 200e3, 200e3*quick
			}
			order = append(order, Single{Time: base}, Single{Head: true, Time: head})
		}
		rng.Shuffle(len(order), func(a, b int) { order[a], order[b] = order[b], order[a] })
		i.AddStratum(order)
	}
	for range 50 {
		stratum(1.18, 0.98)
	}
	f := find(t, i, Quick)
	assert.Equal(t, Inconclusive, f.Verdict)
	assert.Equal(t, Pass, find(t, i, Alone).Verdict)
	assert.True(t, i.Open(Quick))
	assert.True(t, i.Open(Alone), "it may still agree")
	t.Log(f.Reason)
	for range 90 {
		stratum(1.18, 1.08)
	}
	f = find(t, i, Quick)
	assert.Equal(t, Fail, f.Verdict)
	assert.Equal(t, []string{"quick", "alone (witness)"}, names(i.Again()))
}

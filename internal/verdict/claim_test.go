package verdict

import (
	"math"
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

// add adds n readings in which head takes a multiple of what base takes, a little more
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
	assert.Equal(t, "requests sent at once take 1.01 times as long, surely <= 1.26", f.Summary)
	assert.Equal(t, "99 % interval 1.00 to 1.01; 2.02ms instead of 2ms; until the last has its response", f.Basis)
	assert.Equal(t, "0 readings before another claim failed, 14 needed", find(t, i, Quick).Basis)
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
	assert.Equal(t, "99 % interval 1.18 to 1.18; 236µs instead of 200µs; no other claim shows it (alone 0.98), so it may come from where the servers run", f.Basis)
	for range 90 {
		stratum(1.18, 1.08)
	}
	f = find(t, i, Quick)
	assert.Equal(t, Fail, f.Verdict)
	assert.Equal(t, []string{"quick", "alone (witness)"}, names(i.Again()))
}

// A fail of servers that stay needs two claims that show it.
func TestTwoClaimsAgreeOnServersThatStay(t *testing.T) {
	t.Parallel()
	i := NewInquiry(ClaimsOf(nil, 0, 0, 0, 0, nil), false)
	add(i, Work, 21, 206e3, 1.18)
	assert.Equal(t, Inconclusive, find(t, i, Work).Verdict)
	assert.Equal(t, "99 % interval 1.18 to 1.18; 243µs instead of 206µs; nothing else was measured that shows it too", find(t, i, Work).Basis)
	add(i, Burst, 13, 2e6, 1.04)
	assert.Equal(t, Inconclusive, i.Verdict())
	add(i, Burst, 1, 2e6, 1.04)
	assert.Equal(t, Fail, find(t, i, Work).Verdict, "1.04 is beyond half of 5 %")
	assert.Equal(t, Pass, find(t, i, Burst).Verdict, "surely not 1.26")
	assert.Equal(t, []string{"work", "quick (witness)", "alone (witness)", "burst (witness)"}, names(i.Again()))
	assert.True(t, NewInquiry(i.Again(), false).Open(Burst))
}

// In a repeat a claim is not settled by a margin.
func TestAgainIsStrict(t *testing.T) {
	t.Parallel()
	i := NewInquiry(ClaimsOf(nil, 0, 0, 0, 0, nil), true)
	add(i, Burst, 14, 2e6, 1.2)
	assert.Equal(t, []Claim{{Name: Burst, Fail: 1.05, Pass: 1.05}}, i.Again())
	again := NewInquiry(i.Again(), true)
	add(again, Burst, 14, 2e6, 1.06)
	assert.Equal(t, Fail, again.Verdict(), "one claim has the whole error")
}

func TestMissedRequests(t *testing.T) {
	t.Parallel()
	inf := math.Inf(1)
	i := NewInquiry(ClaimsOf(nil, 0, 0, 0, 0, nil), true)
	for range 14 {
		i.Add(Burst, Reading{2e6, inf})
		i.Add(Work, Reading{inf, inf}) // says nothing
		i.Add(Alone, Reading{inf, 3e5})
	}
	f := find(t, i, Burst)
	assert.Equal(t, Fail, f.Verdict)
	assert.Equal(t, "requests sent at once: too many of head's requests failed to compare, want <= 1.05", f.Summary)
	assert.Equal(t, "99 % interval without a bound; a failed request instead of 2ms", f.Basis)
	assert.Equal(t, 0, find(t, i, Work).Readings)
	f = find(t, i, Alone)
	assert.Equal(t, Inconclusive, f.Verdict, "what head is compared with has to be right")
	assert.Contains(t, f.Reason, "base's own requests failed")
}

func TestCountedClaims(t *testing.T) {
	t.Parallel()
	i := NewInquiry(ClaimsOf(nil, 0, 1, 0, 0, nil), true)
	assert.True(t, i.Open(Allocs))
	assert.Equal(t, "how many objects a request allocates is not known", find(t, i, Allocs).Summary)
	i.Add(Allocs, Reading{0, 0})
	assert.Equal(t, Pass, find(t, i, Allocs).Verdict)
	i.Add(Allocs, Reading{12, 14})
	i.Add(Bytes, Reading{1234, 5000})
	f := find(t, i, Allocs)
	assert.Equal(t, Fail, f.Verdict)
	assert.True(t, f.Exact)
	assert.Equal(t, "a request allocates 14 objects, 2 more than base's 12, want <= 1 more", f.Summary)
	f = find(t, i, Bytes)
	assert.Equal(t, NotJudged, f.Verdict)
	assert.Equal(t, "a request allocates 5,000 octets, 3,766 more than base's 1,234", f.Summary)
	assert.Equal(t, Fail, i.Verdict())
	assert.Empty(t, i.Again(), "what was counted is a fact")
}

// What a request of head waits longer for locks is compared with base's response time.
func TestLocks(t *testing.T) {
	t.Parallel()
	judge := func(wait float64) *Inquiry {
		i := NewInquiry(ClaimsOf(nil, 0, 0, 0, 0, nil), true)
		for range 12 {
			p := Pair{Base: block(0, steps(100, 1, 0)...), Head: block(0, steps(100, 1, 0)...)}
			assert.True(t, i.Open(Load, Locks))
			i.AddSustained(p, Reading{1e3, 1e3 + wait})
		}
		assert.False(t, i.Open(Load, Locks))
		return i
	}
	f := find(t, judge(0.1e6), Locks)
	assert.Equal(t, Fail, f.Verdict)
	assert.Equal(t, "waiting for locks makes a request take 1.10 times as long, want <= 1.05", f.Summary)
	assert.Equal(t, "99 % interval 1.10 to 1.10; waits of 101µs instead of 1µs", f.Basis)
	i := judge(0.04e6)
	assert.Equal(t, NotJudged, find(t, i, Locks).Verdict)
	assert.Equal(t, Inconclusive, i.Verdict(), "the other claims are open")
	assert.Equal(t, []string{"p50", "p99"}, []string{i.Ratios()[0].Name(), i.Ratios()[1].Name()})
	assert.Equal(t, NotJudged, i.Ratios()[0].Verdict)
}

// Twice as slow under sustained load is a fail, and the only claim to repeat.
func TestSustainedLoad(t *testing.T) {
	t.Parallel()
	i := NewInquiry(ClaimsOf([]Tolerance{{0.5, 1.05}}, 0, 0, 0, 0, nil), true)
	for range 12 {
		i.AddSustained(Pair{Base: block(0, steps(100, 1, 0.001)...), Head: block(0, steps(100, 2, 0.001)...)}, Reading{})
	}
	assert.Equal(t, Fail, i.Verdict())
	assert.Equal(t, Fail, i.Ratios()[0].Verdict)
	assert.Equal(t, []string{"load p50"}, names(i.Again()))
}

// A pass of the tail needs enough requests to have one: 1,000 of each for p99.
func TestTailNeedsRequests(t *testing.T) {
	t.Parallel()
	i := NewInquiry(ClaimsOf([]Tolerance{{0.99, 1.1}}, 0, 0, 0, 0, nil), true)
	round := func(n int) {
		for range n {
			i.AddRound(Pair{Base: block(0, steps(28, 1, 0.01)...), Head: block(0, steps(28, 1, 0.01)...)})
		}
	}
	round(31)
	f := find(t, i, Tail)
	assert.Equal(t, Inconclusive, f.Verdict)
	assert.Equal(t, "the slowest 1 % (p99) take 1.00 times as long, want surely <= 1.98", f.Summary)
	assert.Contains(t, f.Basis, "868 requests of each, 1,000 needed for a pass: a longer budget would tell")
	round(16)
	f = find(t, i, Tail)
	assert.Equal(t, Pass, f.Verdict)
	assert.Equal(t, "the slowest 1 % (p99) take 1.00 times as long, surely <= 1.98", f.Summary)
	assert.Equal(t, Pass, i.Verdict())
	assert.Equal(t, 47, f.Readings)
}

// Head leaves behind for base what hides that it takes longer: alone passes by its
// readings, but not if what the two do to each other is not the same.
func TestCarryOver(t *testing.T) {
	t.Parallel()
	judge := func(base, head claimTarget) ClaimFinding {
		c := newClaimContest(rand.New(rand.NewPCG(3, 3)), claimWorld{spread: 0.02}, head, ClaimsOf([]Tolerance{{0.5, 1.05}}, 0, 0, 0, 1, []string{Alone}))
		c.base = base
		for range 40 {
			c.round()
		}
		return find(t, c.Inquiry, Alone)
	}
	hidden := judge(claimTarget{}, claimTarget{work: 0.06, leaves: 0.025})
	assert.Equal(t, Inconclusive, hidden.Verdict)
	assert.Contains(t, hidden.Reason, "right after head, base takes 1.1")
	both := judge(claimTarget{leaves: 0.025}, claimTarget{leaves: 0.025})
	assert.Equal(t, Pass, both.Verdict, "what each does to the other hides nothing")
}

// With many claims a look at 14 readings could refute none, so later ones get its part.
func TestLooksThatCannotRefuteTakeNoError(t *testing.T) {
	t.Parallel()
	q := newQuestion(Claim{Name: Work, Fail: 1.05, Pass: 1.05}, 12)
	assert.Zero(t, q.first)
	assert.InEpsilon(t, 0.01/12/13, q.fail, 1e-12)
	q = newQuestion(Claim{Name: Work, Fail: 1.05, Pass: 1.05}, 13)
	assert.Equal(t, 1, q.first)
	assert.InEpsilon(t, 0.01/13/12, q.fail, 1e-12)
	q = newQuestion(Claim{Name: Tail, Q: 0.99, Fail: 1.1, Pass: 1.98}, 9)
	assert.Equal(t, 1, q.first, "ranks have half of it")
}

// The end of the time is a look, in place of the next.
func TestConclude(t *testing.T) {
	t.Parallel()
	claims := []Claim{{Name: Work, Fail: 1.05, Pass: 1.05}}
	i := NewInquiry(claims, true)
	add(i, Work, 13, 1e6, 1.5)
	i.Conclude()
	assert.Equal(t, Inconclusive, i.Verdict(), "too few for any look")
	add(i, Work, 1, 1e6, 0.5) // at the first look one of them disagrees
	require.Equal(t, Inconclusive, i.Verdict())
	i.Conclude()
	assert.Equal(t, Inconclusive, i.Verdict(), "nothing new since the last look")
	add(i, Work, 6, 1e6, 1.5)
	require.Equal(t, Inconclusive, i.Verdict())
	i.Conclude()
	assert.Equal(t, Fail, i.Verdict())
}

// What need not pass can fail, and its repeat examines it.
func TestSparedClaimFails(t *testing.T) {
	t.Parallel()
	spared := Claim{Name: Work, Fail: 1.05, Spared: "not needed for a pass"}
	i := NewInquiry([]Claim{spared, {Name: Burst, Fail: 1.05, Pass: 1.26}}, true)
	require.False(t, i.Open(Work), "it asks for no readings")
	for range 14 {
		add(i, Work, 1, 1e6, 1.5)
		add(i, Burst, 1, 1e6, 1)
	}
	require.Equal(t, Fail, i.Verdict())
	again := i.Again()
	require.Len(t, again, 1)
	assert.True(t, NewInquiry(again, true).Open(Work), "%+v", again[0])

	i = NewInquiry([]Claim{spared, {Name: Burst, Fail: 1.05, Pass: 1.26}}, true)
	add(i, Work, 14, 1e6, 1)
	add(i, Burst, 14, 1e6, 1)
	assert.Equal(t, Pass, i.Verdict())
	f := find(t, i, Work)
	assert.Equal(t, NotJudged, f.Verdict)
	assert.Contains(t, f.Basis, "not needed for a pass")
}

// The readings of locks change their sign alone if base and head are swapped.
func TestLocksAreJudgedAlikeEitherWay(t *testing.T) {
	t.Parallel()
	excess := func(base, head float64, waits Reading) float64 {
		i := NewInquiry([]Claim{{Name: Locks, Fail: 1.05}}, true)
		i.AddSustained(Pair{Base: block(0, base), Head: block(0, head)}, waits)
		return i.questions[0].excess[0]
	}
	assert.Equal(t, excess(1e6, 3e6, Reading{1e5, 5e5}), -excess(3e6, 1e6, Reading{5e5, 1e5}))
}

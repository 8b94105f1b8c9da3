package verdict

import (
	"math"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/loadtestkit/load-tester/internal/hist"
	"github.com/loadtestkit/load-tester/internal/unit"
)

// abRuns returns how many times to simulate: few, or all of the plan if
// LOADTESTKIT_SIMULATE is 1.
func abRuns(few, plan int) int {
	if os.Getenv("LOADTESTKIT_SIMULATE") == "1" {
		return plan
	}
	return few
}

// abMost returns the largest number of hits out of runs that a chance of 1 %
// may give: its mean and 3 standard deviations, and 3 of few runs.
func abMost(runs int) int {
	mean := 0.01 * float64(runs)
	return max(3, int(mean+3*math.Sqrt(0.99*mean)))
}

// An abEnvironment is a machine on which both targets run, one request each
// millisecond. Service times have a median of 1 ms.
type abEnvironment struct {
	name   string
	spread float64 // of the logarithm of a service time
	phi    float64 // how much of it is as in the request before
	slow   float64 // slower by this in periods of 1 s mean, every 5 s; 0 is never
	stalls float64 // chance per request of a stall of 30 ms mean, which backs up what follows
	drift  float64 // how much slower it gets from start to end
	period float64 // slower by this in every second block
}

var abEnvironments = []abEnvironment{
	{name: "iid", spread: 0.5},
	{name: "ar .99", spread: 0.2, phi: 0.99},
	{name: "regime", spread: 0.2, phi: 0.9, slow: 3},
	{name: "stall", spread: 0.2, phi: 0.9, stalls: 1.0 / 2000},
	{name: "drift", spread: 0.5, drift: 0.3},
	{name: "all", spread: 0.2, phi: 0.99, slow: 3, stalls: 1.0 / 2000, drift: 0.3},
}

// An abHead is how head differs from base; the zero value makes it slower by
// nothing at all.
type abHead struct {
	service float64 // more of a service time: 0.1 is 10 % more
	time    float64 // likewise of a whole response time, the machine's stalls too
	stalls  float64 // chance per request of a stall of its own, of 20 ms
}

// abMachine is where an environment stands.
type abMachine struct {
	abEnvironment
	rng      *rand.Rand
	ar       float64 // of mean 0 and standard deviation 1
	isSlow   bool
	backlog  float64 // ms
	at, ends int     // requests
	blocks   int
}

// run returns a block of so many requests.
func (m *abMachine) run(size int, head abHead) Block {
	b := Block{Times: hist.New(10)}
	own := 0.0 // backlog of head's own stalls
	m.blocks++
	for range size {
		m.ar = m.phi*m.ar + math.Sqrt(1-m.phi*m.phi)*m.rng.NormFloat64()
		ms := math.Exp(m.spread*m.ar) * (1 + head.service) * (1 + m.drift*float64(m.at)/float64(m.ends))
		m.at++
		if m.slow > 0 {
			leave := 1.0 / 4000
			if m.isSlow {
				leave = 1.0 / 1000
				ms *= m.slow
			}
			m.isSlow = m.isSlow != (m.rng.Float64() < leave)
		}
		if m.blocks%2 == 0 {
			ms *= 1 + m.period
		}
		m.backlog = max(0, m.backlog-1)
		if m.rng.Float64() < m.stalls {
			m.backlog += 30 * m.rng.ExpFloat64()
		}
		own = max(0, own-1)
		if m.rng.Float64() < head.stalls {
			own += 20
		}
		b.Times.Record(int64(1e6 * (ms + m.backlog + own) * (1 + head.time)))
	}
	return b
}

// newABMachine returns a machine on which at most n pairs of blocks of size
// requests are measured.
func newABMachine(rng *rand.Rand, env abEnvironment, n, size int) *abMachine {
	return &abMachine{abEnvironment: env, rng: rng, ar: rng.NormFloat64(), isSlow: env.slow > 0 && rng.IntN(5) == 0, ends: 2 * n * size}
}

// pair measures one pair.
func (m *abMachine) pair(size int, head abHead, headFirst bool) (p Pair) {
	if headFirst {
		p.Head = m.run(size, head)
		p.Base = m.run(size, abHead{})
		return p
	}
	p.Base = m.run(size, abHead{})
	p.Head = m.run(size, head)
	return p
}

// abPairs measures n pairs, in an order by coin.
func abPairs(rng *rand.Rand, env abEnvironment, n, size int, head abHead) []Pair {
	return abOrdered(rng, env, n, size, head, func() bool { return rng.IntN(2) == 0 })
}

func abOrdered(rng *rand.Rand, env abEnvironment, n, size int, head abHead, headFirst func() bool) []Pair {
	m := newABMachine(rng, env, n, size)
	pairs := make([]Pair, n)
	for i := range pairs {
		pairs[i] = m.pair(size, head, headFirst())
	}
	return pairs
}

// abCompare measures up to 237 pairs of 100 requests and judges them at every
// look until there is a verdict, with 1 % for a false one on either side. It
// returns what the last look said.
func abCompare(rng *rand.Rand, env abEnvironment, head abHead, tol Tolerance) (r PairsFinding) {
	const size = 100
	looks := claimLooks[:8]
	m := newABMachine(rng, env, looks[7], size)
	var pairs []Pair
	for _, n := range looks {
		for len(pairs) < n {
			pairs = append(pairs, m.pair(size, head, rng.IntN(2) == 0))
		}
		c := compare(pairs, Claim{Q: tol.Q, Fail: tol.Ratio, Pass: tol.Ratio})
		share := 0.01 / float64(len(looks))
		if r = (PairsFinding{Verdict: c.judge(share, share).verdict, Pairs: len(c.logs)}); r.Verdict != Inconclusive {
			break
		}
	}
	return r
}

// An abTally counts verdicts.
type abTally struct{ fail, pass, inconclusive, pairs int }

func (a *abTally) add(r PairsFinding) {
	a.pairs += r.Pairs
	switch r.Verdict {
	case Fail:
		a.fail++
	case Pass:
		a.pass++
	default:
		a.inconclusive++
	}
}

// Two equal targets differ significantly no more often than chance has it,
// whatever the machine does to both.
func TestABEqualTargetsDifferByChanceOnly(t *testing.T) {
	t.Parallel()
	runs := abRuns(30, 2000)
	for i, env := range abEnvironments {
		rng := rand.New(rand.NewPCG(11, uint64(i)))
		var p50, p99 abTally
		for range runs {
			pairs := abPairs(rng, env, 50, 100, abHead{})
			p50.add(judgeRatio(pairs, Tolerance{0.5, 1}, 0.01, 0.01))
			p99.add(judgeRatio(pairs, Tolerance{0.99, 1}, 0.01, 0.01))
		}
		t.Logf("%-7s slower at p50 %3d, at p99 %3d; faster at p50 %3d, at p99 %3d, of %d", env.name, p50.fail, p99.fail, p50.pass, p99.pass, runs)
		most := abMost(runs)
		if runs == 2000 {
			most = 35 // exceeded once in 1000
		}
		for _, n := range []int{p50.fail, p99.fail, p50.pass, p99.pass} {
			assert.LessOrEqual(t, n, most, env.name)
		}
	}
}

// The coin is what makes it so. In a fixed order whatever comes second is
// found slower where the machine gets slower, or every second block is.
func TestABFixedOrderMisleads(t *testing.T) {
	t.Parallel()
	runs := abRuns(40, 2000)
	env := abEnvironment{name: "drift and period 2", spread: 0.5, drift: 0.3, period: 0.05}
	rng := rand.New(rand.NewPCG(12, 1))
	var coin, fixed abTally
	for range runs {
		tol := Tolerance{0.5, 1}
		coin.add(judgeRatio(abPairs(rng, env, 50, 100, abHead{}), tol, 0.01, 0.01))
		fixed.add(judgeRatio(abOrdered(rng, env, 50, 100, abHead{}, func() bool { return false }), tol, 0.01, 0.01))
	}
	t.Logf("equal targets found slower: by coin %d, in fixed order %d, of %d", coin.fail, fixed.fail, runs)
	assert.LessOrEqual(t, coin.fail, abMost(runs))
	assert.Greater(t, fixed.fail, runs/2)
}

// At exactly the tolerance neither verdict is given more often than it may be,
// though there are eight looks at it.
func TestABAtTheTolerance(t *testing.T) {
	t.Parallel()
	runs := abRuns(4, 1000)
	check := func(seed uint64, tol Tolerance) {
		t.Helper()
		for i, env := range abEnvironments {
			rng := rand.New(rand.NewPCG(seed, uint64(i)))
			var got abTally
			for range runs {
				got.add(abCompare(rng, env, abHead{time: tol.Ratio - 1}, tol))
			}
			t.Logf("p%v of %-7s fail %3d, pass %3d, of %d", 100*tol.Q, env.name, got.fail, got.pass, runs)
			assert.LessOrEqual(t, got.fail, abMost(runs), env.name)
			assert.LessOrEqual(t, got.pass, abMost(runs), env.name)
		}
	}
	check(13, Tolerance{0.5, 1.05})
	check(14, Tolerance{0.99, 1.1})
}

// What is slower by more than the tolerance is found.
func TestABFindsSlowerHeads(t *testing.T) {
	t.Parallel()
	runs := abRuns(6, 300)
	check := func(seed uint64, tol Tolerance, head abHead, least float64, names ...string) {
		t.Helper()
		for i, env := range abEnvironments {
			for _, name := range names {
				if name != env.name {
					continue
				}
				rng := rand.New(rand.NewPCG(seed, uint64(i)))
				var got abTally
				for range runs {
					got.add(abCompare(rng, env, head, tol))
				}
				t.Logf("p%v at most %.2f times, head %+v, %-7s fail %5.1f %%, pass %5.1f %%, mean pairs %3d", 100*tol.Q, tol.Ratio, head, name,
					100*float64(got.fail)/float64(runs), 100*float64(got.pass)/float64(runs), got.pairs/runs)
				assert.GreaterOrEqual(t, float64(got.fail), math.Floor(least*float64(runs)), name)
			}
		}
	}
	everywhere := []string{"iid", "ar .99", "regime", "stall", "drift", "all"}
	check(15, Tolerance{0.5, 1}, abHead{service: 0.1}, 0.95, everywhere...)
	check(16, Tolerance{0.5, 1.05}, abHead{service: 0.1}, 0.95, "iid", "regime", "stall")
	check(17, Tolerance{0.5, 1.05}, abHead{service: 0.2}, 0.95, "all")
	check(18, Tolerance{0.99, 1.1}, abHead{service: 0.25}, 0.95, everywhere...)
	check(19, Tolerance{0.99, 1.1}, abHead{stalls: 1.0 / 1000}, 0.8, "iid")
}

// Equal targets pass, if less often where the machine is noisy.
func TestABEqualTargetsPass(t *testing.T) {
	t.Parallel()
	runs := abRuns(6, 300)
	check := func(seed uint64, tol Tolerance, least map[string]float64) {
		t.Helper()
		for i, env := range abEnvironments {
			rng := rand.New(rand.NewPCG(seed, uint64(i)))
			var got abTally
			for range runs {
				got.add(abCompare(rng, env, abHead{}, tol))
			}
			t.Logf("p%v at most %.2f times, equal targets, %-7s fail %5.1f %%, pass %5.1f %%, mean pairs %3d", 100*tol.Q, tol.Ratio, env.name,
				100*float64(got.fail)/float64(runs), 100*float64(got.pass)/float64(runs), got.pairs/runs)
			assert.GreaterOrEqual(t, float64(got.pass), math.Floor(least[env.name]*float64(runs)), env.name)
		}
	}
	check(20, Tolerance{0.5, 1.05}, map[string]float64{"iid": 0.95, "regime": 0.95, "stall": 0.95, "drift": 0.95})
	check(21, Tolerance{0.99, 1.1}, map[string]float64{"iid": 0.95, "regime": 0.95, "stall": 0.85, "drift": 0.95})
}

// The 99 % interval holds the true ratio in at least 98.5 % of runs.
func TestABIntervalHoldsTheRatio(t *testing.T) {
	t.Parallel()
	runs := abRuns(40, 2000)
	for i, env := range abEnvironments {
		rng := rand.New(rand.NewPCG(22, uint64(i)))
		held := 0
		for range runs {
			r := judgeRatio(abPairs(rng, env, 50, 100, abHead{time: 0.1}), Tolerance{0.5, 1}, 0.01, 0.01)
			if r.Low <= 1.1 && 1.1 <= r.High {
				held++
			}
		}
		t.Logf("%-7s held by %.2f %% of %d", env.name, 100*float64(held)/float64(runs), runs)
		assert.GreaterOrEqual(t, held, runs-abMost(runs), env.name)
		if runs >= 1000 {
			assert.GreaterOrEqual(t, float64(held), 0.985*float64(runs), env.name)
		}
	}
}

// A look takes its time from the processors that are measured.
func BenchmarkJudgePairs(b *testing.B) {
	for _, size := range []int{100, 2000} {
		pairs := abPairs(rand.New(rand.NewPCG(1, 1)), abEnvironments[5], 200, size, abHead{})
		for _, q := range []float64{0.5, 0.99} {
			b.Run(unit.QuantileName(q)+" of 200 pairs of "+unit.Count(int64(size)), func(b *testing.B) {
				for b.Loop() {
					judgeRatio(pairs, Tolerance{q, 1.1}, 1e-4, 1e-4)
				}
			})
		}
	}
}

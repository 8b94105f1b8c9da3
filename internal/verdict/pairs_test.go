package verdict

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/loadtestkit/load-tester/internal/hist"
)

// judgeRatio judges pairs by one ratio.
func judgeRatio(pairs []Pair, t Tolerance, fail, pass float64) PairsFinding {
	c := compare(pairs, Claim{Q: t.Q, Fail: t.Ratio, Pass: t.Ratio})
	return c.describe(c.judge(fail, pass))
}

// block returns a block of requests that took so many milliseconds.
func block(missed int64, ms ...float64) Block {
	h := hist.New(10)
	for _, v := range ms {
		h.Record(int64(v * float64(time.Millisecond)))
	}
	return Block{Times: h, Missed: missed}
}

func TestBlockQuantile(t *testing.T) {
	check := func(b Block, q, want float64) {
		t.Helper()
		assert.InEpsilon(t, want*1e6, b.quantile(q), 1e-3)
	}
	check(block(0, 1, 2, 3, 4), 0.5, 2)
	check(block(0, 1, 2, 3, 4, 5), 0.5, 3) // rank ceil(2.5)
	check(block(1, 1, 2, 3, 4), 0.5, 3)    // rank 3 of the 5 due
	check(block(4, 1, 2, 3, 4), 0.5, 4)    // rank 4 of the 8 due, the last that succeeded
	check(block(0, 1, 2, 3, 4), 0.99, 4)   // so few: the slowest
	check(block(0, 0), 0.5, 1e-6)          // 0 has no logarithm
	assert.Equal(t, math.Inf(1), block(5, 1, 2, 3, 4).quantile(0.5), "rank 5 of 9 was missed")
	assert.Equal(t, math.Inf(1), block(1).quantile(0.5))
}

// level returns pairs of blocks in which the faster half took ms in base and
// that times a ratio in head, in the same order of the two throughout.
func level(ms float64, ratios ...float64) []Pair {
	pairs := make([]Pair, len(ratios))
	for i, r := range ratios {
		pairs[i] = Pair{Base: block(0, ms, 100*ms), Head: block(0, r*ms, 100*r*ms)}
	}
	return pairs
}

// steps returns n evenly spaced numbers.
func steps(n int, from, step float64) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = from + step*float64(i)
	}
	return x
}

func TestJudgePairs(t *testing.T) {
	check := func(pairs []Pair, tol Tolerance, verdict Verdict, reason string) PairsFinding {
		t.Helper()
		r := judgeRatio(pairs, tol, 0.001, 0.001)
		assert.Equal(t, verdict, r.Verdict)
		assert.Equal(t, reason, r.Reason)
		assert.Equal(t, len(pairs), r.Pairs+r.LeftOut)
		return r
	}
	p50 := Tolerance{0.5, 1.05}

	// 12 of 12 above are p = 1/4096. The ratios are nearly even in logarithms,
	// so that their middle, 1.155, is nearly the estimate.
	r := check(level(10, steps(12, 1.1, 0.01)...), p50, Fail,
		"head is 1.15 times base at p50 (99 % interval 1.12 to 1.19), at most 1.05 allowed")
	assert.Equal(t, 12, r.Pairs)
	assert.InEpsilon(t, 1.155, r.Estimate, 2e-3)
	assert.InEpsilon(t, 10e6, r.Base, 1e-3)
	assert.InEpsilon(t, 12.1e6, r.Head, 1e-3, "rank 12 of 24, the largest of the faster half")
	assert.Equal(t, "signed-rank of 12 pairs: above 1.05 p=0.00024 (fail at 0.001), below 1.05 p=1 (pass at 0.001); "+
		"12 of 12 pairs are above 1.05, evidence 630 to 1", r.Detail, "2^13/13 * (1-2^-13) is 630")
	assert.False(t, r.BlockLevel)

	check(level(10, steps(12, 0.9, 0.01)...), p50, Pass,
		"head is 0.95 times base at p50 (99 % interval 0.92 to 0.99), at most 1.05 allowed")
	check(level(10, steps(12, 0.96, 0.02)...), p50, Inconclusive,
		"head is 1.07 times base at p50 (99 % interval 1.00 to 1.14), at most 1.05 allowed: 12 pairs do not tell; a longer budget or a tolerance of 1.15 would")
	check(level(10, steps(11, 2, 0.1)...), p50, Inconclusive, "p50: 11 pairs to compare, 12 needed")
	check(nil, p50, Inconclusive, "p50: 0 pairs to compare, 12 needed")

	// Each block has 2 of the 100 requests that p99 needs.
	r = check(level(10, steps(12, 1.2, 0.01)...), Tolerance{0.99, 1.1}, Fail,
		"head is 1.25 times base at p99, by the slowest of each block (99 % interval 1.22 to 1.29), at most 1.1 allowed")
	assert.True(t, r.BlockLevel)
	assert.Contains(t, r.Detail, "p=0.00024 (fail at 0.0005)", "from p95 on half is for slow requests")
}

func TestJudgePairsThatCannotBeCompared(t *testing.T) {
	idle := Pair{Base: block(0), Head: block(0)}
	half := Pair{Base: block(0, 1, 2), Head: block(0)}
	down := Pair{Base: block(2), Head: block(1, 1)} // p99 missed in both
	worse := Pair{Base: block(0, 1, 2), Head: block(2)}

	pairs := append(level(10, steps(12, 1.2, 0.01)...), idle, half, down)
	r := judgeRatio(pairs, Tolerance{0.99, 1.1}, 0.001, 0.001)
	assert.Equal(t, Fail, r.Verdict)
	assert.Equal(t, 12, r.Pairs)
	assert.Equal(t, 3, r.LeftOut)
	assert.Contains(t, r.Detail, "3 pairs left out")
	assert.Equal(t, math.Inf(1), r.Base, "2 of base's 26 were missed all the same")

	r = judgeRatio([]Pair{idle, half, down}, Tolerance{0.99, 1.1}, 1, 1)
	assert.Equal(t, Inconclusive, r.Verdict)
	assert.Equal(t, "p99: 0 pairs to compare, 12 needed (in 3 more no request was due, or both missed too many)", r.Reason)

	pairs = nil
	for range 12 {
		pairs = append(pairs, worse)
	}
	r = judgeRatio(pairs, Tolerance{0.5, 1.05}, 0.001, 0.001)
	assert.Equal(t, Fail, r.Verdict, "what is missed is slower than any time")
	assert.Equal(t, "head missed too many requests to compare them with base at p50 (99 % interval without a bound), at most 1.05 allowed", r.Reason)
	assert.Equal(t, math.Inf(1), r.Estimate)
	for i := range pairs {
		pairs[i].Base, pairs[i].Head = pairs[i].Head, pairs[i].Base
	}
	r = judgeRatio(pairs, Tolerance{0.5, 1.05}, 0.001, 0.001)
	assert.Equal(t, Pass, r.Verdict)
	assert.Zero(t, r.Estimate)
}

func TestRatioText(t *testing.T) {
	check := func(low, high float64, want string) {
		t.Helper()
		r := PairsFinding{Tolerance: Tolerance{0.5, 1.05}, Low: low, High: high}
		assert.Equal(t, want, r.interval())
	}
	inf := math.Inf(1)
	check(1.08, 1.16, "1.08 to 1.16")
	check(1.0512, 1.16, "1.051 to 1.16") // 1.05 would look allowed
	check(1.05003, 1.16, "1.0500 to 1.16")
	check(0, 1.16, "up to 1.16")
	check(1.08, inf, "1.08 or more")
	check(0, inf, "without a bound")
	check(inf, inf, "without a bound")
	check(0, 0, "without a bound")

	lacking := func(high float64, want string) {
		t.Helper()
		r := PairsFinding{Tolerance: Tolerance{0.5, 1.05}, High: high, Pairs: 200}
		assert.Equal(t, ": 200 pairs do not tell; a longer budget"+want, r.lacking())
	}
	lacking(1.09, " or a tolerance of 1.10 would")
	lacking(1.0501, " or a tolerance of 1.10 would")
	lacking(1.04, " would") // inside, though not surely enough
	lacking(inf, " would")
}

// A head that stalls in one block of ten, for five requests of twenty in it,
// leaves the ratios of most blocks as they are.
func TestJudgePairsSeesRareStalls(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	pairs := func(n int, stall float64) []Pair {
		var ps []Pair
		for i := range n {
			var base, head []float64
			for range 20 {
				base = append(base, 10+rng.Float64())
				head = append(head, 10+rng.Float64())
			}
			if i%10 == 0 {
				for j := range 5 {
					head[j] += stall
				}
			}
			ps = append(ps, Pair{Base: block(0, base...), Head: block(0, head...)})
		}
		return ps
	}
	tol := Tolerance{0.99, 1.1}

	// 20 blocks of 200 stall: 100 of 8,000 requests, of which the slowest 80 are
	// beyond the pool's p99. All signs are head's: p = 2^-20.
	r := judgeRatio(pairs(200, 50), tol, 0.01, 0.01)
	assert.Equal(t, Fail, r.Verdict)
	assert.Regexp(t, `^head is 1\.0\d times base at p99, by the slowest of each block \(99 % interval .*\), at most 1.1 allowed, but 75 of head's 4,000 requests took longer than 60\.\dms, 0 of base's 4,000 longer than 54\.\dms$`, r.Reason)
	assert.InDelta(t, 1, r.Estimate, 0.01, "the ratio of blocks does not see it")
	assert.Contains(t, r.Detail, "p=9.5e-07 (fail at 0.0025, no pass at 0.2)")

	// 6 stalled blocks are p = 1/64: too likely for a fail, too unlikely for a pass.
	r = judgeRatio(pairs(60, 50), tol, 0.01, 0.01)
	assert.Equal(t, Inconclusive, r.Verdict)
	assert.Regexp(t, "allowed, but 22 of head's 1,200 requests took longer than 60.* a longer budget would tell$", r.Reason)

	r = judgeRatio(pairs(60, 0), tol, 0.01, 0.01)
	assert.Equal(t, Pass, r.Verdict)
	r = judgeRatio(pairs(200, 50), Tolerance{0.9, 1.1}, 0.01, 0.01)
	assert.Equal(t, Pass, r.Verdict, "p90 does not promise anything about them")
}

func TestExcessesCountTheMissed(t *testing.T) {
	// 3 of 200 requests in the pool are missed, so that p99 would be: what is
	// beyond the slowest that succeeded are exactly the missed.
	base := block(0, steps(100, 10, 0.01)...)
	head := block(3, steps(97, 10, 0.01)...)
	all := excesses([]Pair{{Base: base, Head: head}}, base, head, Tolerance{0.99, 1})
	require.Len(t, all, 2)
	assert.Equal(t, excess{over: float64(base.Times.Max()), ratio: 1, base: 0, head: 3, p: 0.5}, all[0])
	assert.Equal(t, all[0], all[1])

	all = excesses([]Pair{{Base: base, Head: head}}, base, head, Tolerance{0.999, 1})
	assert.Len(t, all, 1, "p99.9 is counted once")
	assert.Empty(t, excesses([]Pair{{Base: base, Head: head}}, base, head, Tolerance{0.9, 1}))
}

func TestSlowTimesDividesHead(t *testing.T) {
	base := block(0, steps(50, 1, 1)...)   // 1 to 50
	head := block(0, steps(50, 102, 2)...) // 102 to 200: 51 to 100 divided by 2
	times := slowTimes(base, head, 2, []float64{0.95, 0.4, 0.999})
	assert.InEpsilon(t, 95e6, times[0], 1e-3)
	assert.InEpsilon(t, 40e6, times[1], 1e-3)
	assert.InEpsilon(t, 100e6, times[2], 1e-3)
	assert.Equal(t, int64(5), head.above(times[0], 2))
	assert.Equal(t, int64(0), base.above(times[0], 1))
	assert.Equal(t, int64(10), base.above(times[1], 1))
}

package verdict

import (
	"cmp"
	"math"
	"slices"

	"github.com/loadtestkit/load-tester/internal/stat"
)

// guardFrom is the quantile from which the requests beyond it are counted as
// well: there a block's quantile rests on few requests, and a head that stalls
// now and then leaves most blocks as they were.
const guardFrom = 0.95

// guardQuantile is a second place at which they are counted, for stalls that are
// rarer than the judged quantile shows.
const guardQuantile = 0.999

// An excess is how many requests of each target were slower than a time, and the
// probability that tossing coins would give head as many more.
type excess struct {
	over       float64 // base's time in ns; head's is ratio times that
	ratio      float64
	base, head int64
	p          float64
}

// excesses counts the slow requests of pairs, which all [Pair.counts]. The
// times that count as slow are quantiles of base's times and head's, divided by
// the tolerance, in one pool: as if head were just allowed, swapping the two in
// a pair would not move them.
func excesses(pairs []Pair, base, head Block, t Tolerance) []excess {
	if t.Q < guardFrom || t.Ratio == 0 {
		return nil
	}
	quantiles := []float64{t.Q}
	if t.Q < guardQuantile {
		quantiles = append(quantiles, guardQuantile)
	}
	var all []excess
	for _, over := range slowTimes(base, head, t.Ratio, quantiles) {
		e := excess{over: over, ratio: t.Ratio}
		differences := make([]int64, 0, len(pairs))
		for _, p := range pairs {
			b, h := p.Base.above(over, 1), p.Head.above(over, t.Ratio)
			e.base += b
			e.head += h
			differences = append(differences, h-b)
		}
		e.p = stat.SignFlip(differences)
		all = append(all, e)
	}
	return all
}

// above counts the requests of b that took longer than over once their times
// are divided by ratio, the missed among them.
func (b Block) above(over, ratio float64) int64 {
	n := b.Missed
	if float64(b.Times.Max())/ratio <= over {
		return n
	}
	for v, count := range b.Times.Buckets() {
		if float64(v)/ratio > over {
			n += count
		}
	}
	return n
}

// slowTimes returns the quantiles of base's times and head's divided by ratio.
// One that would be a missed request's is the longest time instead, so that
// exactly the missed are beyond it.
func slowTimes(base, head Block, ratio float64, quantiles []float64) []float64 {
	type bucket struct {
		v float64
		n int64
	}
	var buckets []bucket
	for v, n := range base.Times.Buckets() {
		buckets = append(buckets, bucket{float64(v), n})
	}
	for v, n := range head.Times.Buckets() {
		buckets = append(buckets, bucket{float64(v) / ratio, n})
	}
	slices.SortFunc(buckets, func(a, b bucket) int { return cmp.Compare(a.v, b.v) })
	longest := max(float64(base.Times.Max()), float64(head.Times.Max())/ratio)
	times := make([]float64, len(quantiles))
	for i, q := range quantiles {
		times[i] = longest
		rank := stat.Rank(q, base.due()+head.due())
		for _, b := range buckets {
			if rank -= b.n; rank <= 0 {
				times[i] = b.v
				break
			}
		}
	}
	return times
}

// firstBelow returns the first of all whose p value is at most alpha, and whether
// there is one.
func firstBelow(all []excess, alpha float64) (excess, bool) {
	i := slices.IndexFunc(all, func(e excess) bool { return e.p <= alpha })
	if i < 0 {
		return excess{p: math.NaN()}, false
	}
	return all[i], true
}

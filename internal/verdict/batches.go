package verdict

import (
	"math"

	"github.com/loadtestkit/load-tester/internal/stat"
)

// A batch is a part of the run: the sum of something over it and what that is
// divided by, such as slow requests and all requests, or responses and seconds.
type batch struct{ sum, of float64 }

func (b batch) add(o batch) batch { return batch{b.sum + o.sum, b.of + o.of} }

// total adds up batches.
func total(all []batch) (t batch) {
	for _, b := range all {
		t = t.add(b)
	}
	return t
}

// batchCounts are the numbers of batches into which a run is cut to see how its
// requests depend on each other: what lasts long shows in few, what comes often
// in many. Schmeiser (1982) advises 10 to 30.
var batchCounts = [...]int{64, 32, 16}

// fewestBatches: the spread of fewer says next to nothing.
const fewestBatches = 8

// levels returns the numbers of batches into which a number of intervals can be
// cut, none if they are too few.
func levels(intervals int) []int {
	for i, n := range batchCounts {
		if n <= intervals {
			return batchCounts[i:]
		}
	}
	if intervals >= fewestBatches {
		return []int{intervals}
	}
	return nil
}

// freedom returns the degrees of freedom of what [variance] estimates: those of
// the fewest batches; 0 if there are too few intervals.
func freedom(intervals int) float64 {
	l := levels(intervals)
	if len(l) == 0 {
		return 0
	}
	return float64(l[len(l)-1] - 1)
}

// merge returns the batches as n of about equal length, n at most their number.
func merge(all []batch, n int) []batch {
	out := make([]batch, n)
	for i := range out {
		out[i] = total(all[i*len(all)/n : (i+1)*len(all)/n])
	}
	return out
}

// variance returns an estimate of the variance of the ratio sum/of over all the
// batches, too large rather than too small: the largest over the numbers of
// batches. It is 0 if there are too few batches.
func variance(all []batch) float64 {
	most := 0.0
	for _, n := range levels(len(all)) {
		most = max(most, varianceOf(merge(all, n)))
	}
	return most
}

// varianceOf takes the batches as they are. They need not be of equal size
// (ratio estimator, Cochran 1977, section 6.4). Where neighbours still depend on
// each other, longer batches would vary more; an autoregression of order 1
// estimates how much more (as in SBatch, Lada and Wilson 2008).
func varianceOf(all []batch) float64 {
	t, n := total(all), float64(len(all))
	ratio := t.sum / t.of
	squares, neighbours, last := 0.0, 0.0, 0.0
	for _, b := range all {
		rest := b.sum - ratio*b.of
		squares += rest * rest
		neighbours += rest * last
		last = rest
	}
	if squares == 0 {
		return 0
	}
	v := squares * n / (n - 1) / (t.of * t.of)
	if r := min(neighbours/squares, maxCorrelation); r > 0 {
		v *= (1 + r) / (1 - r)
	}
	return v
}

// maxCorrelation bounds the factor at 19: beyond, it grows faster than an
// estimate from 16 batches allows.
const maxCorrelation = 0.9

// designEffect returns the variance of the share of requests that the batches
// count, divided by what it would be if requests did not depend on each other
// (Kish 1965); at least 1.
func designEffect(all []batch) float64 {
	t := total(all)
	p := t.sum / t.of // NaN of nothing
	if !(p > 0 && p < 1) {
		return 1
	}
	return max(1, variance(all)*t.of/(p*(1-p)))
}

// studentBounds returns the interval of the ratio over all the batches, each of
// its ends wrong with the given probability.
func studentBounds(ratio float64, all []batch, lowAlpha, highAlpha float64) (low, high float64) {
	se, df := math.Sqrt(variance(all)), freedom(len(all))
	return ratio - stat.StudentQuantile(1-lowAlpha, df)*se, ratio + stat.StudentQuantile(1-highAlpha, df)*se
}

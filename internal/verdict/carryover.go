package verdict

import (
	"math"
	"slices"
)

// leastCarried is how many pairs of either kind it takes to look for what head
// leaves behind; chosen.
const leastCarried = 10

// carryOver looks for what head leaves behind for base, which would make the
// two look more alike than they are. afterBase and afterHead are logarithms of
// the ratio in pairs that began with base, by whose block came right before:
// both hold base, then head, and differ in that alone. It returns by how many
// times base is slower after head, and whether that is known and more than
// half of the tolerance.
//
// Note: comparing base's own times would let a noisy machine, on which they
// vary manifold, hide the effect or feign it; the ratio to the block beside it
// does not vary with the machine. For the same reason a difference that could
// well be chance (above 1 % by Mann and Whitney's test) is not reported.
func carryOver(afterBase, afterHead []float64, tolerance float64) (times float64, found bool) {
	a, h := len(afterBase), len(afterHead)
	if min(a, h) < leastCarried {
		return 0, false
	}
	larger := 0.0
	for _, x := range afterBase {
		for _, y := range afterHead {
			switch {
			case x > y:
				larger++
			case x == y:
				larger += 0.5
			}
		}
	}
	pairs := float64(a * h)
	z := (larger - pairs/2) / math.Sqrt(pairs*float64(a+h+1)/12)
	shift := medianLog(afterBase) - medianLog(afterHead)
	found = math.Abs(z) > normalQuantile(0.995) && math.Abs(shift) > math.Log(tolerance)/2
	return math.Exp(shift), found
}

// medianLog returns the median of x, which is not empty.
func medianLog(x []float64) float64 {
	s := slices.Sorted(slices.Values(x))
	return middle(s[(len(s)-1)/2], s[len(s)/2])
}

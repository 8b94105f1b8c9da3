package verdict

import (
	"math"

	"github.com/loadtestkit/load-tester/internal/stat"
)

const (
	// leastCarried is how many pairs of either kind it takes to look for what
	// head leaves behind; chosen.
	leastCarried = 10

	// carriedChance is how probable a difference may be, by chance alone, that
	// is reported; chosen.
	carriedChance = 0.01
)

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
	if min(len(afterBase), len(afterHead)) < leastCarried {
		return 0, false
	}
	shift := stat.Median(afterBase) - stat.Median(afterHead)
	found = stat.MannWhitney(afterBase, afterHead) < carriedChance && math.Abs(shift) > math.Log(tolerance)/2
	return math.Exp(shift), found
}

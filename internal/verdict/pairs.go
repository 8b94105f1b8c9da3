package verdict

import "github.com/loadtestkit/load-tester/internal/hist"

// A Block is what one target did in one short stretch of a comparison.
type Block struct {
	Times  *hist.Histogram // response times of those that succeeded, in ns
	Missed int64           // due and not succeeded: slower than any time
}

// A Pair is two blocks of the same length and schedule, one of each target,
// one right after the other in an order drawn at random.
type Pair struct {
	Base, Head Block
	HeadFirst  bool
}

// A Tolerance is by how much head may be slower than base before that is a
// fail: Head's quantile Q at most Ratio times base's.
type Tolerance struct {
	Q     float64 // in (0, 1)
	Ratio float64 // at least 1
}

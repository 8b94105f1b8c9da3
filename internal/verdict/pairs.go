package verdict

import (
	"math"

	"github.com/loadtestkit/load-tester/internal/hist"
	"github.com/loadtestkit/load-tester/internal/stat"
	"github.com/loadtestkit/load-tester/internal/unit"
)

// A Block is what one target did in one short stretch of a comparison.
type Block struct {
	Times  *hist.Histogram // response times of those that succeeded, in ns; never nil
	Missed int64           // due and not succeeded: slower than any time
}

// A Pair is two blocks of the same length and schedule, one of each target,
// one right after the other in an order drawn at random.
type Pair struct {
	Base, Head Block
}

// A Tolerance is by how much head may be slower than base before that is a
// fail: Head's quantile Q at most Ratio times base's.
type Tolerance struct {
	Q     float64 // in (0, 1)
	Ratio float64 // at least 1
}

// SlowerBy is the tolerance of head's quantile q slower by a share: 0.05 is 5 %.
// The ratio is in the digits of the share; 1+0.14 is not 1.14 in binary.
func SlowerBy(q, share float64) Tolerance {
	return Tolerance{Q: q, Ratio: math.Round((1+share)*1e9) / 1e9}
}

// Name returns the quantile as limits spell it: p50, p99.9.
func (t Tolerance) Name() string { return unit.QuantileName(t.Q) }

// due returns how many requests were due in b.
func (b Block) due() int64 { return b.Times.Count() + b.Missed }

// quantile returns the response time at rank ceil(q*due) in ns: at least 1, so
// that it has a logarithm, and +Inf where that request was missed.
func (b Block) quantile(q float64) float64 {
	rank, n := stat.Rank(q, b.due()), b.Times.Count()
	if rank > n {
		return math.Inf(1)
	}
	v, _ := b.Times.Quantile(float64(rank) / float64(n))
	return float64(max(v, 1))
}

// counts reports whether requests were due in both blocks of p.
func (p Pair) counts() bool { return p.Base.due() > 0 && p.Head.due() > 0 }

// poolBlocks returns all blocks of each target as one. There is at least one pair.
func poolBlocks(pairs []Pair) (base, head Block) {
	bits := pairs[0].Base.Times.Bits()
	base, head = Block{Times: hist.New(bits)}, Block{Times: hist.New(bits)}
	for _, p := range pairs {
		base.Times.Merge(p.Base.Times)
		base.Missed += p.Base.Missed
		head.Times.Merge(p.Head.Times)
		head.Missed += p.Head.Missed
	}
	return base, head
}

// LeastPairs is the fewest pairs a claim is judged on: 12 of 12 pairs agree by chance
// once in 4096, which is less than one guard of eight claims may spend.
const LeastPairs = 12

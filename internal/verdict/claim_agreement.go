package verdict

import (
	"math"
	"slices"

	"github.com/loadtestkit/load-tester/internal/stat"
)

// Coins decide which request is whose. They do not decide where the scheduler puts two
// servers, or how their memory is laid out: chance of that kind is the same in every
// reading, and more of them make a claim no truer. It is seldom the same for readings
// of different kinds. So a claim that such chance may refute has to agree with another.

// witnesses returns the claims of which one has to agree before q may fail; none if
// q may fail by itself, or if no such claim is examined.
func (i *Inquiry) witnesses(q *question) (all []*question) {
	single := []string{Work, Quick, Alone, Burst}
	var names []string
	switch {
	case q.Name == Quick:
		names = []string{Alone, Work}
	case !i.renewed && slices.Contains(single, q.Name):
		names = single
	}
	for _, other := range i.questions {
		if other != q && slices.Contains(names, other.Name) {
			all = append(all, other)
		}
	}
	return all
}

// agree makes the claims fail that were refuted at their last look and agree with
// another.
func (i *Inquiry) agree() {
	for _, q := range i.questions {
		if !q.refuted || q.verdict == Fail {
			continue
		}
		witnesses := i.witnesses(q)
		if len(witnesses) == 0 || slices.ContainsFunc(witnesses, q.agrees) {
			q.verdict = Fail
		}
	}
}

// agreeingChance is the probability of what a witness shows, by chance alone, up to
// which it agrees: the estimate of one that varies a lot is beyond half of a tolerance
// every other time.
const agreeingChance = 0.05

// agrees reports whether w supports that head is slower, as q found: it was refuted
// too, or its estimate is beyond half of its tolerance, and not by chance. For quick
// the estimate of work is not enough.
func (q *question) agrees(w *question) bool {
	if w.refuted {
		return true
	}
	return q.hears(w) && len(w.readings) >= claimLooks[0] &&
		w.estimate() > halfway(w.Fail) && stat.SignedRank(w.logs()) <= agreeingChance
}

// hears reports whether w, one of q's witnesses, can agree by its estimate alone.
func (q *question) hears(w *question) bool { return q.Name != Quick || w.Name == Alone }

// halfway is the ratio in the middle of what a tolerance allows.
func halfway(ratio float64) float64 { return 1 + (ratio-1)/2 }

// leftover compares what requests of a stratum took by whose came right before; see
// [Inquiry]. It is not known if there is none of one kind, or if one failed.
func leftover(order []Single) (log float64, ok bool) {
	var sums, n [2][2]float64 // by whose the request is, and whether the one before was the other's
	for k, s := range order {
		if math.IsInf(s.Time, 0) {
			return 0, false
		}
		if k > 0 {
			whose, other := index(s.Head), index(s.Head != order[k-1].Head)
			sums[whose][other] += math.Log(max(s.Time, 1))
			n[whose][other]++
		}
	}
	after := func(whose int) float64 { return sums[whose][1]/n[whose][1] - sums[whose][0]/n[whose][0] }
	log = after(0) - after(1)
	return log, !math.IsNaN(log) && !math.IsInf(log, 0)
}

func index(b bool) int {
	if b {
		return 1
	}
	return 0
}

const (
	// leastCarried is how many strata it takes to look for what head leaves behind.
	leastCarried = 10

	// carriedChance is the probability, by chance alone, up to which what seems to
	// be left behind is taken for real.
	carriedChance = 0.01
)

// carried looks for what head leaves behind for base and not base for head, which
// would hide part of their difference. It returns how many times as slow base is after
// head because of it, and whether that is known and more than half of a tolerance.
//
// Note: what each leaves behind for the other, such as caches with other data in them,
// hides nothing. That base is slower after head than after itself says too little.
func (i *Inquiry) carried(ratio float64) (times float64, found bool) {
	if len(i.leftovers) < leastCarried || stat.SignedRank(i.leftovers) > carriedChance {
		return 0, false
	}
	log, _, _ := stat.HodgesLehmann(i.leftovers, ratioConfidence)
	return math.Exp(log), log > math.Log(halfway(ratio))
}

package verdict

import (
	"math"
	"slices"

	"github.com/loadtestkit/load-tester/internal/stat"
)

// A Reading is one measurement of each target, made close together in an order drawn
// at random: +Inf where requests failed.
type Reading struct{ Base, Head float64 }

// log returns how much more head took; NaN if that cannot be said.
func (r Reading) log() float64 { return math.Log(r.Head) - math.Log(r.Base) }

// A Single is a request that was sent with no other in flight.
type Single struct {
	Head bool
	Time float64 // in ns; +Inf if it failed
}

// claimLooks are the numbers of its own readings at which a claim is judged. They get
// equal parts of the error, so that an obvious difference is found at the first of
// them: growing parts would need twice as many readings.
var claimLooks = [...]int{14, 21, 31, 47, 70, 105, 158, 237, 355, 533, 800, 1200, 1800}

// sustainedPairs is how many pairs of sustained blocks the guards are judged on, once.
const sustainedPairs = LeastPairs

// An Inquiry examines the claims of one comparison. It gets readings as they are
// measured, says which more it needs, and judges each claim at looks of its own.
//
// # How often it errs
//
// Equal targets fail in at most 1 % of inquiries. If head does what base does, then
// which of the two a measurement is of was decided by coins alone, so swapping the
// two in a reading gives one that was just as likely, whatever has been seen so far:
// the signs of the logarithms of a claim's readings are fair coins, given their sizes.
// That is so with any noise, and it stays so if what is measured next depends on
// all that was measured before, because a look is at a fixed number of the claim's
// own readings. So a look refutes falsely with at most its share, and the shares of
// all looks of all claims that can be refuted add up to 1 %: with m of these and J
// looks a share is 1 % / (m J), and that of a guard, which has one look, 1 % / m.
// Looks at which even readings that all agree could not refute are not counted in J. A
// look at the end of the budget takes the place of the next one: when that is depends
// on how long both targets took together, which swapping them in a reading leaves as
// it is. That a claim may have to agree with another one only takes fails away.
//
// A claim that does not hold is proved in at most 1 % of inquiries: each of its looks
// has 1 % / J. They are not divided by the number of claims: a false pass of the
// comparison needs a false proof of the claim that does not hold. This assumes that
// noise does not act on head less than on base.
//
// A claim that was proved may still be refuted at a later look, by readings that other
// claims needed.
type Inquiry struct {
	questions []*question
	renewed   bool
	sustained []Pair

	// How many times as long base takes after head as after itself, over how many
	// times as long head takes after base as after itself: one logarithm for each
	// stratum.
	leftovers []float64
}

// NewInquiry returns an Inquiry without readings. renewed says that a repeat gets
// new servers, and not only new connections.
func NewInquiry(claims []Claim, renewed bool) *Inquiry {
	i := &Inquiry{renewed: renewed}
	sharing := 0
	for _, c := range claims {
		if c.shares() {
			sharing++
		}
	}
	for _, c := range claims {
		i.questions = append(i.questions, newQuestion(c, sharing))
	}
	return i
}

// Add adds a reading of the claim with a name, except of [Tail], [Load] and [Locks].
// One of [Allocs] and [Bytes] settles it.
func (i *Inquiry) Add(name string, r Reading) {
	for _, q := range i.named(name) {
		switch {
		case q.exact():
			q.count(r)
		case q.judged < len(claimLooks) && !math.IsNaN(r.log()):
			q.readings = append(q.readings, r)
			if q.due() {
				q.look(i)
				i.agree()
			}
		}
	}
}

// AddStratum adds some requests of each target, sent one at a time in an order drawn
// at random: the claims on quick and alone get a reading.
func (i *Inquiry) AddStratum(order []Single) {
	var base, head []float64
	for _, s := range order {
		if s.Head {
			head = append(head, s.Time)
		} else {
			base = append(base, s.Time)
		}
	}
	if len(base) == 0 || len(head) == 0 {
		return
	}
	if left, ok := leftover(order); ok {
		i.leftovers = append(i.leftovers, left)
	}
	i.Add(Quick, Reading{slices.Min(base), slices.Min(head)})
	i.Add(Alone, Reading{stat.Median(base), stat.Median(head)})
}

// AddRound adds the response times of all requests of a round, for the claims on the
// tail.
func (i *Inquiry) AddRound(p Pair) {
	for _, q := range i.named(Tail) {
		if q.judged < len(claimLooks) {
			q.rounds = append(q.rounds, p)
			if q.due() {
				q.look(i)
			}
		}
	}
}

// AddSustained adds a pair of sustained blocks, and how long a request of each
// target waited for mutexes in them, in ns; zero if that is not known.
func (i *Inquiry) AddSustained(p Pair, waits Reading) {
	if len(i.sustained) == sustainedPairs {
		return
	}
	i.sustained = append(i.sustained, p)
	for _, q := range i.named(Locks) {
		if mean := (p.Base.Times.Mean() + p.Head.Times.Mean()) / 2; mean > 0 {
			q.readings = append(q.readings, waits)
			q.excess = append(q.excess, (waits.Head-waits.Base)/mean)
		}
	}
	if len(i.sustained) < sustainedPairs {
		return
	}
	for _, q := range i.questions {
		switch q.Name {
		case Load:
			q.judgeLoad(i.sustained)
		case Locks:
			q.judgeLocks()
		}
	}
}

// Conclude judges the claims that are open by the readings they have, since the time
// for more is up. It takes the place of their next look.
func (i *Inquiry) Conclude() {
	for _, q := range i.questions {
		if i.open(q) && q.overdue() {
			q.look(i)
		}
	}
	i.agree()
}

func (i *Inquiry) named(name string) (all []*question) {
	for _, q := range i.questions {
		if q.Name == name {
			all = append(all, q)
		}
	}
	return all
}

// Open reports whether the claims with one of these names need more readings.
func (i *Inquiry) Open(names ...string) bool {
	return slices.ContainsFunc(i.questions, func(q *question) bool { return slices.Contains(names, q.Name) && i.open(q) })
}

// open reports whether more readings of q may change a verdict: its own, or that of
// a claim that needs q to agree.
func (i *Inquiry) open(q *question) bool {
	switch {
	case q.Name == Load || q.Name == Locks:
		return q.verdict == NotJudged && len(i.sustained) < sustainedPairs
	case q.judged == len(claimLooks) || q.guard() && !q.exact() && !q.Witness:
		return false
	case !q.Witness && q.verdict == NotJudged:
		return true
	}
	return slices.ContainsFunc(i.questions, func(other *question) bool {
		needed := other.refuted || q.Witness && other.judged < len(claimLooks)
		return needed && other.verdict == NotJudged && slices.Contains(i.witnesses(other), q)
	})
}

// Verdict returns fail if a claim was refuted, pass if all that need to be were
// proved, and inconclusive until then; [NotJudged] if none needs to be.
func (i *Inquiry) Verdict() Verdict {
	v := NotJudged
	for _, q := range i.questions {
		switch {
		case q.verdict == Fail:
			return Fail
		case q.unjudged():
		case q.verdict != Pass:
			v = Inconclusive
		case v == NotJudged:
			v = Pass
		}
	}
	return v
}

// Again returns the claims that a repeat has to examine after a fail: those that were
// refuted by what may be chance, and those that they have to agree with. It is empty
// if there are none of these. Nothing passes there by a margin, which would end
// the repeat before a difference within the margin could be found again.
func (i *Inquiry) Again() (claims []Claim) {
	for _, q := range i.questions {
		supports := func(other *question) bool {
			return other.verdict == Fail && other.hears(q) && slices.Contains(i.witnesses(other), q)
		}
		switch {
		case q.verdict == Fail && !q.exact():
			claims = append(claims, q.strict())
		case slices.ContainsFunc(i.questions, supports):
			claims = append(claims, q.witness())
		}
	}
	return claims
}

package verdict

import (
	"math"
	"slices"

	"github.com/loadtestkit/load-tester/internal/stat"
)

// The names of claims.
const (
	Work   = "work"   // processor time per request
	Quick  = "quick"  // an undisturbed request, alone
	Alone  = "alone"  // the typical request, alone
	Burst  = "burst"  // some requests at once, until the last has its response
	Tail   = "tail"   // the slowest of all of these
	Load   = "load"   // sustained load
	Locks  = "locks"  // waiting for mutexes
	Allocs = "allocs" // objects allocated per request
	Bytes  = "bytes"  // octets allocated per request
)

// A Claim is one sentence that a comparison proves or refutes: in one respect, head
// takes at most so many times what base takes.
type Claim struct {
	Name string
	Q    float64 // the quantile of [Tail] and [Load], in (0, 1); else 0

	// Fail and Pass are ratios, at least 1: the claim is refuted if head surely
	// takes more than Fail times what base takes, and proved if it surely takes at
	// most Pass times that. Pass is 0 for a guard, which can be refuted and need
	// not be proved. Of [Allocs] and [Bytes] Fail is how much more head may take,
	// in objects and octets; 0 means that they are not judged.
	Fail, Pass float64
}

// guard reports whether c need not be proved.
func (c Claim) guard() bool { return c.Pass == 0 }

// A Reading is one measurement of each target, made close together in an order drawn
// at random: +Inf where requests failed.
type Reading struct{ Base, Head float64 }

// log returns how much more head took; NaN if that cannot be said.
func (r Reading) log() float64 { return math.Log(r.Head) - math.Log(r.Base) }

// claimLooks are the numbers of its own readings at which a claim is judged. They get
// equal parts of the error, so that an obvious difference is found at the first of
// them: growing parts would need twice as many readings.
var claimLooks = [...]int{14, 21, 31, 47, 70, 105, 158, 237, 355, 533}

// A ClaimFinding is the verdict on a claim.
type ClaimFinding struct {
	Claim
	Verdict Verdict // NotJudged of a guard that was not refuted

	// How many times what base takes head takes: the Hodges-Lehmann estimate over
	// the readings, and the interval around it. All are 0 if there are too few.
	Estimate, Low, High float64
	Confidence          float64 // of the interval, in (0, 1)
	Base, Head          float64 // the medians of the readings, or what was counted
	Readings            int

	Exact   bool   // counted: neither chance nor noise had a part in it
	Summary string // for a person: as in "work 1.12 times base's, want <= 1.05"
	Basis   string // what the verdict rests on
	Reason  string // both in one line
	Detail  string // p values and the like, for a statistician
}

// A question is a claim that is being examined.
type question struct {
	Claim
	readings []Reading
	rounds   []Pair // of Tail and Load
	judged   int    // looks that it had
	verdict  Verdict
}

// open reports whether more readings may change the verdict.
func (q *question) open() bool { return q.verdict == NotJudged && q.judged < len(claimLooks) }

// An Inquiry examines the claims of one comparison. It gets readings as they are
// measured, says which more it needs, and judges each claim at looks of its own, so
// that what is measured next may depend on all that was measured before.
type Inquiry struct {
	questions []*question
	renewed   bool // the targets are made anew for a repeat
}

// NewInquiry returns an Inquiry without readings. renewed says that a repeat gets
// new servers, and not only new connections.
func NewInquiry(claims []Claim, renewed bool) *Inquiry {
	i := &Inquiry{renewed: renewed}
	for _, c := range claims {
		i.questions = append(i.questions, &question{Claim: c})
	}
	return i
}

// Add adds a reading of the claim with a name. It is ignored if the claim is not
// examined or is settled.
func (i *Inquiry) Add(name string, r Reading) {
	for _, q := range i.named(name) {
		if !q.open() || math.IsNaN(r.log()) {
			continue
		}
		q.readings = append(q.readings, r)
		i.look(q, len(q.readings))
	}
}

// AddRound adds the response times of all requests of a round, for the claims on the
// tail.
func (i *Inquiry) AddRound(p Pair) {
	for _, q := range i.named(Tail) {
		if q.open() {
			q.rounds = append(q.rounds, p)
			i.look(q, len(q.rounds))
		}
	}
}

func (i *Inquiry) named(name string) (all []*question) {
	for _, q := range i.questions {
		if q.Name == name {
			all = append(all, q)
		}
	}
	return all
}

// look judges q if it has as many readings as one of its looks asks for.
func (i *Inquiry) look(q *question, have int) {
	if have < claimLooks[q.judged] {
		return
	}
	q.judged++
	looks := float64(len(claimLooks))
	fail := comparisonAlpha / looks / float64(len(i.questions))
	pass := comparisonAlpha / looks
	if q.Name == Tail {
		q.verdict = JudgePairs(q.rounds, Tolerance{Q: q.Q, Ratio: q.Fail}, fail, pass).Verdict
		return
	}
	q.verdict = q.judge(fail, pass)
}

// judge returns the verdict on q at a look: exact by the randomised order, whatever
// the noise does; see [stat.SignedRank].
func (q *question) judge(fail, pass float64) Verdict {
	over, under := make([]float64, len(q.readings)), make([]float64, len(q.readings))
	for k, r := range q.readings {
		over[k] = r.log() - math.Log(q.Fail)
		under[k] = math.Log(q.Pass) - r.log()
	}
	switch {
	case stat.SignedRank(over) <= fail:
		return Fail
	case !q.guard() && stat.SignedRank(under) <= pass:
		return Pass
	}
	return NotJudged
}

// Open reports whether the claims with one of these names need more readings.
func (i *Inquiry) Open(names ...string) bool {
	return slices.ContainsFunc(i.questions, func(q *question) bool { return slices.Contains(names, q.Name) && q.open() })
}

// Verdict returns fail if a claim was refuted, pass if all that need to be were
// proved, and inconclusive until then.
func (i *Inquiry) Verdict() Verdict {
	v := Pass
	for _, q := range i.questions {
		switch {
		case q.verdict == Fail:
			return Fail
		case q.verdict != Pass && !q.guard():
			v = Inconclusive
		}
	}
	return v
}

// Findings returns what is known about each claim.
func (i *Inquiry) Findings() (all []ClaimFinding) {
	for _, q := range i.questions {
		all = append(all, ClaimFinding{Claim: q.Claim, Verdict: q.verdict, Readings: len(q.readings)})
	}
	return all
}

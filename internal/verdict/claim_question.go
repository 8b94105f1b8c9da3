package verdict

import (
	"math"

	"github.com/loadtestkit/load-tester/internal/stat"
)

// A question is a claim that is being examined.
type question struct {
	Claim
	readings []Reading
	rounds   []Pair    // of Tail
	excess   []float64 // of Locks, for each reading: how much longer head waits, as a part of the mean response time of both

	judged     int     // looks that it had
	fail, pass float64 // the error that a look may take
	first      int     // the first look that can refute
	verdict    Verdict // NotJudged until it is settled
	refuted    bool    // by itself, at its last look
	held       string  // why it was not proved though its readings would do; "" if they would not
	ruling     ruling  // of Tail, at its last look
}

// newQuestion returns a question that shares the error of a comparison with others,
// itself included.
func newQuestion(c Claim, sharing int) *question {
	q := &question{Claim: c, pass: comparisonAlpha / float64(len(claimLooks))}
	if !c.shares() {
		return q
	}
	share := comparisonAlpha / float64(sharing)
	if c.Name == Load || c.Name == Locks {
		q.fail = share
		return q
	}
	need := 1.0 // part of the error that ranks have
	if c.Q >= guardFrom {
		need = 0.5
	}
	for q.first = 0; q.first < len(claimLooks)-1; q.first++ {
		q.fail = share / float64(len(claimLooks)-q.first)
		if math.Exp2(-float64(claimLooks[q.first])) <= need*q.fail {
			break
		}
	}
	return q
}

// unjudged reports whether q has no part in the verdict on a comparison as long as it
// is not refuted.
func (q *question) unjudged() bool {
	if q.exact() {
		return q.Fail == 0
	}
	return q.guard()
}

// logs returns the logarithms of the ratios, in the order of the readings.
func (q *question) logs() []float64 {
	logs := make([]float64, 0, len(q.readings))
	for k, r := range q.readings {
		if q.excess != nil {
			logs = append(logs, math.Log1p(max(q.excess[k], -1)))
			continue
		}
		logs = append(logs, r.log())
	}
	return logs
}

// estimate returns how many times what base takes head takes. There is at least one
// reading.
func (q *question) estimate() float64 {
	log, _, _ := stat.HodgesLehmann(q.logs(), ratioConfidence)
	return math.Exp(log)
}

// have returns how many readings q has.
func (q *question) have() int {
	if q.Name == Tail {
		return len(q.rounds)
	}
	return len(q.readings)
}

// due reports whether q has as many readings as its next look asks for.
func (q *question) due() bool {
	return q.judged < len(claimLooks) && q.have() >= claimLooks[q.judged]
}

// overdue reports whether q can be judged before its next look, as there will be none:
// it has had what a first look asks for, and readings since its last one.
func (q *question) overdue() bool {
	last := claimLooks[0] - 1
	if q.judged > 0 {
		last = claimLooks[q.judged-1]
	}
	return q.judged < len(claimLooks) && q.have() > last
}

// look judges q by the readings it has.
func (q *question) look(i *Inquiry) {
	fail := q.fail
	if q.judged < q.first {
		fail = 0
	}
	q.judged++
	if q.Witness || q.verdict == Fail {
		return
	}
	q.held = ""
	proved := false
	if q.Name == Tail {
		proved = q.judgeTail(fail)
	} else {
		q.refuted = stat.SignedRank(shifted(q.logs(), q.Fail, 1)) <= fail
		proved = !q.guard() && stat.SignedRank(shifted(q.logs(), q.Pass, -1)) <= q.pass
		if proved {
			q.held = i.doubt(q)
		}
	}
	if proved && !q.refuted && q.held == "" {
		q.verdict = Pass
	}
}

// shifted returns by how much logarithms are above that of a ratio, if the sign is 1,
// or below it, if it is -1.
func shifted(logs []float64, ratio, sign float64) []float64 {
	all := make([]float64, len(logs))
	for k, log := range logs {
		all[k] = sign * (log - math.Log(ratio))
	}
	return all
}

// judgeTail refutes q, or returns whether its readings prove it.
func (q *question) judgeTail(fail float64) (proved bool) {
	c := compare(q.rounds, q.Claim)
	q.ruling = c.judge(fail, q.pass)
	q.refuted, q.held = q.ruling.verdict == Fail, ""
	if q.refuted {
		q.verdict = Fail
	}
	if q.ruling.verdict == Pass {
		q.held = c.scarce()
	}
	return q.ruling.verdict == Pass
}

// judgeLoad refutes q by sustained blocks or leaves it as it is.
func (q *question) judgeLoad(pairs []Pair) {
	q.judged++
	q.ruling = compare(pairs, q.Claim).judge(q.fail, 0)
	if q.ruling.verdict == Fail && !q.Witness {
		q.verdict = Fail
	}
}

// judgeLocks refutes q if head's excess is surely beyond what is allowed. It is a part of
// the mean response time of both, so that swapping them changes its sign alone.
func (q *question) judgeLocks() {
	q.judged++
	over := make([]float64, len(q.excess))
	for k, excess := range q.excess {
		over[k] = excess - (q.Fail - 1)
	}
	if stat.SignedRank(over) <= q.fail && !q.Witness {
		q.verdict = Fail
	}
}

// count settles q by what a request of each target was counted to allocate.
func (q *question) count(r Reading) {
	q.readings = []Reading{r}
	q.judged = len(claimLooks)
	switch {
	case q.Fail == 0:
	case r.Head-r.Base > q.Fail:
		q.verdict = Fail
	default:
		q.verdict = Pass
	}
}

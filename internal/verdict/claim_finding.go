package verdict

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/loadtestkit/load-tester/internal/stat"
	"github.com/loadtestkit/load-tester/internal/unit"
)

// A ClaimFinding is the verdict on a claim.
type ClaimFinding struct {
	Claim
	Verdict Verdict // NotJudged of a guard that was not refuted

	// How many times what base takes head takes: the Hodges-Lehmann estimate over
	// the readings, and the interval around it. Where requests failed any of them
	// may be 0 or +Inf. All are 0 if there are too few readings. Of [Locks] it is
	// how many times as long a request takes with what head waits longer.
	Estimate, Low, High float64
	Confidence          float64 // of the interval, in (0, 1)
	Base, Head          float64 // the medians of the readings, of [Tail] its quantile of all requests, or what was counted
	Readings            int

	Exact   bool   // counted: neither chance nor noise had a part in it
	Summary string // for a person: as in "work 1.12 times base's, want <= 1.05"
	Basis   string // what the verdict rests on
	Reason  string // both in one line
	Detail  string // p values and the like, for a statistician
}

// Findings returns what is known about each claim, except those on [Load], which are
// the [Inquiry.Ratios], and except counts that are neither judged nor known.
func (i *Inquiry) Findings() (all []ClaimFinding) {
	for _, q := range i.questions {
		if q.Name == Load || q.exact() && q.Fail == 0 && len(q.readings) == 0 {
			continue
		}
		all = append(all, i.finding(q))
	}
	return all
}

// Ratios returns what is known about sustained load at each quantile: fail, or not
// judged.
func (i *Inquiry) Ratios() (all []PairsFinding) {
	for _, q := range i.named(Load) {
		f := compare(i.sustained, q.Claim).describe(q.ruling)
		f.Verdict = q.verdict
		all = append(all, f)
	}
	return all
}

// finding describes q as it stands.
func (i *Inquiry) finding(q *question) ClaimFinding {
	f := ClaimFinding{Claim: q.Claim, Verdict: q.verdict, Readings: len(q.readings)}
	if q.verdict == NotJudged && !q.unjudged() {
		f.Verdict = Inconclusive
	}
	switch {
	case q.exact():
		f.counted(q)
	case q.Name == Tail:
		f.tail(i, q)
	default:
		f.measured(i, q)
	}
	return f
}

// measured fills in f from readings of one kind.
func (f *ClaimFinding) measured(i *Inquiry, q *question) {
	if f.Readings > 0 {
		f.Base, f.Head = medians(q.readings)
	}
	if f.Readings < LeastPairs {
		f.explain("", i.lacking(f, q))
		return
	}
	f.ratio(q.logs())
	if q.fail > 0 {
		over := stat.SignedRank(shifted(q.logs(), q.Fail, 1))
		f.Detail = fmt.Sprintf("signed-rank of %d readings: above %s p=%.2g (fail at %.2g)", f.Readings, unit.Decimal(q.Fail, 0), over, q.fail)
		if !q.guard() {
			under := stat.SignedRank(shifted(q.logs(), q.Pass, -1))
			f.Detail += fmt.Sprintf(", below %s p=%.2g (pass at %.2g)", unit.Decimal(q.Pass, 0), under, q.pass)
		}
	}
	f.explain(f.absolute(), i.lacking(f, q))
}

// tail fills in f from rounds.
func (f *ClaimFinding) tail(i *Inquiry, q *question) {
	rounds, ruling := q.rounds, q.ruling
	if q.judged > 0 {
		rounds = rounds[:min(len(rounds), claimLooks[q.judged-1])] // the last look may have come early
	}
	c := compare(rounds, q.Claim)
	if q.judged == 0 {
		ruling = c.judge(0, 0)
	}
	p := c.describe(ruling)
	f.Readings, f.Base, f.Head = p.Pairs, p.Base, p.Head
	if p.Pairs < LeastPairs {
		f.explain("", i.lacking(f, q))
		return
	}
	f.Estimate, f.Low, f.High, f.Confidence, f.Detail = p.Estimate, p.Low, p.High, p.Confidence, p.Detail
	switch {
	case ruling.found:
		f.explain(f.absolute(), c.text(ruling.guilty))
	case ruling.doubted && f.Verdict == Inconclusive:
		f.explain(f.absolute(), c.text(ruling.suspect)+": a longer budget would tell")
	default:
		f.explain(f.absolute(), i.lacking(f, q))
	}
}

// counted fills in f from what requests allocate.
func (f *ClaimFinding) counted(q *question) {
	f.Exact = true
	what, format := "objects", func(v float64) string { return unit.Rounded(v, 1) }
	if f.Name == Bytes {
		what, format = "octets", func(v float64) string { return unit.Count(int64(math.Round(v))) }
	}
	if len(q.readings) == 0 {
		f.Summary = "how many " + what + " a request allocates is not known"
		f.Basis = "they are counted where both targets are handlers in this process, if requests succeed in less than 200ms each and several tries agree"
		f.Reason = f.Summary + ": " + f.Basis
		return
	}
	f.Base, f.Head = q.readings[0].Base, q.readings[0].Head
	f.Summary = fmt.Sprintf("a request allocates %s %s, ", format(f.Head), what)
	switch more := f.Head - f.Base; {
	case more > 0:
		f.Summary += fmt.Sprintf("%s more than base's %s", format(more), format(f.Base))
	case more < 0:
		f.Summary += fmt.Sprintf("%s fewer than base's %s", format(-more), format(f.Base))
	default:
		f.Summary += "as many as base's"
	}
	if f.Fail > 0 {
		f.Summary += ", want <= " + unit.Rounded(f.Fail, 2) + " more"
	}
	f.Basis = "counted"
	f.Reason = f.Summary
}

// ratio sets the estimate and its interval from logarithms.
func (f *ClaimFinding) ratio(logs []float64) {
	point, low, high := stat.HodgesLehmann(logs, ratioConfidence)
	f.Confidence = ratioConfidence
	f.Estimate, f.Low, f.High = math.Exp(point), math.Exp(low), math.Exp(high)
}

// medians returns that of each target's readings.
func medians(readings []Reading) (base, head float64) {
	var b, h []float64
	for _, r := range readings {
		b, h = append(b, r.Base), append(h, r.Head)
	}
	return stat.Median(b), stat.Median(h)
}

// explain sets the texts: absolute are the times of both targets, and but is what the
// verdict lacks or doubts; both may be empty.
func (f *ClaimFinding) explain(absolute, but string) {
	statement := f.statement()
	f.Summary = statement + f.wanted()
	var basis []string
	if f.Confidence > 0 {
		basis = append(basis, fmt.Sprintf("%v %% interval %s", 100*f.Confidence, formatInterval(f.Low, f.High, f.Fail)))
		statement += fmt.Sprintf(" (%s)", basis[0])
	}
	f.Reason = statement + f.wanted()
	if absolute != "" {
		basis = append(basis, absolute)
		f.Reason += ": " + absolute
	}
	if but != "" {
		basis = append(basis, but)
		f.Reason += "; " + but
	}
	if but == "" && f.Verdict == Pass {
		basis = append(basis, f.meaning())
	}
	f.Basis = strings.Join(basis, "; ")
}

// statement says how much head takes.
func (f *ClaimFinding) statement() string {
	subject, verb := "a request", " takes %s times as long"
	switch f.Name {
	case Work:
		subject, verb = "a request", " uses %s times base's processor time"
	case Quick:
		subject = "an undisturbed request"
	case Alone:
		subject = "a request sent alone"
	case Burst:
		subject, verb = "requests sent at once", " take %s times as long"
		if f.AtOnce > 0 {
			subject = fmt.Sprintf("%d at once", f.AtOnce)
		}
	case Tail:
		subject, verb = unit.QuantileName(f.Q)+" of all of these", " is %s times base's"
		if f.Q >= 0.9 {
			subject, verb = fmt.Sprintf("the slowest %s %% (%s)", unit.Rounded(100*(1-f.Q), 3), unit.QuantileName(f.Q)), " take %s times as long"
		}
	case Locks:
		subject, verb = "waiting for locks", " makes a request take %s times as long"
	}
	switch {
	case f.Confidence == 0:
		return subject + ": not compared with base"
	case math.IsInf(f.Estimate, 1):
		return subject + ": too many of head's requests failed to compare"
	case f.Estimate == 0:
		return subject + ": too many of base's requests failed to compare"
	}
	return subject + fmt.Sprintf(verb, formatRatio(f.Estimate, f.Fail))
}

// wanted says what head may take.
func (f *ClaimFinding) wanted() string {
	switch {
	case f.Confidence == 0 || f.Witness:
		return ""
	case f.Verdict == Fail || f.guard() || f.Pass == f.Fail:
		return ", want <= " + unit.Decimal(f.Fail, 0)
	case f.Verdict == Pass:
		return ", surely <= " + unit.Decimal(f.Pass, 0)
	}
	return ", want surely <= " + unit.Decimal(f.Pass, 0)
}

// meaning says what a proof of the claim shows.
func (f *ClaimFinding) meaning() string {
	switch f.Name {
	case Work:
		return "as the system counts it, with what HTTP takes"
	case Quick:
		return "by the quickest of some, sent one at a time"
	case Alone:
		return "by the median of some, sent one at a time"
	case Burst:
		return "until the last has its response"
	}
	return "of all requests sent alone and at once"
}

// absolute gives what a request takes in ns as times.
func (f *ClaimFinding) absolute() string {
	if f.Name == Locks {
		return fmt.Sprintf("waits of %s instead of %s", span(f.Head), span(f.Base))
	}
	return fmt.Sprintf("%s instead of %s", span(f.Head), span(f.Base))
}

// span writes a time in ns, which may be that of a failed request.
func span(ns float64) string {
	if math.IsInf(ns, 1) || ns > math.MaxInt64 {
		return "a failed request"
	}
	return unit.Duration(time.Duration(ns))
}

// lacking says why q is not settled and what would settle it; "" if it is settled, or
// need not be.
func (i *Inquiry) lacking(f *ClaimFinding, q *question) string {
	switch f.Verdict {
	case NotJudged:
		return q.Spared
	case Pass, Fail:
		return ""
	}
	readings := unit.Plural(int64(f.Readings), "reading")
	used := q.judged == len(claimLooks)
	switch {
	case q.refuted:
		return i.disagreement(q)
	case q.held != "":
		return q.held
	case f.Readings < claimLooks[0] && i.Verdict() == Fail:
		return fmt.Sprintf("%s before another claim failed, %d needed", readings, claimLooks[0])
	case f.Readings < claimLooks[0]:
		return fmt.Sprintf("%s, %d needed: a longer budget would tell", readings, claimLooks[0])
	case i.Verdict() == Fail:
		return readings + " did not tell before another claim failed"
	case f.Low > f.Fail && !used:
		return readings + " are too few to be sure of it: a longer budget would tell"
	}
	var would []string
	if !used {
		would = append(would, "a longer budget")
	}
	if wider := f.wider(); wider != "" {
		would = append(would, wider)
	}
	if len(would) == 0 {
		return readings + " do not tell: this machine is too noisy for it"
	}
	return readings + " do not tell; " + strings.Join(would, " or ") + " would"
}

// wider names the tolerance, or the margin, with which f would have passed; "" if
// there is none.
func (f *ClaimFinding) wider() string {
	if math.IsInf(f.High, 1) || f.High <= f.Pass {
		return ""
	}
	if f.Pass > f.Fail {
		return fmt.Sprintf("a margin of %.1f", math.Ceil(f.High/f.Fail*10)/10)
	}
	return fmt.Sprintf("a tolerance of %.2f", math.Ceil(f.High*20)/20)
}

// disagreement says that q was refuted, and that the claims that may agree with it do
// not.
func (i *Inquiry) disagreement(q *question) string {
	var others []string
	for _, w := range i.witnesses(q) {
		if len(w.readings) >= LeastPairs {
			others = append(others, fmt.Sprintf("%s %s", w.Name, formatRatio(w.estimate(), w.Fail)))
		}
	}
	if len(others) == 0 {
		return "nothing else was measured that shows it too"
	}
	return "no other claim shows it (" + strings.Join(others, ", ") + "), so it may come from where the servers run"
}

// doubt returns why q is not proved though its readings would do; "" if it is.
func (i *Inquiry) doubt(q *question) string {
	if base, _ := medians(q.readings); math.IsInf(base, 1) {
		return "base's own requests failed, which is what head is compared with"
	}
	if q.Name != Quick && q.Name != Alone {
		return ""
	}
	if times, found := i.carried(q.Fail); found {
		return fmt.Sprintf("right after head, base takes %.2f times as long as after itself: what head leaves behind hides part of what it takes, and two processes would tell", times)
	}
	return ""
}

// scarce returns why c is not proved though its ranks would do: too few requests for
// its quantile; "" if there are enough.
func (c *comparison) scarce() string {
	if math.IsInf(c.base.quantile(c.Q), 1) {
		return "base's own requests failed, which is what head is compared with"
	}
	need := int64(c.Requests())
	if have := min(c.base.due(), c.head.due()); have < need {
		return fmt.Sprintf("%s requests of each, %s needed for a pass: a longer budget would tell", unit.Count(have), unit.Count(need))
	}
	return ""
}

package report

import (
	"cmp"
	"strconv"

	"github.com/loadtestkit/load-tester/internal/unit"
	"github.com/loadtestkit/load-tester/internal/verdict"
)

// A ClaimResult is the verdict on one claim of a comparison: that in one respect head
// takes at most a given multiple of what base takes.
type ClaimResult struct {
	Claim      string          `json:"claim"`      // work, quick, alone, burst, tail, locks, allocs or bytes
	Statement  string          `json:"statement"`  // what a pass says, in words
	Quantile   string          `json:"quantile"`   // of tail, such as p99; "" of others
	FailAbove  *float64        `json:"fail_above"` // ratio above which head fails; objects or octets more than base's of allocs and bytes; nil if that is not judged
	PassBelow  *float64        `json:"pass_below"` // ratio up to which head passes; nil of a guard, which can fail and need not pass
	Spared     string          `json:"spared"`     // why it is a guard here, though elsewhere it is not; "" of others
	Ratio      *float64        `json:"ratio"`      // Hodges-Lehmann estimate over the readings; nil if unknown or without bound
	Low        *float64        `json:"low"`        // its confidence interval
	High       *float64        `json:"high"`
	Confidence float64         `json:"confidence"` // of the interval, in [0, 1]; 0 without one
	Base       *float64        `json:"base"`       // what a request of base takes: ns, objects or octets; nil if unknown
	Head       *float64        `json:"head"`
	Readings   int             `json:"readings"` // that the verdict is based on
	Exact      bool            `json:"exact"`    // counted, so it is not repeated
	Verdict    verdict.Verdict `json:"verdict"`  // null of a guard that did not fail, and of what could not be measured
	Summary    string          `json:"summary"`  // for a person: what was found and what was wanted
	Basis      string          `json:"basis"`    // what the verdict rests on
	Reason     string          `json:"reason"`   // both in one line
	Detail     string          `json:"detail"`   // another for readers who know statistics; empty without any
}

// NewClaim returns f in the form of a document. If waive is not empty, it is the
// reason why claims are not judged.
func NewClaim(f verdict.ClaimFinding, waive string) ClaimResult {
	r := ClaimResult{
		Claim:     f.Name,
		Statement: statement(f.Claim),
		FailAbove: Finite(f.Fail), PassBelow: Finite(f.Pass), Spared: f.Spared,
		Base: Finite(f.Base), Head: Finite(f.Head),
		Readings: f.Readings,
		Exact:    f.Exact,
		Verdict:  f.Verdict,
		Summary:  f.Summary, Basis: f.Basis, Reason: f.Reason, Detail: f.Detail,
	}
	if f.Q > 0 {
		r.Quantile = unit.QuantileName(f.Q)
	}
	if f.Exact { // none is a count, too
		r.Base, r.Head = &f.Base, &f.Head
	} else {
		r.Ratio, r.Low, r.High, r.Confidence = Finite(f.Estimate), Finite(f.Low), Finite(f.High), f.Confidence
	}
	if waive != "" {
		r.Verdict, r.Reason = verdict.NotJudged, "not judged: "+waive+"; "+r.Reason
		r.Basis = "not judged: " + waive
	}
	return r
}

// statement says what a pass of c says, or what a guard watches.
func statement(c verdict.Claim) string {
	most := unit.Decimal(cmp.Or(c.Pass, c.Fail), 0)
	switch c.Name {
	case verdict.Work:
		return "a request of head takes at most " + most + " times the processor time of one of base"
	case verdict.Quick:
		return "an undisturbed request of head, sent alone, takes at most " + most + " times as long as one of base"
	case verdict.Alone:
		return "the typical request of head, sent alone, takes at most " + most + " times as long as that of base"
	case verdict.Burst:
		some := "some"
		if c.AtOnce > 0 {
			some = strconv.Itoa(c.AtOnce)
		}
		return some + " requests at once are all done after at most " + most + " times as long of head as of base"
	case verdict.Tail:
		return unit.QuantileName(c.Q) + " of all these requests of head is at most " + most + " times that of base"
	case verdict.Locks:
		return "requests of head do not wait longer for locks, by " + unit.Percent(c.Fail-1) + " of base's response time"
	case verdict.Allocs:
		return "a request of head allocates at most " + most + " objects more than one of base"
	}
	return "a request of head allocates at most " + most + " octets more than one of base"
}

// name returns what c is called where one claim may be of several quantiles.
func (c *ClaimResult) name() string {
	if c.Quantile != "" {
		return c.Claim + " " + c.Quantile
	}
	return c.Claim
}

// limit returns the claim as a limit spells what it wants: work<=1.05x base.
func (c *ClaimResult) limit() string {
	switch {
	case c.FailAbove == nil:
		return c.name()
	case c.Exact:
		return c.name() + "<=base+" + unit.Decimal(*c.FailAbove, 0)
	}
	return c.name() + "<=" + unit.Decimal(*c.FailAbove, 0) + "x base"
}

// Differs reports whether what was counted differs between base and head.
func (c *ClaimResult) Differs() bool { return c.Exact && *c.Base != *c.Head }

// Refuse makes c inconclusive unless it was not judged, since the two cannot be
// compared for the reason why.
func (c *ClaimResult) Refuse(why string) {
	if c.Verdict == verdict.NotJudged {
		return
	}
	c.Verdict, c.Exact = verdict.Inconclusive, false
	c.Summary, c.Basis, c.Reason = "not compared with base", why, "not compared, as "+why
}

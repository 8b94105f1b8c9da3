package engine

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/loadtestkit/load-tester/internal/unit"
	"github.com/loadtestkit/load-tester/internal/verdict"
)

// checkClaims adds what is wrong with what o asks of its claims.
func (f *faults) checkClaims(o *CompareOptions) {
	f.add(o.CPU != 0 && !(o.CPU >= 1), "CPU", "%v, want a ratio of at least 1", o.CPU)
	f.add(o.Margin != 0 && !(o.Margin >= 1) || math.IsInf(o.Margin, 0), "Margin", "%v is out of range, want at least 1, such as 1.2", o.Margin)
	const elsewhere = "is judged where both targets are Go code in this process, and one is a server elsewhere; leave it out"
	own := func(t Target) bool { return t.URL == "" && t.Command == nil }
	for _, counted := range []struct {
		field string
		most  float64
	}{{"Allocs", o.Allocs}, {"Bytes", o.Bytes}} {
		f.add(!(counted.most >= 0), counted.field, "%v is out of range, want at least 0", counted.most)
		f.add(counted.most > 0 && !(own(o.Base) && own(o.Head)), counted.field, elsewhere)
	}
	known := strings.Join(verdict.ClaimNames, ", ")
	for _, name := range o.Claims {
		f.add(!slices.Contains(verdict.ClaimNames, name), "Claims", "%q is unknown, want some of %s", name, known)
	}
}

// passes reports whether c can: guards cannot, nor can what is only counted.
func passes(c verdict.Claim) bool {
	return c.Pass > 0 || c.Fail > 0 && (c.Name == verdict.Allocs || c.Name == verdict.Bytes)
}

// examined names the claims that a round is made for.
func (c *contest) examined() string {
	names := []string{verdict.Work, verdict.Quick, verdict.Alone, verdict.Burst, verdict.Tail}
	return strings.Join(slices.DeleteFunc(names, func(name string) bool { return !c.inquiry.Open(name) }), " ")
}

// inquire makes the inquiry into the claims that can be examined within the budget.
// Those that were not asked for are spared or dropped where they would keep the others
// from a verdict.
func (c *contest) inquire() {
	claims := slices.Clone(c.claims)
	slowest := max(c.to[0].takes, c.to[1].takes)
	switch {
	case c.head.Virtual:
		claims = without(claims, verdict.Work)
	case c.unclocked != nil:
		claims = c.drop(claims, verdict.Work, noClock, c.unclocked.Error())
	case !c.repeat && !c.named[verdict.Work] && idlePart*max(c.to[0].works, c.to[1].works) < slowest:
		claims = spare(claims, verdict.Work, fmt.Sprintf("not needed for a pass: less than a %dth of the response time", idlePart))
	}
	if c.head.Virtual || !c.inProcess() {
		claims = without(claims, verdict.Locks)
	}
	if firstLook*4*slowest > c.head.Budget {
		why := "at " + unit.Duration(slowest) + " each they need a longer budget"
		claims = c.drop(claims, verdict.Quick, "undisturbed requests are not compared", why)
		claims = c.drop(claims, verdict.Alone, "requests sent alone are not compared", why)
	}
	// What a round takes at least, and so how many requests the rounds bring.
	round := 2 * slowest * time.Duration(c.perRound*(c.perStratum+1))
	requests := float64(c.perRound*(c.perStratum+c.perVolley)) * float64(c.head.Budget) * roundsPart / 4 / float64(max(round, 1))
	for _, claim := range claims {
		if claim.Name == verdict.Tail && !c.repeat && !c.named[verdict.Tail] && requests < claim.Requests() {
			claims = spare(claims, verdict.Tail, fmt.Sprintf("not needed for a pass: the budget has time for about %s requests of each, %s needed", unit.Count(int64(requests)), unit.Count(int64(claim.Requests()))))
		}
	}
	for i := range claims {
		if claims[i].Name == verdict.Burst {
			claims[i].AtOnce = min(c.perVolley, c.to[0].driver.Permits(), c.to[1].driver.Permits())
		}
	}
	c.inquiry = verdict.NewInquiry(claims, c.renewed())
}

// idlePart is how many times its processor time a request takes at least if its target
// mostly waits: 5 % more work is then at most 0.25 % of the response time.
const idlePart = 20

// noClock is what is said where work cannot be compared.
const noClock = "the processor time of a request is not known"

// checkClock drops the claim on work if the processor time of a target is not known any
// more: what was read before may lack some of it.
func (c *contest) checkClock() {
	if c.unclocked != nil {
		return
	}
	if c.unclocked = c.readMeters(); c.unclocked != nil {
		c.drop(c.inquiry.Withdraw(verdict.Work), verdict.Work, noClock, c.unclocked.Error())
	}
}

// without returns claims without those that have a name.
func without(claims []verdict.Claim, name string) []verdict.Claim {
	return slices.DeleteFunc(claims, func(c verdict.Claim) bool { return c.Name == name })
}

// spare returns claims in which those that have a name can fail and need not pass.
func spare(claims []verdict.Claim, name, why string) []verdict.Claim {
	claims = slices.Clone(claims)
	for i := range claims {
		if claims[i].Name == name {
			claims[i].Pass, claims[i].Spared = 0, why
		}
	}
	return claims
}

// drop returns claims without those that have a name, since they cannot be measured:
// inconclusive if that was asked for by name, else not judged.
func (c *contest) drop(claims []verdict.Claim, name, what, why string) []verdict.Claim {
	for _, claim := range claims {
		if claim.Name != name || claim.Witness {
			continue
		}
		f := verdict.ClaimFinding{Claim: claim, Summary: what, Basis: why, Reason: what + ": " + why}
		if c.named[name] {
			f.Verdict = verdict.Inconclusive
		}
		c.unmeasured = append(c.unmeasured, f)
	}
	return without(claims, name)
}

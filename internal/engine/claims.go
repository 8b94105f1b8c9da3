package engine

import (
	"math"
	"slices"
	"strings"

	"github.com/loadtestkit/load-tester/internal/report"
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

// unclockedWork is the claim on processor time where that is not known: inconclusive if
// it was asked for by name, else not judged. There is none where it is known.
func (c *contest) unclockedWork() (all []report.ClaimResult) {
	if c.unclocked == nil || c.head.Virtual {
		return nil
	}
	for _, claim := range c.claims {
		if claim.Name != verdict.Work {
			continue
		}
		f := verdict.ClaimFinding{Claim: claim, Summary: "the processor time of a request is not known", Basis: c.unclocked.Error()}
		f.Reason = f.Summary + ": " + f.Basis
		if c.workNamed {
			f.Verdict = verdict.Inconclusive
		}
		all = append(all, report.NewClaim(f, c.head.Waive))
	}
	return all
}

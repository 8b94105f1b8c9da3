package verdict

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/loadtestkit/load-tester/internal/unit"
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
// takes at most a given multiple of what base takes.
type Claim struct {
	Name   string
	Q      float64 // the quantile of [Tail] and [Load], in (0, 1); else 0
	AtOnce int     // how many requests a [Burst] has; 0 if that is not known

	// Fail and Pass are ratios, at least 1: the claim is refuted if head surely
	// takes more than Fail times what base takes, and proved if it surely takes at
	// most Pass times that. Pass is 0 for a guard, which can be refuted and need
	// not be proved. Of [Allocs] and [Bytes] Fail is how much more head may take,
	// in objects and octets; 0 means that they are not judged. [Locks] is refuted
	// if the time that head waits longer for mutexes would make base's mean
	// response time Fail times as long.
	Fail, Pass float64

	// Spared is why a claim that could be proved need not be; "" of others.
	Spared string

	// Witness marks a claim that is not judged: it is measured because another one
	// may fail only if its estimate agrees.
	Witness bool
}

// guard reports whether c need not be proved.
func (c Claim) guard() bool { return c.Pass == 0 }

// Requests returns how many requests of each target a claim on the tail needs to be
// proved.
func (c Claim) Requests() float64 { return math.Ceil(10/(1-c.Q) - 1e-6) }

// exact reports whether c is counted, so that chance has no part in its verdict.
func (c Claim) exact() bool { return c.Name == Allocs || c.Name == Bytes }

// shares reports whether a false fail of c counts against the error of a comparison.
func (c Claim) shares() bool { return !c.exact() && !c.Witness }

const (
	typicalMargin = 1.2 // of the typical request and of a burst
	tailMargin    = 1.8 // from p90 on
)

// DefaultTolerances are those where none is given.
var DefaultTolerances = []Tolerance{SlowerBy(0.5, 0.05), SlowerBy(0.99, 0.10)}

// ClaimsOf returns the claims that tolerances ask for, those that are decided soonest
// first.
//
// The tolerance of p50 is that of quick, alone, burst, load and locks, every other
// one that of the tail and of load at its quantile. work has the ratio cpu, or if
// that is 0 the one of p50. Without tolerances and cpu they are 5 % at p50 and 10 %
// at p99. allocs and bytes are how much more a request may allocate, 0 if that is
// not judged. A claim about times that depend on luck is proved up to margin times
// its tolerance's ratio; 0 means 1.2, and 1.8 from p90 on. If there are names, only
// the claims that have one of them are returned, and the witnesses of these.
func ClaimsOf(tolerances []Tolerance, cpu, allocs, bytes, margin float64, names []string) []Claim {
	if len(tolerances) == 0 && cpu == 0 {
		tolerances = DefaultTolerances
	}
	claims := []Claim{{Name: Allocs, Fail: allocs}, {Name: Bytes, Fail: bytes}}
	var guards []Claim
	for _, t := range tolerances {
		if t.Q == 0.5 {
			cpu = cmp.Or(cpu, t.Ratio)
			up := widened(t.Ratio, margin, typicalMargin)
			claims = append(claims, Claim{Name: Quick, Fail: t.Ratio, Pass: t.Ratio},
				Claim{Name: Alone, Fail: t.Ratio, Pass: up}, Claim{Name: Burst, Fail: t.Ratio, Pass: up})
			guards = append(guards, Claim{Name: Locks, Fail: t.Ratio})
		} else {
			usual := typicalMargin
			if t.Q >= 0.9 {
				usual = tailMargin
			}
			claims = append(claims, Claim{Name: Tail, Q: t.Q, Fail: t.Ratio, Pass: widened(t.Ratio, margin, usual)})
		}
		guards = append(guards, Claim{Name: Load, Q: t.Q, Fail: t.Ratio})
	}
	if cpu != 0 {
		claims = slices.Insert(claims, 2, Claim{Name: Work, Fail: cpu, Pass: cpu})
	}
	return chosen(append(claims, guards...), names)
}

// widened is a ratio times a margin, or times the usual one if that is 0, in the
// digits of decimals.
func widened(ratio, margin, usual float64) float64 {
	return math.Round(ratio*cmp.Or(margin, usual)*1e9) / 1e9
}

// chosen returns the claims that have one of the names, all if there are none. quick
// alone among them keeps the claim that it has to agree with as a witness.
func chosen(claims []Claim, names []string) (kept []Claim) {
	if len(names) == 0 {
		return claims
	}
	for _, c := range claims {
		switch {
		case slices.Contains(names, c.Name):
			kept = append(kept, c)
		case c.Name == Alone && slices.Contains(names, Quick):
			kept = append(kept, c.witness())
		}
	}
	return kept
}

// witness returns c as one that is not judged.
func (c Claim) witness() Claim {
	c.Pass, c.Witness = 0, true
	return c
}

// strict returns c without a margin, and not spared.
func (c Claim) strict() Claim {
	if !c.guard() || c.Spared != "" {
		c.Pass, c.Spared = c.Fail, ""
	}
	return c
}

// title is how a person calls c: its name, and its quantile.
func (c Claim) title() string {
	if c.Q == 0 {
		return c.Name
	}
	return strings.TrimSpace(c.Name + " " + unit.QuantileName(c.Q))
}

package report

import (
	"github.com/loadtestkit/load-tester/internal/verdict"
)

// A ClaimResult is the verdict on one claim of a comparison: that in one respect head
// takes at most so many times what base takes.
type ClaimResult struct {
	Claim      string          `json:"claim"`      // work, quick, alone, burst, tail, load, locks, allocs or bytes
	Quantile   string          `json:"quantile"`   // of tail and load, such as p99; "" of others
	FailAbove  *float64        `json:"fail_above"` // ratio above which head fails; objects or octets more than base's of allocs and bytes; nil if that is not judged
	PassBelow  *float64        `json:"pass_below"` // ratio up to which head passes; nil of a guard, which can fail and need not pass
	Ratio      *float64        `json:"ratio"`      // Hodges-Lehmann estimate over the readings; nil if unknown or without bound
	Low        *float64        `json:"low"`        // its confidence interval
	High       *float64        `json:"high"`
	Confidence float64         `json:"confidence"` // of the interval, in [0, 1]; 0 without one
	Base       *float64        `json:"base"`       // what a request of base takes: ns, objects or octets; nil if unknown
	Head       *float64        `json:"head"`
	Readings   int             `json:"readings"` // that the verdict is based on
	Exact      bool            `json:"exact"`    // counted, so it is not repeated
	Verdict    verdict.Verdict `json:"verdict"`  // null of a guard that did not fail
	Summary    string          `json:"summary"`  // for a person: what was found and what was wanted
	Basis      string          `json:"basis"`    // what the verdict rests on
	Reason     string          `json:"reason"`   // both in one line
	Detail     string          `json:"detail"`   // another for readers who know statistics; empty without any
}

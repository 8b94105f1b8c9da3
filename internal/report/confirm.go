package report

import (
	"slices"

	"github.com/loadtestkit/load-tester/internal/verdict"
)

// inRepeat marks a fact that was found in the repeat.
const inRepeat = "in a second run: "

// Fresh says in what a repeat of d differs from d: "after a pause", or what a
// comparison gets anew; "" where that is nothing.
func (d *Document) Fresh() string {
	switch {
	case d.Kind != Comparison:
		return "after a pause"
	case d.Pairs == nil || d.Pairs.Renewed == "":
		return ""
	}
	return "with fresh " + d.Pairs.Renewed
}

// FailedByChance reports whether something was missed that chance may have had a
// part in, whatever else failed: a fact does not make it one.
func (d *Document) FailedByChance() bool {
	return slices.ContainsFunc(d.Judged(), func(l LimitResult) bool { return l.Verdict == verdict.Fail && !l.Exact })
}

// Confirm makes a fail of d inconclusive that its repeat does not share, unless
// it is a fact; a fact of the repeat counts too. The repeat of a comparison examines
// only some claims.
func (d *Document) Confirm() {
	second := repeat{again: "a second run", not: "a second run did not fail"}
	if fresh := d.Fresh(); fresh != "" {
		second = repeat{again: "a second run, " + fresh, not: "a second run, " + fresh + ", did not fail"}
	}
	for i := range d.Claims {
		c := &d.Claims[i]
		if again := d.Repeat.claim(c.name()); !c.Exact {
			second.confirm(&c.Verdict, &c.Reason, &c.Basis, again.Verdict, again.Reason)
		}
	}
	for i := range d.Ratios {
		r := &d.Ratios[i]
		again := d.Repeat.ratio(r.Quantile)
		second.confirm(&r.Verdict, &r.Reason, &r.Basis, again.Verdict, again.Reason)
	}
	for i := range min(len(d.Limits), len(d.Repeat.Limits)) {
		l, again := &d.Limits[i], d.Repeat.Limits[i]
		switch {
		case again.Verdict == verdict.Fail && again.Exact && l.Verdict != verdict.Fail:
			l.Verdict, l.Exact, l.Reason = verdict.Fail, true, inRepeat+again.Reason
			l.Summary, l.Basis = inRepeat+again.Summary, again.Basis
		case !l.Exact || again.Verdict == verdict.Fail:
			second.confirm(&l.Verdict, &l.Reason, &l.Basis, again.Verdict, again.Reason)
		}
	}
	d.Verdict = Overall(d.Judged())
}

// claim returns the claim with a name; the zero one if d does not have it.
func (d *Document) claim(name string) (c ClaimResult) {
	if i := slices.IndexFunc(d.Claims, func(c ClaimResult) bool { return c.name() == name }); i >= 0 {
		c = d.Claims[i]
	}
	return c
}

// ratio returns the ratio at a quantile; the zero one if d does not have it.
func (d *Document) ratio(quantile string) (r RatioResult) {
	if i := slices.IndexFunc(d.Ratios, func(r RatioResult) bool { return r.Quantile == quantile }); i >= 0 {
		r = d.Ratios[i]
	}
	return r
}

// A repeat has the words for a second measurement, and for one that did not fail.
type repeat struct{ again, not string }

// confirm joins a verdict with that of the second measurement.
func (r repeat) confirm(first *verdict.Verdict, reason, basis *string, again verdict.Verdict, why string) {
	switch {
	case *first != verdict.Fail:
	case again == verdict.Fail:
		*reason += "; " + r.again + ": " + why
	default:
		*first, *reason = verdict.Inconclusive, "not repeated: "+r.not+"; the first: "+*reason
		*basis = r.not + "; " + *basis
	}
}

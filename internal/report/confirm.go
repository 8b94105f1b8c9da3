package report

import (
	"slices"

	"github.com/loadtestkit/load-tester/internal/verdict"
)

const (
	// notRepeated is why a fail that a fresh measurement does not share does not
	// count.
	notRepeated = "not repeated: a second run, after a pause, did not fail; the first: "
	// inRepeat marks a fact that was found in the repeat.
	inRepeat = "in a second run: "
)

// FailedByChance reports whether something was missed that chance may have had a
// part in, whatever else failed: a fact does not make it one.
func (d *Document) FailedByChance() bool {
	return slices.ContainsFunc(d.Judged(), func(l LimitResult) bool { return l.Verdict == verdict.Fail && !l.Exact })
}

// Confirm makes a fail of d inconclusive that its repeat does not share, unless
// it is a fact; a fact of the repeat counts too.
func (d *Document) Confirm() {
	for i := range d.Ratios {
		r := &d.Ratios[i]
		again := d.Repeat.Ratios[i]
		confirmOne(&r.Verdict, &r.Reason, &r.Basis, again.Verdict, again.Reason)
	}
	for i := range min(len(d.Limits), len(d.Repeat.Limits)) {
		l, again := &d.Limits[i], d.Repeat.Limits[i]
		switch {
		case again.Verdict == verdict.Fail && again.Exact && l.Verdict != verdict.Fail:
			l.Verdict, l.Exact, l.Reason = verdict.Fail, true, inRepeat+again.Reason
			l.Summary, l.Basis = inRepeat+again.Summary, again.Basis
		case !l.Exact || again.Verdict == verdict.Fail:
			confirmOne(&l.Verdict, &l.Reason, &l.Basis, again.Verdict, again.Reason)
		}
	}
	d.Verdict = Overall(d.Judged())
}

func confirmOne(first *verdict.Verdict, reason, basis *string, again verdict.Verdict, why string) {
	switch {
	case *first != verdict.Fail:
	case again == verdict.Fail:
		*reason += "; a second run, after a pause: " + why
	default:
		*first, *reason = verdict.Inconclusive, notRepeated+*reason
		*basis = "a second run, after a pause, did not fail; " + *basis
	}
}

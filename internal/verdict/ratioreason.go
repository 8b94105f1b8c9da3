package verdict

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/loadtestkit/load-tester/internal/stat"
	"github.com/loadtestkit/load-tester/internal/unit"
)

// statement says what was found and what is allowed, as in
//
//	head is 1.12 times base at p50 (99 % interval 1.08 to 1.16), at most 1.05 allowed
func (r *PairsFinding) statement() string {
	at := "at " + r.Name()
	if r.BlockLevel {
		at += ", by the slowest of each block"
	}
	what := "head is " + formatRatio(r.Estimate, r.Ratio) + " times base " + at
	switch {
	case math.IsInf(r.Estimate, 1):
		what = "head missed too many requests to compare them with base " + at
	case r.Estimate == 0:
		what = "base missed too many requests to compare head with them " + at
	}
	return fmt.Sprintf("%s (%v %% interval %s), at most %s allowed", what, 100*r.Confidence, r.interval(), unit.Decimal(r.Ratio, 0))
}

// explain sets the texts; qualified is what the reason has after the statement, with
// the punctuation that joins them.
func (r *PairsFinding) explain(qualified string) {
	r.Reason = r.statement() + qualified
	r.Summary = fmt.Sprintf("%s %s times base, want <= %s", r.Name(), formatRatio(r.Estimate, r.Ratio), unit.Decimal(r.Ratio, 0))
	switch {
	case math.IsInf(r.Estimate, 1):
		r.Summary = r.Name() + ": head missed too many requests to compare"
	case r.Estimate == 0:
		r.Summary = r.Name() + ": base missed too many requests to compare"
	}
	r.Basis = fmt.Sprintf("%v %% interval %s", 100*r.Confidence, r.interval())
	if !strings.Contains(qualified, " pairs ") {
		r.Basis += " of " + unit.Plural(int64(r.Pairs), "pair")
	}
	if r.BlockLevel {
		r.Basis += ", by the slowest of each block"
	}
	r.Basis += qualified
}

// interval writes the bounds of the ratio.
func (r *PairsFinding) interval() string { return formatInterval(r.Low, r.High, r.Ratio) }

// formatInterval writes the bounds of a ratio.
func formatInterval(from, to, tolerance float64) string {
	low, high := from > 0 && !math.IsInf(from, 1), to > 0 && !math.IsInf(to, 1)
	switch {
	case low && high:
		return formatRatio(from, tolerance) + " to " + formatRatio(to, tolerance)
	case low:
		return formatRatio(from, tolerance) + " or more"
	case high:
		return "up to " + formatRatio(to, tolerance)
	}
	return "without a bound"
}

// formatRatio writes a ratio with two decimals, or with up to two more where it would
// look like the tolerance and is not.
func formatRatio(v, tolerance float64) string {
	s := ""
	for places := 2; places <= 4; places++ {
		s = strconv.FormatFloat(v, 'f', places, 64)
		if s != strconv.FormatFloat(tolerance, 'f', places, 64) {
			break
		}
	}
	return s
}

// tooFew says that there are too few pairs, and why.
func (r *PairsFinding) tooFew() string {
	s := fmt.Sprintf("%s: %d pairs to compare, %d needed", r.Name(), r.Pairs, LeastPairs)
	if r.LeftOut > 0 {
		s += fmt.Sprintf(" (in %d more no request was due, or both missed too many)", r.LeftOut)
	}
	return s
}

// lacking says what would settle a ratio that may be on either side: another
// tolerance only if this one is within the interval.
func (r *PairsFinding) lacking() string {
	s := fmt.Sprintf(": %d pairs do not tell; a longer budget", r.Pairs)
	if r.Low > r.Ratio {
		return fmt.Sprintf(": %d pairs are too few to be sure of it; a longer budget would tell", r.Pairs)
	}
	if wide := math.Ceil(r.High*20) / 20; wide > r.Ratio && !math.IsInf(wide, 1) {
		s += fmt.Sprintf(" or a tolerance of %.2f", wide)
	}
	return s + " would"
}

// carried says that base suffers from what head leaves behind.
func (r *PairsFinding) carried(times float64) string {
	return fmt.Sprintf(", but base is %.2f times as slow right after head as after itself: the two disturb each other, and longer blocks or a lower rate would tell", times)
}

// text says which slow requests head has too many of.
func (r *PairsFinding) text(e excess) string {
	return fmt.Sprintf("%s of head's %s requests took longer than %s, %s of base's %s longer than %s",
		unit.Count(e.head), unit.Count(r.headDue), unit.Duration(time.Duration(e.over*e.ratio)),
		unit.Count(e.base), unit.Count(r.baseDue), unit.Duration(time.Duration(e.over)))
}

// detail lists every p value and what it had to be.
func (c *comparison) detail(r *PairsFinding, over []float64, slow, ranks, quick, pass, counts float64) string {
	positive, n := 0, 0
	for _, d := range over {
		if d > 0 {
			positive++
		}
		if d != 0 {
			n++
		}
	}
	parts := []string{
		fmt.Sprintf("signed-rank of %d pairs: above the tolerance p=%.2g (fail at %.2g), below it p=%.2g (pass at %.2g)", r.Pairs, slow, ranks, quick, pass),
		fmt.Sprintf("%d of %d pairs are above it, evidence %.3g to 1", positive, n, math.Exp(stat.SignEvidence(positive, n))),
	}
	for _, e := range c.excesses {
		parts = append(parts, fmt.Sprintf("%s p=%.2g (fail at %.2g, no pass at %v)", r.text(e), e.p, counts, doubt))
	}
	if r.LeftOut > 0 {
		parts = append(parts, fmt.Sprintf("%d pairs left out", r.LeftOut))
	}
	return strings.Join(parts, "; ")
}

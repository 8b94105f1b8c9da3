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

// qualified returns what the reason has after its statement.
func (c *comparison) qualified(d ruling, r *PairsFinding) string {
	switch {
	case d.found:
		return ", but " + c.text(d.guilty)
	case d.doubted:
		return ", but " + c.text(d.suspect) + ": a longer budget would tell"
	case d.verdict == Inconclusive && !c.guard():
		return r.lacking()
	case d.verdict == Inconclusive && r.High > r.Ratio:
		return ": these blocks do not tell more"
	}
	return ""
}

// text says which slow requests head has too many of.
func (c *comparison) text(e excess) string {
	return fmt.Sprintf("%s of head's %s requests took longer than %s, %s of base's %s longer than %s",
		unit.Count(e.head), unit.Count(c.head.due()), unit.Duration(time.Duration(e.over*e.ratio)),
		unit.Count(e.base), unit.Count(c.base.due()), unit.Duration(time.Duration(e.over)))
}

// detail lists every p value and what it had to be.
func (c *comparison) detail(d ruling) string {
	positive, n := 0, 0
	for _, log := range shifted(c.logs, c.Fail, 1) {
		if log > 0 {
			positive++
		}
		if log != 0 {
			n++
		}
	}
	ranks := fmt.Sprintf("signed-rank of %d pairs: above %s p=%.2g (fail at %.2g)", len(c.logs), unit.Decimal(c.Fail, 0), d.slow, d.ranks)
	if !c.guard() {
		ranks += fmt.Sprintf(", below %s p=%.2g (pass at %.2g)", unit.Decimal(c.Pass, 0), stat.SignedRank(shifted(c.logs, c.Pass, -1)), d.pass)
	}
	parts := []string{ranks, fmt.Sprintf("%d of %d pairs are above %s, evidence %.3g to 1", positive, n, unit.Decimal(c.Fail, 0), math.Exp(stat.SignEvidence(positive, n)))}
	doubts := c.doubts
	needs := fmt.Sprintf("fail at %.2g", d.counts)
	if c.Pass == c.Fail {
		needs += fmt.Sprintf(", no pass at %v", doubt)
		doubts = nil
	}
	for _, e := range c.excesses {
		parts = append(parts, fmt.Sprintf("%s p=%.2g (%s)", c.text(e), e.p, needs))
	}
	for _, e := range doubts {
		parts = append(parts, fmt.Sprintf("%s p=%.2g (no pass at %v)", c.text(e), e.p, doubt))
	}
	if left := c.all - len(c.logs); left > 0 {
		parts = append(parts, fmt.Sprintf("%d pairs left out", left))
	}
	return strings.Join(parts, "; ")
}

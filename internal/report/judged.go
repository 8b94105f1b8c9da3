package report

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/loadtestkit/load-tester/internal/unit"
	"github.com/loadtestkit/load-tester/internal/verdict"
)

// A RatioResult is head's response time divided by base's at one quantile under
// sustained load. It can fail and need not pass: most machines cannot tell a small
// difference there.
type RatioResult struct {
	Quantile   string          `json:"quantile"`  // such as p50
	Tolerance  float64         `json:"tolerance"` // the ratio above which head fails, such as 1.05
	Ratio      *float64        `json:"ratio"`     // Hodges-Lehmann estimate over the pairs; nil if unknown or without bound
	Low        *float64        `json:"low"`       // its confidence interval
	High       *float64        `json:"high"`
	Confidence float64         `json:"confidence"` // of the interval, in [0, 1]
	Base       *time.Duration  `json:"base_ns"`    // the quantile over all of base's blocks
	Head       *time.Duration  `json:"head_ns"`
	Pairs      int             `json:"pairs"`       // that the ratio is based on
	BlockLevel bool            `json:"block_level"` // a block has too few requests for this quantile: the ratio is of the blocks' maxima
	Verdict    verdict.Verdict `json:"verdict"`     // fail, inconclusive if a fail was not repeated, else null
	Summary    string          `json:"summary"`     // for a person: the ratio and what was wanted
	Basis      string          `json:"basis"`       // what the verdict rests on
	Reason     string          `json:"reason"`      // both in one line
	Detail     string          `json:"detail"`      // another for readers who know statistics; empty without any
}

// NewRatio returns r in the form of a document. If waive is not empty, it is the
// reason why ratios are not judged.
//
// No ratio passes: 12 pairs of blocks show only what is obvious, and the rest is for
// the claims.
func NewRatio(r verdict.PairsFinding, waive string) RatioResult {
	d := RatioResult{
		Quantile:   r.Name(),
		Tolerance:  r.Tolerance.Ratio,
		Confidence: r.Confidence,
		Pairs:      r.Pairs,
		BlockLevel: r.BlockLevel,
		Verdict:    r.Verdict,
		Summary:    r.Summary,
		Basis:      r.Basis,
		Reason:     r.Reason,
		Detail:     r.Detail,
		Ratio:      Finite(r.Estimate),
		Low:        Finite(r.Low),
		High:       Finite(r.High),
		Base:       span(r.Base),
		Head:       span(r.Head),
	}
	switch {
	case waive != "":
		d.Verdict, d.Reason = verdict.NotJudged, "not judged: "+waive+"; "+d.Reason
		d.Basis = "not judged: " + waive
	case r.Verdict != verdict.Fail:
		d.inform()
	}
	return d
}

// inform makes r one without a verdict, which says what was measured.
func (r *RatioResult) inform() {
	r.Verdict = verdict.NotJudged
	if r.Ratio == nil || r.Low == nil || r.High == nil {
		return
	}
	number := func(f *float64) string { return strconv.FormatFloat(*f, 'f', 2, 64) }
	r.Summary = fmt.Sprintf("%s %s times base's (%s to %s)", r.Quantile, number(r.Ratio), number(r.Low), number(r.High))
	r.Basis = fmt.Sprintf("%v %% interval of %s", 100*r.Confidence, unit.Plural(int64(r.Pairs), "pair"))
	if *r.High > r.Tolerance {
		r.Summary += ": this machine tells no more"
	}
	r.Reason = r.Summary + "; " + r.Basis
}

// Refuse makes r inconclusive unless it was not judged, since the two cannot be
// compared for the reason why.
func (r *RatioResult) Refuse(why string) {
	if r.Verdict == verdict.NotJudged {
		return
	}
	r.Verdict, r.Reason = verdict.Inconclusive, r.Quantile+": not compared, as "+why
	r.Summary, r.Basis = r.Quantile+" not compared with base", why
}

// Finite returns f in the form of a document: nil if it is unknown or infinite.
func Finite(f float64) *float64 {
	if f <= 0 || math.IsInf(f, 0) || math.IsNaN(f) {
		return nil
	}
	return new(estimate(f))
}

// estimate returns f with six digits, unless it is whole: it is known less well than
// that, and the digits behind them differ from processor to processor.
func estimate(f float64) float64 {
	if f == math.Trunc(f) {
		return f
	}
	r, _ := strconv.ParseFloat(strconv.FormatFloat(f, 'g', 6, 64), 64)
	return r
}

// span does the same for a time in ns.
func span(ns float64) *time.Duration {
	if Finite(ns) == nil {
		return nil
	}
	return new(time.Duration(ns))
}

// Judged returns everything that has a verdict in one list: each claim, each ratio
// that failed or was doubted after it, each limit, and the result of a search. If
// something failed, claims that are still open are left out: they were not measured
// to their end.
func (d *Document) Judged() []LimitResult {
	failed := d.ClaimFailed()
	var all []LimitResult
	for _, c := range d.Claims {
		if failed && c.Verdict == verdict.Inconclusive {
			continue
		}
		all = append(all, LimitResult{
			Limit: c.limit(), Verdict: c.Verdict, Exact: c.Exact,
			Observed: c.Ratio, Low: c.Low, High: c.High, N: int64(c.Readings),
			Summary: c.Claim + ": " + c.Summary, Basis: c.Basis, Reason: c.Claim + ": " + c.Reason, Detail: c.Detail,
		})
	}
	for _, r := range d.Ratios {
		if r.Verdict == verdict.NotJudged {
			continue
		}
		all = append(all, LimitResult{
			Limit: "load " + r.Quantile + "<=" + unit.Decimal(r.Tolerance, 0) + "x base", Verdict: r.Verdict,
			Observed: r.Ratio, Low: r.Low, High: r.High, N: int64(r.Pairs),
			Summary: "load: " + r.Summary, Basis: r.Basis, Reason: "load: " + r.Reason, Detail: r.Detail,
		})
	}
	all = append(all, d.Limits...)
	if d.Found != nil {
		f := d.Found
		all = append(all, LimitResult{Limit: "capacity", Verdict: d.Verdict, Observed: f.Low, Low: f.Low, High: f.High, Summary: f.Reason, Reason: f.Reason})
	}
	return all
}

// ClaimFailed reports whether a claim or a ratio failed, which ends a comparison.
func (d *Document) ClaimFailed() bool {
	return slices.ContainsFunc(d.Claims, func(c ClaimResult) bool { return c.Verdict == verdict.Fail }) ||
		slices.ContainsFunc(d.Ratios, func(r RatioResult) bool { return r.Verdict == verdict.Fail })
}

// A LimitResult is the verdict on one limit.
type LimitResult struct {
	Limit        string          `json:"limit"`
	Verdict      verdict.Verdict `json:"verdict"`       // null if not judged
	Observed     *float64        `json:"observed"`      // ns, ratio or per second, by the limit's metric; nil if unknown or without bound
	Low          *float64        `json:"low"`           // confidence interval of what was observed; nil without bound
	High         *float64        `json:"high"`          // likewise
	N            int64           `json:"n"`             // requests that were due
	NEffective   *float64        `json:"n_effective"`   // nil where the verdict does not use it
	DesignEffect *float64        `json:"design_effect"` // likewise
	Confidence   *float64        `json:"confidence"`    // of a pass or a fail, in [0, 1]; nil if exact or inconclusive
	Exact        bool            `json:"exact"`         // noise cannot cause it, so it is neither repeated nor excused
	Summary      string          `json:"summary"`       // for a person: metric, observed, wanted
	Basis        string          `json:"basis"`         // what the verdict rests on: doubts, the interval, from how many requests
	Reason       string          `json:"reason"`        // both in one line
	Detail       string          `json:"detail"`        // another for readers who know statistics; empty without any
}

// Overall returns the verdict on all limits together.
func Overall(limits []LimitResult) verdict.Verdict {
	var all []verdict.Finding
	for _, l := range limits {
		all = append(all, verdict.Finding{Verdict: l.Verdict})
	}
	return verdict.Overall(all)
}

// NewLimitResult returns r in the form of a document.
func NewLimitResult(r verdict.Finding) LimitResult {
	known := func(v float64, ok bool) *float64 {
		if !ok || math.IsInf(v, 0) {
			return nil
		}
		return new(estimate(v))
	}
	var confidence *float64
	if r.Confidence > 0 {
		confidence = &r.Confidence
	}
	return LimitResult{
		Limit: r.Limit.String(), Verdict: r.Verdict, N: r.N,
		Observed:     known(r.Observed, r.HaveObserved),
		Low:          known(r.Low, r.HaveInterval && (r.Low > 0 || !r.Limit.Metric.IsTime())),
		High:         known(r.High, r.HaveInterval),
		NEffective:   known(r.NEffective, r.NEffective > 0),
		DesignEffect: known(r.DesignEffect, r.NEffective > 0),
		Confidence:   confidence,
		Exact:        r.Exact,
		Summary:      r.Summary, Basis: r.Basis, Reason: r.String(), Detail: r.Detail,
	}
}

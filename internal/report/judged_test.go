package report

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/loadtestkit/load-tester/internal/verdict"
)

func TestEstimatesHaveSixDigits(t *testing.T) {
	for in, want := range map[float64]float64{1.23456789: 1.23457, 0.0123456789: 0.0123457, 123456789: 123456789, 0.5: 0.5} {
		assert.Equal(t, want, *Finite(in))
	}
}

func TestNewClaim(t *testing.T) {
	f := verdict.ClaimFinding{
		Claim: verdict.Claim{Name: verdict.Quick, Fail: 1.05, Pass: 1.05}, Verdict: verdict.Fail,
		Estimate: math.Inf(1), Low: 1.3, High: math.Inf(1), Confidence: 0.99, Base: 1e6, Head: math.Inf(1), Readings: 14,
		Summary: "S", Basis: "B", Reason: "R", Detail: "D",
	}
	want := ClaimResult{
		Claim: "quick", Statement: "an undisturbed request of head, sent alone, takes at most 1.05 times as long as one of base",
		FailAbove: new(1.05), PassBelow: new(1.05), Low: new(1.3), Confidence: 0.99, Base: new(1e6), Readings: 14,
		Verdict: verdict.Fail, Summary: "S", Basis: "B", Reason: "R", Detail: "D",
	}
	assert.Equal(t, want, NewClaim(f, ""), "head's requests failed: without bound")
	want.Verdict, want.Basis, want.Reason = verdict.NotJudged, "not judged: -race", "not judged: -race; R"
	assert.Equal(t, want, NewClaim(f, "-race"))

	guard := NewClaim(verdict.ClaimFinding{Claim: verdict.Claim{Name: verdict.Locks, Fail: 1.05}}, "")
	assert.Nil(t, guard.PassBelow)
	assert.Contains(t, guard.Statement, "by 5.0% of base's response time")
	counted := NewClaim(verdict.ClaimFinding{Claim: verdict.Claim{Name: verdict.Allocs}, Head: 2, Readings: 1, Exact: true}, "")
	assert.Equal(t, 0.0, *counted.Base, "none is a count")
	assert.Nil(t, counted.FailAbove, "not judged")
	assert.True(t, counted.Differs())
	assert.False(t, guard.Differs())
}

// Each claim says in words what a pass means, with its own bound.
func TestStatements(t *testing.T) {
	seen := map[string]bool{}
	for _, name := range []string{verdict.Work, verdict.Quick, verdict.Alone, verdict.Burst, verdict.Tail, verdict.Allocs, verdict.Bytes} {
		s := NewClaim(verdict.ClaimFinding{Claim: verdict.Claim{Name: name, Q: 0.99, Fail: 1.1, Pass: 1.98}}, "").Statement
		assert.Contains(t, s, "at most 1.98", name)
		assert.False(t, seen[s], s)
		seen[s] = true
	}
}

// A ratio can fail and not pass; else it says what this machine can tell.
func TestNewRatio(t *testing.T) {
	f := verdict.PairsFinding{
		Tolerance: verdict.Tolerance{Q: 0.5, Ratio: 1.05}, Verdict: verdict.Pass,
		Estimate: 1.03, Low: 0.81, High: 1.34, Confidence: 0.99, Pairs: 12, Summary: "p50 S", Basis: "B", Reason: "R",
	}
	r := NewRatio(f, "")
	assert.Equal(t, verdict.NotJudged, r.Verdict)
	assert.Equal(t, "p50 1.03 times base's (0.81 to 1.34): this machine tells no more", r.Summary)
	assert.Equal(t, "99 % interval of 12 pairs", r.Basis)
	f.High = 1.04
	assert.Equal(t, "p50 1.03 times base's (0.81 to 1.04)", NewRatio(f, "").Summary)
	f.High = math.Inf(1)
	assert.Equal(t, "p50 S", NewRatio(f, "").Summary, "without a bound")
	f.Verdict = verdict.Fail
	r = NewRatio(f, "")
	assert.Equal(t, verdict.Fail, r.Verdict)
	assert.Equal(t, "p50 S", r.Summary)
	r = NewRatio(f, "-race")
	assert.Equal(t, verdict.NotJudged, r.Verdict)
	assert.Equal(t, "not judged: -race", r.Basis)
}

// What answered differently is not compared, whatever was counted or measured.
func TestRefuse(t *testing.T) {
	c := ClaimResult{Claim: "work", Verdict: verdict.Pass, Exact: true}
	c.Refuse("the statuses differ")
	assert.Equal(t, ClaimResult{
		Claim: "work", Verdict: verdict.Inconclusive,
		Summary: "not compared with base", Basis: "the statuses differ", Reason: "not compared, as the statuses differ",
	}, c)
	r := RatioResult{Quantile: "p50", Verdict: verdict.Fail}
	r.Refuse("the statuses differ")
	assert.Equal(t, verdict.Inconclusive, r.Verdict)
	waived := ClaimResult{}
	waived.Refuse("x")
	assert.Equal(t, ClaimResult{}, waived)
}

// A repeat examines some of the claims, in an order of its own.
func TestConfirmClaims(t *testing.T) {
	const pass, fail, doubt = verdict.Pass, verdict.Fail, verdict.Inconclusive
	confirm := func(renewed string, repeat ...ClaimResult) *Document {
		d := &Document{Kind: Comparison, Pairs: &Pairs{Renewed: renewed}, Repeat: &Document{Claims: repeat}}
		d.Claims = []ClaimResult{
			{Claim: "work", Verdict: fail, Reason: "a", Basis: "b"}, {Claim: "alone", Verdict: doubt},
			{Claim: "tail", Quantile: "p99", Verdict: pass}, {Claim: "tail", Quantile: "p90", Verdict: fail, Reason: "c"},
		}
		d.Confirm()
		return d
	}
	p90 := ClaimResult{Claim: "tail", Quantile: "p90", Verdict: fail, Reason: "e"}
	work := ClaimResult{Claim: "work", Verdict: fail, Reason: "d"}
	d := confirm("servers", p90, work)
	assert.Equal(t, fail, d.Verdict)
	assert.Equal(t, "a; a second run, with fresh servers: d", d.Claims[0].Reason)
	assert.Equal(t, "c; a second run, with fresh servers: e", d.Claims[3].Reason)
	assert.Equal(t, pass, d.Claims[2].Verdict, "it was not examined again, and need not be")

	d = confirm("connections", p90)
	assert.Equal(t, fail, d.Verdict, "of one claim")
	require.Equal(t, doubt, d.Claims[0].Verdict, "it is not in the repeat")
	assert.Equal(t, "not repeated: a second run, with fresh connections, did not fail; the first: a", d.Claims[0].Reason)
	assert.Equal(t, "a second run, with fresh connections, did not fail; b", d.Claims[0].Basis)

	work.Verdict = pass
	d = confirm("", work)
	assert.Equal(t, doubt, d.Verdict)
	assert.Equal(t, "not repeated: a second run did not fail; the first: a", d.Claims[0].Reason)

	// What was counted needs no repeat.
	d = &Document{Kind: Comparison, Repeat: &Document{}, Claims: []ClaimResult{{Claim: "allocs", Verdict: fail, Exact: true}}}
	assert.False(t, d.FailedByChance())
	d.Confirm()
	assert.Equal(t, fail, d.Verdict)

	// Ratios are matched by their quantile.
	d = &Document{Kind: Comparison, Ratios: []RatioResult{{Quantile: "p99", Verdict: fail}, {Quantile: "p50", Verdict: fail}}}
	d.Repeat = &Document{Ratios: []RatioResult{{Quantile: "p50", Verdict: fail}}}
	d.Confirm()
	assert.Equal(t, doubt, d.Ratios[0].Verdict)
	assert.Equal(t, fail, d.Ratios[1].Verdict)
}

func TestFresh(t *testing.T) {
	assert.Equal(t, "after a pause", (&Document{Kind: Run}).Fresh())
	assert.Equal(t, "with fresh servers", (&Document{Kind: Comparison, Pairs: &Pairs{Renewed: "servers"}}).Fresh())
	assert.Empty(t, (&Document{Kind: Comparison, Pairs: &Pairs{}}).Fresh())
}

package verdict

import (
	"fmt"
	"math/big"
	"strconv"
	"time"
)

// Judge returns the verdict on l from the counts of a whole run.
//
// A limit on time is about every request that was due: one that failed, was
// unsent or is unfinished counts as slower than any time. A quantile needs ten
// requests beyond it on average, Due >= 10/(1-Q), or the verdict is
// inconclusive; the other metrics need one request.
func Judge(l Limit, c Counts) Result {
	r := Result{Limit: l, N: c.Due}
	if c.Due == 0 {
		r.Verdict = Inconclusive
		r.Reason = fmt.Sprintf("%s, want %s %s: no request was due", l.subject(), l.Op, l.wantText())
		return r
	}
	switch l.Metric {
	case Quantile:
		judgeQuantile(&r, &c)
	case Mean:
		judgeTime(&r, &c, c.Mean)
	case Max:
		judgeTime(&r, &c, c.Max)
	case Errors:
		r.observe(float64(c.missed()) / float64(c.Due))
	case Throughput:
		judgeRate(&r, &c, c.Completed)
	case Goodput:
		judgeRate(&r, &c, c.Succeeded)
	}
	r.Reason = reason(&r, &c)
	return r
}

// judgeQuantile compares how many requests were within the limit with how many
// must be for the time at the quantile's rank to be.
func judgeQuantile(r *Result, c *Counts) {
	rank := rank(r.Limit.Q, c.Due)
	if c.HaveObserved && rank <= c.Succeeded {
		r.Observed, r.HaveObserved = float64(c.Observed), true
	}
	r.Verdict = Fail
	if within := c.Within >= rank; within != r.Limit.lower() {
		r.Verdict = Pass
	}
	if c.Due < needed(r.Limit.Q) {
		r.Verdict = Inconclusive
	}
}

// judgeTime judges a time that is without bound once a request was missed.
func judgeTime(r *Result, c *Counts, d time.Duration) {
	if c.missed() == 0 {
		r.observe(float64(d))
		return
	}
	r.Verdict = Fail
	if r.Limit.lower() {
		r.Verdict = Pass
	}
}

func judgeRate(r *Result, c *Counts, n int64) {
	if c.Elapsed <= 0 {
		r.Verdict = Inconclusive
		return
	}
	r.observe(float64(n) / c.Elapsed.Seconds())
}

// observe judges a value that is known exactly.
func (r *Result) observe(v float64) {
	r.Observed, r.HaveObserved = v, true
	want := r.Limit.Value
	if r.Limit.Metric.IsTime() {
		want = float64(r.Limit.Time)
	}
	r.Verdict = Fail
	if r.Limit.Op.holds(v, want) {
		r.Verdict = Pass
	}
}

// rank returns ceil(q*n), the rank of quantile q among n. It is computed in
// decimal, as q was written: 0.07*100 is 7, and its rank is not 8.
func rank(q float64, n int64) int64 {
	r := decimal(q)
	return ceil(r.Mul(r, new(big.Rat).SetInt64(n)))
}

// needed returns ceil(10/(1-q)), from how many requests on quantile q is
// judged. Ten beyond the quantile are chosen: their number then varies by about
// a third from run to run.
func needed(q float64) int64 {
	r := decimal(q)
	r.Sub(big.NewRat(1, 1), r)
	return ceil(r.Quo(big.NewRat(10, 1), r))
}

func decimal(q float64) *big.Rat {
	r, _ := new(big.Rat).SetString(strconv.FormatFloat(q, 'g', -1, 64))
	return r
}

func ceil(r *big.Rat) int64 {
	quo, rem := new(big.Int).QuoRem(r.Num(), r.Denom(), new(big.Int))
	if rem.Sign() > 0 {
		quo.Add(quo, big.NewInt(1))
	}
	return quo.Int64()
}

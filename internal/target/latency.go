package target

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/loadtestkit/load-tester/internal/stat"
)

// A Latency is a known distribution of durations. It is immutable and its methods
// are pure functions, so that a test can compute the truth without running
// anything. In the zero value every duration is 0.
type Latency struct {
	points []point // ascending in q; empty means always 0
	steps  bool    // a mix: d is constant between two points, not interpolated
}

// In a point, the share q of all durations, in [0, 1], is at most d.
type point struct {
	q float64
	d time.Duration
}

// maxDuration is the longest duration that a user may give, so that sums of a few
// cannot overflow. No run lasts longer.
const maxDuration = 24 * time.Hour

// ParseLatency reads a distribution in one of three forms:
//
//	2ms                      always 2 ms
//	p50=2ms,p99=40ms         quantiles, percentiles from p0 to p100 ascending
//	90%:1ms,9%:10ms,1%:100ms a mix: 90 % take 1 ms, 9 % 10 ms, 1 % 100 ms
//
// Between two quantiles the logarithm of the duration is interpolated linearly
// (the duration itself if the lower one is 0). There is no extrapolation: with
// p50=2ms,p99=40ms the fastest half takes 2 ms and the slowest 1 % takes 40 ms.
// The shares of a mix must add up to 100 %.
func ParseLatency(s string) (Latency, error) {
	var l Latency
	var err error
	switch {
	case strings.Contains(s, "="):
		l, err = parseQuantiles(s)
	case strings.Contains(s, "%"):
		l, err = parseMix(s)
	default:
		var d time.Duration
		d, err = parseDuration(s)
		l = Latency{points: []point{{1, d}}, steps: true}
	}
	if err != nil {
		return Latency{}, fmt.Errorf("parsing latency %q: %w", s, err)
	}
	return l, nil
}

func parseQuantiles(s string) (Latency, error) {
	var l Latency
	for part := range strings.SplitSeq(s, ",") {
		part = strings.TrimSpace(part)
		name, value, ok := strings.Cut(part, "=")
		percent, found := strings.CutPrefix(name, "p")
		if !ok || !found {
			return l, fmt.Errorf("%q is not a quantile, want one such as p99=40ms", part)
		}
		p, err := parsePercent(percent)
		if err != nil || !(p >= 0 && p <= 100) {
			return l, fmt.Errorf("%q is not between p0 and p100", name)
		}
		d, err := parseDuration(value)
		if err != nil {
			return l, err
		}
		if n := len(l.points); n > 0 {
			if last := l.points[n-1]; p/100 <= last.q || d < last.d {
				return l, fmt.Errorf("%q must be above the quantile before it, and not faster", part)
			}
		}
		l.points = append(l.points, point{p / 100, d})
	}
	return l, nil
}

func parseMix(s string) (Latency, error) {
	l := Latency{steps: true}
	sum := 0.0
	for part := range strings.SplitSeq(s, ",") {
		part = strings.TrimSpace(part)
		share, value, ok := strings.Cut(part, ":")
		percent, found := strings.CutSuffix(share, "%")
		if !ok || !found {
			return l, fmt.Errorf("%q is not a share of a mix, want one such as 90%%:1ms", part)
		}
		p, err := parsePercent(percent)
		if err != nil || !(p > 0 && p <= 100) {
			return l, fmt.Errorf("share %q must be above 0%% and at most 100%%", share)
		}
		d, err := parseDuration(value)
		if err != nil {
			return l, err
		}
		if n := len(l.points); n > 0 && d <= l.points[n-1].d {
			return l, fmt.Errorf("%q must take longer than the share before it", part)
		}
		sum += p
		l.points = append(l.points, point{sum / 100, d})
	}
	if math.Abs(sum-100) > 1e-9 {
		return l, fmt.Errorf("the shares sum to %v%%, want 100%%", sum)
	}
	l.points[len(l.points)-1].q = 1
	return l, nil
}

// parsePercent reads a number with the nine decimals that [formatPercent] writes.
func parsePercent(s string) (float64, error) {
	p, err := strconv.ParseFloat(s, 64)
	return math.Round(p*1e9) / 1e9, err
}

// parseDuration reads a duration with a unit, in [0, maxDuration].
func parseDuration(s string) (time.Duration, error) {
	s = strings.TrimSpace(s)
	d, err := time.ParseDuration(s)
	switch {
	case err == nil && d < 0:
		return 0, fmt.Errorf("duration %q must not be negative", s)
	case err == nil && d > maxDuration:
		return 0, fmt.Errorf("duration %q must be at most %v", s, maxDuration)
	case err == nil:
		return d, nil
	}
	if _, err := strconv.ParseFloat(s, 64); err == nil {
		return 0, fmt.Errorf("duration %q needs a unit, for example %sms", s, s)
	}
	return 0, fmt.Errorf("%q is not a duration, want one such as 2ms", s)
}

// Quantile returns the quantile q, in [0, 1], exact to the nanosecond.
func (l Latency) Quantile(q float64) time.Duration {
	// Shares are decimal fractions: 0.07*100 is 7.000000000000001 in float64.
	const slack = 1e-12
	for i, b := range l.points {
		switch {
		case q > b.q+slack:
			continue
		case i == 0 || l.steps:
			return b.d
		}
		return interpolate(l.points[i-1], b, q)
	}
	if len(l.points) == 0 {
		return 0
	}
	return l.points[len(l.points)-1].d
}

// interpolate returns the quantile q between a and b; see [ParseLatency].
func interpolate(a, b point, q float64) time.Duration {
	share := min((q-a.q)/(b.q-a.q), 1)
	if a.d == 0 {
		return time.Duration(math.Round(share * float64(b.d)))
	}
	ratio := float64(b.d) / float64(a.d)
	return time.Duration(math.Round(float64(a.d) * math.Pow(ratio, share)))
}

// At returns duration n, counted from 0, of the sequence that seed selects. The
// durations of different n are independent samples of the distribution.
func (l Latency) At(n int64, seed uint64) time.Duration {
	// The seed is hashed first: sequences of neighbouring seeds must not overlap.
	u := stat.Random(stat.Random(seed, 0), n)
	return l.Quantile(float64(u>>11+1) / (1 << 53)) // in (0, 1], with the 53 bits of a float64
}

// String returns the distribution in the form [ParseLatency] reads.
func (l Latency) String() string {
	if len(l.points) == 0 {
		return "0s"
	}
	if l.steps && len(l.points) == 1 {
		return l.points[0].d.String()
	}
	var parts []string
	below := 0.0
	for _, p := range l.points {
		if l.steps {
			parts = append(parts, formatPercent(p.q-below)+"%:"+p.d.String())
		} else {
			parts = append(parts, "p"+formatPercent(p.q)+"="+p.d.String())
		}
		below = p.q
	}
	return strings.Join(parts, ",")
}

// formatPercent formats a share as a percentage, without the rounding errors of
// binary fractions.
func formatPercent(share float64) string {
	return strconv.FormatFloat(math.Round(share*1e11)/1e9, 'f', -1, 64)
}

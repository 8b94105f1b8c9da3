package verdict

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/loadtestkit/load-tester/internal/unit"
)

// Parse reads a limit: a metric (p50, p99, p99.9 or any other percentile, mean,
// max, errors, throughput, goodput), one of < <= > >=, and a value with its
// unit. Its errors say what would be right; the caller adds which text they are
// about. It returns the zero Limit with an error.
func Parse(s string) (Limit, error) {
	name, op, value, err := split(s)
	if err != nil {
		return Limit{}, err
	}
	l, err := parseMetric(name)
	if err != nil {
		return Limit{}, err
	}
	for o := Below; o <= AtLeast; o++ {
		if o.String() == op {
			l.Op = o
		}
	}
	if l.Op == 0 {
		return Limit{}, fmt.Errorf("unknown comparison %q, want one of < <= > >=, for example %s", op, l.example())
	}
	if err := l.parseValue(value); err != nil {
		return Limit{}, err
	}
	return l, nil
}

// split cuts a limit around its comparison.
func split(s string) (name, op, value string, err error) {
	const signs = "<>=!"
	if strings.TrimSpace(s) == "" {
		return "", "", "", errors.New("no limit given, want for example p99<=50ms")
	}
	at := strings.IndexAny(s, signs)
	if at < 0 {
		return "", "", "", errors.New("no comparison, want one of < <= > >=, for example p99<=50ms")
	}
	value = strings.TrimLeft(s[at:], signs)
	op = s[at : len(s)-len(value)]
	if strings.Contains(value, ",") {
		return "", "", "", errors.New("want one limit, such as p99<=50ms, and the flag again for another")
	}
	return strings.TrimSpace(s[:at]), op, strings.TrimSpace(value), nil
}

// parseMetric returns a limit that has its metric alone.
func parseMetric(name string) (Limit, error) {
	for m := Mean; m <= Goodput; m++ {
		if l := (Limit{Metric: m}); l.name() == name {
			return l, nil
		}
	}
	if percent, ok := strings.CutPrefix(name, "p"); !ok || strings.Trim(percent, "0123456789.") != "" {
		return Limit{}, fmt.Errorf("unknown metric %q, want p50, p90, p99, p99.9 or any other percentile, mean, max, errors, throughput or goodput", name)
	}
	q, err := unit.ParseQuantile(name)
	if err != nil {
		return Limit{}, err
	}
	return Limit{Metric: Quantile, Q: q}, nil
}

// parseValue sets what l compares with.
func (l *Limit) parseValue(s string) error {
	switch {
	case l.Metric.IsTime():
		d, err := time.ParseDuration(s)
		switch {
		case err != nil:
			return fmt.Errorf("%s needs a duration with a unit, for example %s", l.name(), l.example())
		case d <= 0:
			return fmt.Errorf("%s needs a duration above 0, for example %s", l.name(), l.example())
		}
		l.Time = d
	case l.Metric == Errors:
		r, err := parseRatio(s)
		if err != nil || !(r >= 0 && r <= 1) {
			return fmt.Errorf("errors needs a share from 0 to 100%%, for example %s or errors%s0.001", l.example(), l.Op)
		}
		if l.Op == Below && r == 0 || l.Op == Above && r == 1 {
			return fmt.Errorf("errors%s%s never holds: use errors%s=%s", l.Op, s, l.Op, s)
		}
		l.Value = r + 0 // -0 is 0
	default:
		v, err := strconv.ParseFloat(strings.TrimSuffix(s, "/s"), 64)
		if err != nil || !(v > 0) || math.IsInf(v, 0) {
			return fmt.Errorf("%s needs a number of responses per second, for example %s", l.name(), l.example())
		}
		l.Value = v
	}
	return nil
}

// parseRatio reads 0.1% or 0.001.
func parseRatio(s string) (float64, error) {
	if percent, ok := strings.CutSuffix(s, "%"); ok {
		s = strings.TrimSpace(percent) + "e-2"
	}
	return strconv.ParseFloat(s, 64)
}

// maxPlainRatio is the largest ratio that is read without a percent sign:
// p50=5 is meant as 5 %, not as five times as slow, which would tolerate all.
const maxPlainRatio = 2.0

// ParseTolerance reads by how much a quantile may be slower: p50=5%, or as the
// largest ratio that passes p50=1.05. Its errors say what would be right; the
// caller adds which text they are about.
func ParseTolerance(s string) (Tolerance, error) {
	name, value, ok := strings.Cut(s, "=")
	if !ok {
		return Tolerance{}, errors.New("want a percentile and by how much it may be slower, for example p99=10%")
	}
	name = strings.TrimSpace(name)
	q, err := unit.ParseQuantile(name)
	if err != nil {
		return Tolerance{}, err
	}
	r, err := ParseSlower(name, value)
	if err != nil {
		return Tolerance{}, err
	}
	return Tolerance{Q: q, Ratio: r}, nil
}

// ParseSlower reads by how much something with a name may be slower: 5%, or 1.05, as
// a ratio. It returns 0 with an error.
func ParseSlower(name, value string) (float64, error) {
	value = strings.TrimSpace(value)
	r, err := parseRatio(value)
	most := maxPlainRatio
	if strings.HasSuffix(value, "%") {
		r = SlowerBy(0, r).Ratio
		most = math.MaxFloat64
	}
	if err != nil || !(1 <= r && r <= most) {
		return 0, fmt.Errorf("%s needs by how much it may be slower, for example %s=5%% or %s=1.05", name, name, name)
	}
	return r, nil
}

// ClaimNames are those by which claims are chosen.
var ClaimNames = []string{Work, Quick, Alone, Burst, Tail, Load, Locks, Allocs, Bytes}

// example returns a limit like l that is well formed.
func (l Limit) example() string {
	l.Time, l.Value = 50*time.Millisecond, 0.001
	usual := AtMost
	if l.Metric == Throughput || l.Metric == Goodput {
		l.Value, usual = 5000, AtLeast
	}
	if l.Op == 0 {
		l.Op = usual
	}
	return l.String()
}

package verdict

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/loadtestkit/load-tester/internal/unit"
)

// maxPlainRatio is the largest ratio that is read without a percent sign. Chosen:
// who writes p50=5 means 5 %, not five times as slow, which would tolerate all.
const maxPlainRatio = 2.0

// SlowerBy is the tolerance of head's quantile q slower by a share: 0.05 is 5 %.
// The ratio is in the digits of the share; 1+0.14 is not 1.14 in binary.
func SlowerBy(q, share float64) Tolerance {
	return Tolerance{Q: q, Ratio: math.Round((1+share)*1e9) / 1e9}
}

// ParseTolerance reads by how much a quantile may be slower: p50=5%, or as the
// largest ratio that passes p50=1.05. Its errors say what would be right; which
// text they are about, the caller says.
func ParseTolerance(s string) (Tolerance, error) {
	name, value, ok := strings.Cut(s, "=")
	if !ok {
		return Tolerance{}, errors.New("want a percentile and by how much it may be slower, for example p99=10%")
	}
	name, value = strings.TrimSpace(name), strings.TrimSpace(value)
	q, err := unit.ParseQuantile(name)
	if err != nil {
		return Tolerance{}, err
	}
	r, err := parseRatio(value)
	most := maxPlainRatio
	if strings.HasSuffix(value, "%") {
		r = SlowerBy(q, r).Ratio
		most = math.MaxFloat64
	}
	if err != nil || !(1 <= r && r <= most) {
		return Tolerance{}, fmt.Errorf("%s needs by how much it may be slower, for example %s=5%% or %s=1.05", name, name, name)
	}
	return Tolerance{Q: q, Ratio: r}, nil
}

// Name returns the quantile as limits spell it: p50, p99.9.
func (t Tolerance) Name() string { return unit.QuantileName(t.Q) }

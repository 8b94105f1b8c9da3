package unit

import (
	"fmt"
	"strconv"
	"strings"
)

// Clause returns the message of an error for a sentence that goes on: without the full
// stop that those of Windows end with.
func Clause(message string) string {
	if strings.HasSuffix(message, "..") {
		return message
	}
	return strings.TrimSuffix(message, ".")
}

// Quantiles are the quantiles that reports show and baselines record, in ascending
// order.
var Quantiles = [...]float64{0.5, 0.9, 0.95, 0.99, 0.999}

// QuantileName names a quantile, in (0, 1), as a percentile: p50, p99.9.
func QuantileName(q float64) string { return "p" + Decimal(q, 2) }

// ParseQuantile parses what [QuantileName] returns. Its errors say what would be valid.
func ParseQuantile(name string) (q float64, err error) {
	percent, ok := strings.CutPrefix(name, "p")
	if !ok || strings.Trim(percent, "0123456789.") != "" {
		return 0, fmt.Errorf("unknown percentile %q, want p50, p90, p99, p99.9 or any other", name)
	}
	// The exponent moves the point in the text: in binary 99.9/100 is not 0.999.
	q, err = strconv.ParseFloat(percent+"e-2", 64)
	switch {
	case err != nil:
		return 0, fmt.Errorf("no percentile %q, want for example p99 or p99.9", name)
	case q == 1:
		return 0, fmt.Errorf("%s is the longest response time: call it max", name)
	case q <= 0 || q > 1:
		return 0, fmt.Errorf("no percentile %q, want one above p0 and below p100", name)
	}
	return q, nil
}

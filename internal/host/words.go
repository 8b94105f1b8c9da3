package host

import (
	"fmt"
	"strconv"
	"time"
)

// above tells whether d is more than share of whole.
func above(d time.Duration, share float64, whole time.Duration) bool {
	return float64(d) > share*float64(whole)
}

// ratio returns d / whole, 0 for an empty whole.
func ratio(d, whole time.Duration) float64 {
	if whole <= 0 {
		return 0
	}
	return float64(d) / float64(whole)
}

// short returns d with three significant digits: "1.23ms", "12.3s".
func short(d time.Duration) string {
	unit := time.Duration(1)
	for n := d; n >= 1000; n /= 10 {
		unit *= 10
	}
	return d.Round(unit).String()
}

// percent returns a ratio with at most three digits: "12.3%".
func percent(r float64) string {
	return fmt.Sprintf("%.3g%%", 100*r)
}

// grouped returns n with a comma before each three digits: "29,940".
func grouped(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// Package unit formats numbers for people, so that a value looks the same in a table, a
// warning, a verdict and a progress line.
package unit

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// Duration formats a duration with at most three significant digits: 850ns, 85µs,
// 4.2ms, 1.23s. From 100ms it shows tenths of a millisecond, from a minute whole
// seconds: 102.7ms, 2m5s.
func Duration(d time.Duration) string {
	if d < 0 {
		return "-" + Duration(-max(d, -math.MaxInt64)) // the least int64 is its own negative
	}
	// Each step ends where rounding would show 1000 of its unit, or 60.0s.
	switch {
	case d < time.Microsecond:
		return Exact(d)
	case d < 999_500*time.Nanosecond:
		return Significant(float64(d)/1e3, 3) + "µs"
	case d < 99_950*time.Microsecond:
		return Significant(float64(d)/1e6, 3) + "ms"
	case d < 999_950*time.Microsecond:
		return Rounded(float64(d)/1e6, 1) + "ms"
	case d < 59_950*time.Millisecond:
		return Significant(d.Seconds(), 3) + "s"
	}
	return Exact(d.Round(time.Second))
}

// Optional formats a duration as [Duration] does, and nil, which is unknown, as -.
func Optional(d *time.Duration) string {
	if d == nil {
		return "-"
	}
	return Duration(*d)
}

// Exact formats d with every digit, so that [time.ParseDuration] reads it back, but
// without the zero units at the end of [time.Duration.String]: 1m0s is 1m.
func Exact(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = s[:len(s)-2]
	}
	if strings.HasSuffix(s, "h0m") {
		s = s[:len(s)-2]
	}
	return s
}

// Clock formats an elapsed time, at least 0, in few columns and rounded down: 3.2s,
// 45s, 1m05s, 2h03m.
func Clock(d time.Duration) string {
	switch s := int64(d / time.Second); {
	case d < 10*time.Second:
		return Rounded(math.Floor(d.Seconds()*10)/10, 1) + "s"
	case s < 60:
		return fmt.Sprintf("%ds", s)
	case s < 3600:
		return strings.TrimSuffix(fmt.Sprintf("%dm%02ds", s/60, s%60), "00s")
	default:
		return strings.TrimSuffix(fmt.Sprintf("%dh%02dm", s/3600, s/60%60), "00m")
	}
}

// Span formats times from least to most: "20ms", "18ms to 26ms", or "up to 26ms" if
// least is below a millisecond.
func Span(least, most time.Duration) string {
	switch to := Duration(most); {
	case Duration(least) == to:
		return to
	case least < time.Millisecond:
		return "up to " + to
	default:
		return Duration(least) + " to " + to
	}
}

package verdict

import (
	"strconv"
	"strings"
	"time"
	"unicode"
)

// FormatDuration writes a time for people, in at most three significant
// digits: 850ns, 85µs, 4.2ms, 1.23s. From 100ms on it keeps tenths of a
// millisecond, and from a minute on whole seconds: 102.7ms, 2m5s.
func FormatDuration(d time.Duration) string {
	if d < 0 {
		return "-" + FormatDuration(-d)
	}
	// Each step ends where rounding would show 1000 of its unit, or 60.0s.
	switch {
	case d < time.Microsecond:
		return exact(d)
	case d < 999_500*time.Nanosecond:
		return digits(float64(d)/1e3, 2) + "µs"
	case d < 99_950*time.Microsecond:
		return digits(float64(d)/1e6, 2) + "ms"
	case d < 999_950*time.Microsecond:
		return strings.TrimSuffix(strconv.FormatFloat(float64(d)/1e6, 'f', 1, 64), ".0") + "ms"
	case d < 59_950*time.Millisecond:
		return digits(d.Seconds(), 2) + "s"
	}
	return exact(d.Round(time.Second))
}

// digits writes f, in [1, 1000), with n digits after the first significant
// one, without trailing zeros.
func digits(f float64, n int) string {
	g, _ := strconv.ParseFloat(strconv.FormatFloat(f, 'e', n, 64), 64)
	return strconv.FormatFloat(g, 'f', -1, 64)
}

// exact writes d with every digit, as time.ParseDuration reads it, without the
// zero units that time.Duration.String ends with: 1m0s is 1m.
func exact(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = s[:len(s)-2]
	}
	if strings.HasSuffix(s, "h0m") {
		s = s[:len(s)-2]
	}
	return s
}

// FormatCount writes n with a comma between groups of three digits: 29,940.
func FormatCount(n int64) string {
	s := strconv.FormatInt(n, 10)
	first := 1 // the first digit, after a sign
	if n < 0 {
		first = 2
	}
	for i := len(s) - 3; i >= first; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// maxLine is the longest message that fits a report's line, in runes; chosen:
// two lines of a wide terminal.
const maxLine = 240

// OneLine returns a message from outside fit for one line of a report: what
// does not print, such as the escapes a server may have sent, is written as Go
// writes it in a string, and a long message is cut.
func OneLine(s string) string {
	var b strings.Builder
	n := 0
	for _, r := range s {
		if n++; n > maxLine {
			b.WriteString("...")
			break
		}
		if unicode.IsPrint(r) {
			b.WriteRune(r)
			continue
		}
		q := strconv.QuoteRune(r)
		b.WriteString(q[1 : len(q)-1])
	}
	return b.String()
}

package unit

import (
	"fmt"
	"strconv"
	"strings"
)

// Count formats n with a comma between groups of three digits: 29,940.
func Count(n int64) string {
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

// ShortCount formats n, at least 0, in at most 5 columns: 9999, 12.3k, 1.23M.
func ShortCount(n int64) string {
	if n < 10_000 {
		return strconv.FormatInt(n, 10)
	}
	f := float64(n)
	for _, unit := range []string{"k", "M", "G", "T"} {
		f /= 1000
		if f < 999.5 {
			digits := 2
			if f >= 99.95 {
				digits = 0
			} else if f >= 9.995 {
				digits = 1
			}
			return strconv.FormatFloat(f, 'f', digits, 64) + unit
		}
	}
	return Number(f) + "T"
}

// Plural formats a number and its noun: 1 request, 2 requests.
func Plural(n int64, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return strconv.FormatInt(n, 10) + " " + noun
}

// Number formats f, at least 0, with three significant digits, and from 100 on as a
// whole number: 0.0213, 45.3, 12800.
func Number(f float64) string {
	if f >= 100 {
		return strconv.FormatFloat(f, 'f', 0, 64)
	}
	return Significant(f, 3)
}

// Significant formats f with n significant digits, without trailing zeros and without
// an exponent.
func Significant(f float64, n int) string {
	g, _ := strconv.ParseFloat(strconv.FormatFloat(f, 'e', n-1, 64), 64)
	return strconv.FormatFloat(g, 'f', -1, 64)
}

// Rounded formats f with at most the given number of decimal places, at least 1, and
// without trailing zeros: 12.5, 1000.
func Rounded(f float64, places int) string {
	s := strconv.FormatFloat(f, 'f', places, 64)
	return strings.TrimRight(strings.TrimRight(s, "0"), ".")
}

// Decimal formats f, at least 0, times 10 to the power of places, with the fewest
// digits that are read back as f and without an exponent. It moves the point in the
// text, because 0.07*100 is not 7 in binary.
func Decimal(f float64, places int) string {
	mantissa, exp, _ := strings.Cut(strconv.FormatFloat(f, 'e', -1, 64), "e")
	digits := strings.Replace(mantissa, ".", "", 1)
	point, _ := strconv.Atoi(exp) // the position of the point in digits
	point += 1 + places
	switch {
	case f == 0:
		return "0"
	case point <= 0:
		return "0." + strings.Repeat("0", -point) + digits
	case point >= len(digits):
		return digits + strings.Repeat("0", point-len(digits))
	}
	return digits[:point] + "." + digits[point:]
}

// Percent formats a share to a tenth of a percent: 0.0521 is 5.2%.
func Percent(share float64) string { return strconv.FormatFloat(share*100, 'f', 1, 64) + "%" }

// Rate formats an arrival rate per second as [Number] does: 12800/s.
func Rate(perSecond float64) string { return Number(perSecond) + "/s" }

// Throughput formats a throughput with two decimals, so that rows line up, and below 1
// with three significant digits: 1000.00, 0.0333.
func Throughput(f float64) string {
	if f > 0 && f < 0.995 {
		return Significant(f, 3)
	}
	return strconv.FormatFloat(f, 'f', 2, 64)
}

// PerSecond formats a throughput with its unit: 1000.00 req/s.
func PerSecond(f float64) string { return Throughput(f) + " req/s" }

// ArrivalRate formats a rate that was asked for, with up to three decimals, and below 1
// with as many significant digits: 12.5, 1000, 0.000333.
func ArrivalRate(perSecond float64) string {
	if perSecond > 0 && perSecond < 1 {
		return Significant(perSecond, 3)
	}
	return Rounded(perSecond, 3)
}

// Status formats a status code with its three digits: 200, 001.
func Status(code int) string { return fmt.Sprintf("%03d", code) }

// Size formats a number of octets in units of 1000 with three significant digits: 999
// B, 1.02 kB.
func Size(n int64) string {
	f, unit := float64(n), 0
	for units := []string{" B", " kB", " MB", " GB", " TB"}; ; unit++ {
		if f < 999.5 || unit == len(units)-1 {
			return Number(f) + units[unit]
		}
		f /= 1000
	}
}

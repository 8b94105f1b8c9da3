package cli

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/loadtestkit/load-tester/internal/http1"
	"github.com/loadtestkit/load-tester/internal/load"
)

// parseCount reads a whole number of at least 1: 100, 10k, 1.5k, 2m or 1e6.
func parseCount(s string) (int64, error) {
	f, err := parseNumber(s)
	switch {
	case err != nil || f != math.Trunc(f):
		return 0, errors.New("want a whole number such as 100, 10k, 2m or 1e6")
	case f < 1:
		return 0, errors.New("want at least 1")
	case f > 1<<53: // beyond what a float64 counts, and any run
		return 0, errors.New("want at most 9e15")
	}
	return int64(f), nil
}

// parseNumber reads a decimal number of at least 0, such as 1e6, in thousands with
// a k behind it and in millions with an m.
func parseNumber(s string) (float64, error) {
	digits, factor := s, 1.0
	if s != "" {
		switch s[len(s)-1] {
		case 'k', 'K':
			digits, factor = s[:len(s)-1], 1e3
		case 'm', 'M':
			digits, factor = s[:len(s)-1], 1e6
		}
	}
	if strings.Trim(strings.TrimPrefix(digits, "-"), "0123456789.eE") != "" {
		return 0, errors.New("not a number") // no 0x10, Inf or 1_000
	}
	f, err := strconv.ParseFloat(digits, 64)
	// Rounded to nano-units: 1.1 times a million is not whole in binary.
	return math.Round(f*factor*1e9) / 1e9, err
}

// parseConcurrency reads how many requests may be in flight.
func parseConcurrency(s string) (int, error) {
	n, err := parseCount(s)
	if err == nil && n > math.MaxInt32 {
		return 0, errors.New("want at most 1000000")
	}
	return int(n), err
}

// parseAhead reads how many connections to open ahead, for the engine,
// where 0 is a default and negative is none.
func parseAhead(s string) (int, error) {
	if s == "0" {
		return -1, nil
	}
	n, err := parseConcurrency(s)
	if err != nil {
		return 0, errors.New("want a whole number of connections, 0 for none")
	}
	return n, nil
}

// parseSeed reads the seed of random arrivals.
func parseSeed(s string) (uint64, error) {
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil || n == 0 {
		return 0, errors.New("want a whole number of at least 1")
	}
	return n, nil
}

// rateUnits are what a rate may be per, in seconds.
var rateUnits = map[string]float64{"": 1, "ms": 1e-3, "s": 1, "m": 60, "h": 3600}

// parseRate reads arrivals per second, above 0: 1000, 1000/s, 50/m or 10/ms.
func parseRate(s string) (float64, error) {
	r, err := rateOrPause(s)
	if err != nil {
		return 0, err
	}
	if r == 0 {
		return 0, errors.New("want a rate above 0, such as 1000 or 50/m")
	}
	return r, nil
}

// rateOrPause is parseRate that takes 0 too.
func rateOrPause(s string) (float64, error) {
	number, unit, cut := strings.Cut(s, "/")
	f, err := parseNumber(number)
	per, ok := rateUnits[unit]
	if err != nil || !ok || cut && unit == "" {
		return 0, errors.New("want arrivals per second, or per another time: 1000, 1000/s, 50/m, 10/ms")
	}
	if f < 0 || f/per > 1e9 {
		return 0, errors.New("want a rate above 0 and at most 1e9 a second")
	}
	return f / per, nil
}

// parseStage reads 10s:100, a step, or 10s:100..1000, a ramp.
func parseStage(s string) (st load.Stage, err error) {
	length, rates, ok := strings.Cut(s, ":")
	if !ok {
		return st, errors.New("want TIME:RATE or TIME:FROM..TO, for example 30s:100..1000")
	}
	if st.For, err = parseTime(length); err != nil {
		return st, fmt.Errorf("its time: %w", err)
	}
	if strings.Contains(rates, ",") {
		return st, errors.New("want one stage, such as 30s:100, and the flag again for the next")
	}
	from, to, ramp := strings.Cut(rates, "..")
	if !ramp {
		to = from
	}
	if st.From, err = rateOrPause(from); err == nil {
		st.To, err = rateOrPause(to)
	}
	if err != nil {
		return st, fmt.Errorf("its rate: %w", err)
	}
	return st, nil
}

// parseTime reads a time above 0.
func parseTime(s string) (time.Duration, error) {
	d, err := parseTimeOrZero(s)
	if err == nil && d == 0 {
		return 0, errors.New("want a time above 0, for example 10s")
	}
	return d, err
}

// parseTimeout reads the time of one request. A number alone may be meant as wrk's
// threads, or as the seconds that ab takes in all.
func parseTimeout(s string) (time.Duration, error) {
	d, err := parseTime(s)
	if n, bad := strconv.Atoi(s); err != nil && bad == nil && n > 0 {
		err = fmt.Errorf("%w; -t is the timeout: threads, as wrk's, are not needed, and the duration, as ab's, is -z", err)
	}
	return d, err
}

// parseOutput reads the name of a file. -o is the format in hey and others.
func parseOutput(s string) (string, error) {
	if slices.Contains([]string{"csv", "html", "json", "text"}, s) {
		return "", fmt.Errorf("want a file; the format is --format (-f), and a file of that name ./%s", s)
	}
	return nonEmpty(s)
}

// parseTimeOrZero reads a time of at least 0.
func parseTimeOrZero(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	if err != nil {
		if f, err := strconv.ParseFloat(s, 64); err == nil && f > 0 && !math.IsInf(f, 0) {
			return 0, fmt.Errorf("want a unit, for example %ss or %sms", s, s)
		}
		return 0, errors.New("want a time with a unit, for example 10s, 500ms or 1m30s")
	}
	if d < 0 {
		return 0, errors.New("want a time above 0, for example 10s")
	}
	return d, nil
}

// parseGrace reads a grace period. For the engine 0 means the timeout, here it
// means none.
func parseGrace(s string) (time.Duration, error) {
	d, err := parseTimeOrZero(s)
	return max(d, 1), err
}

// parseStatuses checks a set of statuses.
func parseStatuses(s string) (string, error) {
	_, err := http1.ParseStatuses(s)
	return s, err
}

// oneOf reads one of some words.
func oneOf(words ...string) func(string) (string, error) {
	return func(s string) (string, error) {
		if !slices.Contains(words, s) {
			last := len(words) - 1
			return "", fmt.Errorf("want %s or %s", strings.Join(words[:last], ", "), words[last])
		}
		return s, nil
	}
}

// parseSwitch reads the value of a flag that takes none.
func parseSwitch(s string) (bool, error) {
	b, err := strconv.ParseBool(s)
	if err != nil {
		return false, errors.New("want true or false, or no value")
	}
	return b, nil
}

// anyText takes every text.
func anyText(s string) (string, error) { return s, nil }

// nonEmpty takes text that is not empty.
func nonEmpty(s string) (string, error) {
	if s == "" {
		return "", errors.New("want one that is not empty")
	}
	return s, nil
}

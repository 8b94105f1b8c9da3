package http1

import (
	"fmt"
	"strconv"
	"strings"
)

// Statuses is a set of status codes from 100 to 599. The zero Statuses is empty.
type Statuses struct{ bits [10]uint64 }

const leastStatus, mostStatus = 100, 599

// ParseStatuses parses a list of codes, classes and ranges, such as
// 200,201,3xx,400-404.
func ParseStatuses(s string) (set Statuses, err error) {
	for item := range strings.SplitSeq(s, ",") {
		item = strings.TrimSpace(item)
		first, last, err := parseStatusRange(item)
		if err != nil {
			return Statuses{}, fmt.Errorf("%q: %w", item, err)
		}
		set.add(first, last)
	}
	return set, nil
}

// parseStatusRange parses one item of a list: 200, 2xx or 200-204.
func parseStatusRange(s string) (first, last int, err error) {
	if len(s) == 3 && strings.EqualFold(s[1:], "xx") {
		first, err = parseStatus(s[:1] + "00")
		return first, first + 99, err
	}
	from, to, isRange := strings.Cut(s, "-")
	if first, err = parseStatus(strings.TrimSpace(from)); err != nil || !isRange {
		return first, first, err
	}
	if last, err = parseStatus(strings.TrimSpace(to)); err == nil && last < first {
		err = fmt.Errorf("ends before it begins, want %d-%d", last, first)
	}
	return first, last, err
}

func parseStatus(s string) (int, error) {
	n, err := strconv.ParseUint(s, 10, 16)
	switch {
	case err != nil || len(s) != 3:
		return 0, fmt.Errorf("want a status such as 200, a class such as 2xx or a range such as 200-204, with commas between several")
	case n < leastStatus || n > mostStatus:
		return 0, fmt.Errorf("want a status from %d to %d", leastStatus, mostStatus)
	}
	return int(n), nil
}

// add adds the codes from first to last.
func (s *Statuses) add(first, last int) {
	for code := first; code <= last; code++ {
		s.bits[code/64] |= 1 << (code % 64)
	}
}

// Contains reports whether a status, from 0 to 999, is in the set.
func (s *Statuses) Contains(status int) bool {
	i := status / 64
	return i < len(s.bits) && s.bits[i]>>(status%64)&1 != 0
}

// String returns the set as [ParseStatuses] takes it: equal sets have the same
// text. It is "" for the empty set.
func (s Statuses) String() string {
	var items []string
	for code := leastStatus; code <= mostStatus; code++ {
		first := code
		for s.Contains(code) {
			code++
		}
		switch last := code - 1; {
		case last < first:
		case last == first:
			items = append(items, strconv.Itoa(first))
		default:
			items = append(items, fmt.Sprintf("%d-%d", first, last))
		}
	}
	return strings.Join(items, ",")
}

// conditional are the fields that make a request conditional (RFC 9110 section
// 13.1): only then is 304 the result that was asked for.
var conditional = []string{"If-None-Match", "If-Modified-Since", "If-Match", "If-Unmodified-Since", "If-Range"}

// expectedStatuses returns the statuses that mean success of a request with these
// fields, where nothing else is said.
func (h header) expectedStatuses() (set Statuses) {
	set.add(200, 299)
	for _, name := range conditional {
		if h.get(name) != "" {
			set.add(304, 304)
		}
	}
	return set
}

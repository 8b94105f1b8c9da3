package cli

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/loadtestkit/load-tester/internal/unit"
)

// A view is what a progress line shows.
type view struct {
	done, failed, total int64         // requests; total is 0 without a bound
	elapsed, duration   time.Duration // warm-up apart; duration is 0 without a bound
	rate                float64       // completed requests a second, of late
	left                time.Duration // until the end; negative if that is not known
	warming             time.Duration // what is left of the warm-up
	stopping            bool          // nothing more is issued
	doing               string        // what is under way; "" in a plain run
}

// ratio is how much of the run is over, in [0, 1].
func (v *view) ratio() float64 {
	r := 0.0
	if v.total > 0 {
		r = float64(v.done) / float64(v.total)
	}
	if v.duration > 0 {
		r = max(r, float64(v.elapsed)/float64(v.duration))
	}
	return max(0, min(r, 1))
}

// bounded reports whether it is known when the run will be over.
func (v *view) bounded() bool { return v.total > 0 || v.duration > 0 }

// of says how far the run is: 312/1000 requests, 3.2s/10s, or 3.2s of nobody
// knows how many.
func (v *view) of(count func(int64) string) string {
	switch {
	case v.total > 0:
		total := count(v.total)
		return fmt.Sprintf("%*s/%s", len(total), count(v.done), total)
	case v.duration > 0:
		return unit.Clock(min(v.elapsed, v.duration)) + "/" + unit.Clock(v.duration)
	}
	return unit.Clock(v.elapsed)
}

// narrowest is how many columns a progress line uses at least. Chosen: no
// terminal is narrower.
const narrowest = 10

// line draws v in less than width columns: the last one stays free, because a
// terminal may wrap after it. red colours the failures; nil leaves them plain.
func (v *view) line(width int, red func(string) string) string {
	room := max(width-1, narrowest)
	full := func(n int64) string { return strconv.FormatInt(n, 10) }
	var text, failed string
	for _, form := range []struct {
		bar   int // columns within its brackets; 0: none
		count func(int64) string
		unit  string
		gap   string
		left  bool
		rate  bool
	}{
		{max(10, min(width/4, 40)), full, " req/s", "  ", true, true},
		{max(10, min(width/6, 40)), full, "/s", "  ", true, true},
		{6, unit.ShortCount, "/s", " ", true, true},
		{6, unit.ShortCount, "/s", " ", false, true},
		{0, unit.ShortCount, "/s", " ", false, true},
		{0, unit.ShortCount, "", " ", false, false},
	} {
		var parts []string
		if form.bar > 0 && v.bounded() {
			parts = append(parts, bar(v.ratio(), form.bar))
		}
		parts = append(parts, v.of(form.count))
		if !v.bounded() {
			if form.left && v.doing != "" {
				parts = append(parts, v.doing)
			}
			parts = append(parts, form.count(v.done)+" requests")
		}
		if form.rate {
			parts = append(parts, form.count(int64(math.Round(v.rate)))+form.unit)
		}
		failed = form.count(v.failed) + " failed"
		parts = append(parts, failed)
		if form.left {
			parts = append(parts, v.remaining())
		}
		text = strings.TrimRight(strings.Join(parts, form.gap), " ")
		if len(text) <= room {
			break
		}
	}
	if len(text) > room {
		return text[:room]
	}
	if v.failed > 0 && red != nil {
		text = strings.Replace(text, failed, red(failed), 1)
	}
	return text
}

// remaining says what the run is waiting for.
func (v *view) remaining() string {
	switch {
	case v.stopping:
		return "stopping"
	case v.bounded() && v.doing != "":
		return v.doing
	case v.warming > 0:
		return "warm-up " + unit.Clock(v.warming)
	case v.left < 0:
		return ""
	case v.left < time.Second:
		return "<1s left"
	}
	return unit.Clock(v.left.Truncate(time.Second)) + " left"
}

// final is the one line without a terminal of what came as far as extent says.
func final(extent string, interrupted bool) string {
	outcome := "done"
	if interrupted {
		outcome = "interrupted"
	}
	return fmt.Sprintf("Running...  [%s] %s", extent, outcome)
}

// extent is how far the run came.
func (v *view) extent() string {
	full := func(n int64) string { return strconv.FormatInt(n, 10) }
	if v.total == 0 {
		v.elapsed = v.elapsed.Round(100 * time.Millisecond)
	}
	of := strings.TrimLeft(v.of(full), " ")
	if !v.bounded() {
		of = full(v.done) + " requests in " + of
	}
	return of
}

// bar draws a ratio in so many columns and two brackets.
func bar(ratio float64, columns int) string {
	n := int(ratio * float64(columns))
	head := ""
	if n < columns {
		head = ">"
	}
	return "[" + strings.Repeat("=", n) + head + strings.Repeat(" ", columns-n-len(head)) + "]"
}

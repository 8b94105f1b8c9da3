package cli

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/loadtestkit/load-tester/internal/engine"
	"github.com/loadtestkit/load-tester/internal/load"
	"github.com/loadtestkit/load-tester/internal/report"
	"github.com/loadtestkit/load-tester/internal/unit"
)

// The windows over which throughput is shown and the time left is estimated.
const (
	rateWindow = time.Second
	leftWindow = 5 * time.Second
)

// A meter turns the progress of a measurement into views of it. The zero meter
// is for one without a known end and of more than one load.
type meter struct {
	oneLoad          bool // response times may be summed up
	total            int64
	duration, warmup time.Duration
	past             []load.Tally // of the last leftWindow, oldest first
}

func newMeter(o *engine.RunOptions) *meter {
	m := &meter{oneLoad: true, total: o.Requests, duration: o.Duration, warmup: o.Warmup}
	var stages time.Duration
	for _, s := range o.Stages {
		stages += s.For
	}
	// The stages run through the warm-up.
	if stages -= o.Warmup; stages > 0 && (m.duration == 0 || stages < m.duration) {
		m.duration = stages
	}
	return m
}

// view is what to show now. Time goes back only when a run is repeated.
func (m *meter) view(now engine.Progress) view {
	p := now.Tally
	if n := len(m.past); n > 0 && p.Elapsed < m.past[n-1].Elapsed {
		m.past = nil // the repeat has begun
	}
	for len(m.past) > 1 && m.past[1].Elapsed <= p.Elapsed-leftWindow {
		m.past = m.past[1:]
	}
	m.past = append(m.past, p)
	v := view{
		done: p.Succeeded + p.Failed, failed: p.Failed, total: m.total,
		elapsed: max(0, p.Elapsed-m.warmup), duration: m.duration,
		warming: max(0, m.warmup-p.Elapsed),
		rate:    m.rate(rateWindow), left: -1, doing: now.Doing,
	}
	v.p50, v.p99 = m.recent()
	if m.duration > 0 {
		v.left = max(0, m.duration-v.elapsed)
	}
	if r := m.rate(leftWindow); m.total > 0 && r > 0 {
		left := time.Duration(float64(max(0, m.total-v.done)) / r * float64(time.Second))
		if v.left < 0 || left < v.left {
			v.left = left
		}
	}
	return v
}

// rate is how many requests completed per second within the last window.
func (m *meter) rate(window time.Duration) float64 {
	last := m.past[len(m.past)-1]
	var first load.Tally
	for _, p := range m.past {
		if p.Elapsed > last.Elapsed-window {
			break
		}
		first = p
	}
	d := last.Elapsed - max(first.Elapsed, m.warmup)
	n := last.Succeeded + last.Failed - first.Succeeded - first.Failed
	if n < fewRequests { // one in the first tenth of a second is not ten a second
		d = max(d, rateWindow)
	}
	if d <= 0 {
		return 0
	}
	return float64(n) / d.Seconds()
}

// fewRequests is how many say little about a rate in less than a second.
const fewRequests = 10

// rateText formats a rate as a whole number, or with two significant digits below ten.
func rateText(rate float64, count func(int64) string) string {
	if rate < 9.95 {
		return unit.Significant(rate, 2)
	}
	return count(int64(math.Round(rate)))
}

// recent returns quantiles of the response times of the last second; nil where there
// are too few.
func (m *meter) recent() (p50, p99 *time.Duration) {
	last := m.past[len(m.past)-1]
	if last.Response == nil || !m.oneLoad {
		return nil, nil
	}
	h := last.Response
	for _, p := range m.past {
		if p.Elapsed > last.Elapsed-rateWindow {
			break
		}
		if p.Response != nil {
			h = last.Response.Without(p.Response)
		}
	}
	d := report.Summarize(h)
	return d.P50, d.P99
}

// A view is what a progress line shows.
type view struct {
	done, failed, total int64          // requests; total is 0 without a bound
	elapsed, duration   time.Duration  // warm-up apart; duration is 0 without a bound
	rate                float64        // completed requests per second, in the last second
	p50, p99            *time.Duration // response times in the last second; nil where too few
	left                time.Duration  // until the end; negative if that is not known
	warming             time.Duration  // what is left of the warm-up
	stopping            bool           // nothing more is issued
	doing               string         // such as "round 37: work burst tail"; "" in a plain run
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

// reached says how far the run is: 312/1000 requests, 3.2s/10s, or only 3.2s
// where the end is not known.
func (v *view) reached(count func(int64) string) string {
	switch {
	case v.total > 0:
		total := count(v.total)
		return fmt.Sprintf("%*s/%s", len(total), count(v.done), total)
	case v.duration > 0:
		return unit.Clock(min(v.elapsed, v.duration)) + "/" + unit.Clock(v.duration)
	}
	return unit.Clock(v.elapsed)
}

// narrowest is how many columns a progress line takes at least: no terminal is
// narrower.
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
		times bool
	}{
		{max(10, min(width/4, 40)), full, " req/s", "  ", true, true, true},
		{max(10, min(width/8, 40)), full, "/s", "  ", true, true, true},
		{6, unit.ShortCount, "/s", " ", true, true, true},
		{0, unit.ShortCount, "/s", " ", true, true, true},
		{0, unit.ShortCount, "/s", " ", false, true, true},
		{6, unit.ShortCount, "/s", " ", true, true, false},
		{6, unit.ShortCount, "/s", " ", false, true, false},
		{0, unit.ShortCount, "/s", " ", false, true, false},
		{0, unit.ShortCount, "", " ", false, false, false},
	} {
		times := v.times(form.gap == " ")
		if form.times && form.bar == 0 && len(times) == 0 {
			continue // then the bar need not make room
		}
		var parts []string
		if form.bar > 0 && v.bounded() {
			parts = append(parts, bar(v.ratio(), form.bar))
		}
		parts = append(parts, v.reached(form.count))
		if !v.bounded() {
			if form.left && v.doing != "" {
				parts = append(parts, v.doing)
			}
			parts = append(parts, form.count(v.done)+" requests")
		}
		if form.rate {
			parts = append(parts, rateText(v.rate, form.count)+form.unit)
		}
		if form.times {
			parts = append(parts, times...)
		}
		failed = form.count(v.failed) + " failed"
		parts = append(parts, failed)
		if form.left {
			parts = append(parts, v.remaining())
		}
		text = strings.TrimRight(strings.Join(parts, form.gap), " ")
		if utf8.RuneCountInString(text) <= room {
			break
		}
	}
	if utf8.RuneCountInString(text) > room {
		return text[:room] // the last form is ASCII
	}
	if v.failed > 0 && red != nil {
		text = strings.Replace(text, failed, red(failed), 1)
	}
	return text
}

// times returns the quantiles that are known; only the greater one if narrow.
func (v *view) times(narrow bool) (parts []string) {
	if v.p50 != nil && (v.p99 == nil || !narrow) {
		parts = append(parts, "p50 "+unit.Duration(*v.p50))
	}
	if v.p99 != nil {
		parts = append(parts, "p99 "+unit.Duration(*v.p99))
	}
	return parts
}

// remaining says what the run is waiting for, "" if that is not known.
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

// bar draws a ratio in a number of columns and two brackets.
func bar(ratio float64, columns int) string {
	n := int(ratio * float64(columns))
	head := ""
	if n < columns {
		head = ">"
	}
	return "[" + strings.Repeat("=", n) + head + strings.Repeat(" ", columns-n-len(head)) + "]"
}

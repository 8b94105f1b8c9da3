package text

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/loadtestkit/load-tester/internal/report"
	"github.com/loadtestkit/load-tester/internal/unit"
	"github.com/loadtestkit/load-tester/internal/verdict"
)

// search writes the sections of a search: first the answer, then how times rose with
// the rate.
func (p *page) search() {
	rows := p.verdict(p.d.Verdict, capacity(p.d))
	if miss := lastMiss(p.d); miss != "" && p.explains(p.d.Verdict) && !p.s.Verbose { // else it is in the list of trials
		rows = append(rows, p.wrap("  "+miss, "  ")...)
	}
	p.block("Capacity:", rows)
	p.curve()
	p.block("Failed responses:", p.failedResponses(&p.d.Arm))
	p.block("Errors:", p.errors(p.d.Errors))
	if p.s.Verbose {
		p.block("Trials:", p.trials())
	}
}

// capacity returns the answer in a sentence, or the reason why there is none.
func capacity(d *report.Document) string {
	f := d.Found
	if d.Stopped != "" {
		return "no rate is known to hold"
	}
	if d.Verdict != verdict.Pass || f.Low == nil || f.High == nil {
		return f.Reason
	}
	return fmt.Sprintf("holds at %s, not at %s; stopped by the %s", unit.Rate(*f.Low), unit.Rate(*f.High), f.StoppedBy)
}

// lastMiss says why the limits did not hold in the last trial in which they did not;
// "" if there is none, or if the search was given up for that.
func lastMiss(d *report.Document) string {
	for _, t := range slices.Backward(d.Found.Trials) {
		if !t.Held && d.Stopped == "" {
			return "at " + unit.Rate(t.Rate) + ": " + t.Reason
		}
	}
	return ""
}

// A level sums up all trials at one rate.
type level struct {
	rate     float64
	p50, p99 *time.Duration // of the median trial, the slower of two; nil if unknown in all
	held, of int
}

// levels sums up trials by rate, lowest first.
func levels(trials []report.Trial) []level {
	at := map[float64][]report.Trial{}
	for _, t := range trials {
		at[t.Rate] = append(at[t.Rate], t)
	}
	var all []level
	for _, rate := range slices.Sorted(maps.Keys(at)) {
		l := level{rate: rate, of: len(at[rate])}
		var p50s, p99s []*time.Duration
		for _, t := range at[rate] {
			p50s, p99s = append(p50s, t.P50), append(p99s, t.P99)
			if t.Held {
				l.held++
			}
		}
		l.p50, l.p99 = median(p50s), median(p99s)
		all = append(all, l)
	}
	return all
}

// median returns the median of the times that are known, the longer of two in the
// middle; nil if none is known.
func median(times []*time.Duration) *time.Duration {
	known := slices.DeleteFunc(times, func(d *time.Duration) bool { return d == nil })
	if len(known) == 0 {
		return nil
	}
	slices.SortFunc(known, func(a, b *time.Duration) int { return cmp.Compare(*a, *b) })
	return known[len(known)/2]
}

// curveBar is the length of the longest bar in characters: the table fits 80 columns.
const curveBar = 30

// curve writes a table of times by rate, with a bar for p99.
func (p *page) curve() {
	all := levels(p.d.Found.Trials)
	top := time.Duration(0)
	for _, l := range all {
		if l.p99 != nil {
			top = max(top, *l.p99)
		}
	}
	bar := min(curveBar, p.width()-len("  ")-9-9-9-10-len("  ")) // what the other columns leave
	var rows []string
	for _, l := range all {
		row := fmt.Sprintf("%-9s%9s%9s%10s", unit.Rate(l.rate), unit.Optional(l.p50), unit.Optional(l.p99), fmt.Sprintf("%d of %d", l.held, l.of))
		if l.p99 != nil && top > 0 && bar > 0 {
			row += "  " + strings.Repeat("█", max(1, int(math.Round(float64(*l.p99)/float64(top)*float64(bar)))))
		}
		rows = append(rows, row)
	}
	heading := fmt.Sprintf("%-11s%9s%9s%10s", "By rate:", "p50", "p99", "held")
	if bar > 0 {
		heading += "  p99"
	}
	p.block(heading, rows)
}

// trials returns a row for each trial, in order.
func (p *page) trials() []string {
	var rows []string
	for i, t := range p.d.Found.Trials {
		outcome := "held"
		if !t.Held {
			outcome = p.red("missed: " + t.Reason)
		}
		if t.Stalled {
			outcome += ", the machine stalled"
		}
		rows = append(rows, p.fit(fmt.Sprintf("%3d  %-8s%10s for %s: %d of %d succeeded, p50 %s, p99 %s, %s", i+1, t.Purpose, unit.Rate(t.Rate),
			unit.Duration(t.Duration), t.Succeeded, t.Due, unit.Optional(t.P50), unit.Optional(t.P99), outcome), "     ")...)
	}
	return rows
}

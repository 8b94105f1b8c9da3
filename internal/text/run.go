package text

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/loadtestkit/load-tester/internal/report"
	"github.com/loadtestkit/load-tester/internal/unit"
)

// run writes the sections of a run.
func (p *page) run() {
	d := p.d
	p.verdicts("Limits:", d.Limits, d.Verdict)
	if d.Repeat != nil {
		p.verdicts(repeatTitle(d), p.short(d.Repeat.Limits), d.Repeat.Verdict)
	}
	p.block("Results:", p.results())
	p.latency()
	p.histogram()
	if !p.s.Brief || d.Requests.Failed > 0 {
		p.block("Status codes:", statusCodes(d.StatusCodes))
	}
	p.block("Failed responses:", p.failedResponses(&d.Arm))
	if d.FailedTime.Count > 0 && !p.s.Brief { // never mixed with the times of the succeeded
		p.block("Failed latency:", p.times([]column{{"", &d.FailedTime}}))
	}
	p.block("Errors:", p.errors(d.Errors))
	if p.s.Verbose {
		p.phases()
		p.block("Slowest:", p.slowest(d))
		p.course()
	}
}

// results returns the rows of counts and rates.
func (p *page) results() []string {
	q, rate := &p.d.Requests, &p.d.Rate
	var rows []string
	add := func(name, value string) { rows = append(rows, p.fit(field(name, value), field("", ""))...) }
	bad := func(name string, n int64) {
		value := strconv.FormatInt(n, 10)
		if n > 0 {
			value = p.red(value)
		}
		add(name, value)
	}
	add("Total:", unit.Plural(q.Due, "request"))
	add("Succeeded:", strconv.FormatInt(q.Succeeded, 10))
	bad("Failed:", q.Failed)
	if q.Unsent > 0 {
		bad("Unsent:", q.Unsent)
	}
	if q.Unfinished > 0 {
		bad("Unfinished:", q.Unfinished)
	}
	if q.SentAgain > 0 {
		add("Sent again:", p.sentAgain())
	}
	add("Duration:", unit.Duration(p.d.Elapsed))
	if p.d.Config.Workload == "open" {
		if rate.Offered != nil {
			add("Offered:", unit.PerSecond(*rate.Offered))
		}
		add("Achieved:", unit.PerSecond(rate.Achieved))
	}
	add("Throughput:", unit.PerSecond(rate.Throughput))
	if q.Failed > 0 && !p.s.Brief {
		add("Goodput:", unit.PerSecond(rate.Goodput))
	}
	if w := p.d.Warmup; w != nil && !p.s.Brief {
		add("Warm-up:", fmt.Sprintf("%s not counted, %d failed", unit.Plural(w.Due, "request"), w.Failed))
	}
	if n := p.d.RedirectsFollowed; n > 0 {
		add("Redirects:", strconv.FormatInt(n, 10)+" followed")
	}
	if b := &p.d.Bytes; p.s.Verbose {
		add("Traffic:", fmt.Sprintf("%s sent, %s received, %s of it bodies", unit.Size(b.Sent), unit.Size(b.Received), unit.Size(b.Body)))
	}
	if n := p.d.Bytes.Surplus; n > 0 {
		add("Surplus:", p.yellow(unit.Size(n)+" received that belong to no response"))
	}
	if t := &p.d.ResponseTime; p.s.Brief && t.Count > 0 {
		add("Latency:", fmt.Sprintf("p50 %s, p90 %s, p99 %s, max %s", unit.Optional(t.P50), unit.Optional(t.P90), unit.Optional(t.P99), unit.Optional(t.Max)))
	}
	return rows
}

// shortRun is how long a run takes at least to tell more than how its first
// connections were.
const shortRun = time.Second

// hint writes what would tell more than a very short run whose length was not chosen
// by a limit.
func (p *page) hint() {
	d := p.d
	if d.Kind != report.Run || d.Interrupted || len(d.Limits) > 0 || d.Config.Requests == 0 || d.Requests.Succeeded == 0 || d.Elapsed >= shortRun {
		return
	}
	s := fmt.Sprintf("Hint: %s in %s", unit.Plural(d.Requests.Due, "request"), unit.Duration(d.Elapsed))
	if n := d.Generator.ConnectionsOpened; n > 0 {
		s += fmt.Sprintf(", %d of them on new connections", min(n, d.Requests.Sent))
	}
	p.b.WriteString("\n" + strings.Join(p.wrap(s+": -z 5s tells more", "  "), "\n") + "\n")
}

// sentAgain says how many requests were sent again and why.
func (p *page) sentAgain() string {
	s := strconv.FormatInt(p.d.Requests.SentAgain, 10)
	if r := p.d.Record; r != nil && r.Stale.Most >= time.Millisecond { // otherwise it hardly was idle
		return s + fmt.Sprintf(" (the server had closed the connection, after %s idle)", unit.Span(r.Stale.Least, r.Stale.Most))
	}
	return s + " (the server had closed the connection)"
}

// statusCodes returns a row for each status.
func statusCodes(codes map[string]int64) []string {
	var rows []string
	for _, code := range slices.Sorted(maps.Keys(codes)) {
		rows = append(rows, fmt.Sprintf("%s: %d", code, codes[code]))
	}
	return rows
}

// failedResponses returns a row for each status that made requests fail: where it
// redirects to, or the beginning of its first body.
func (p *page) failedResponses(a *report.Arm) (rows []string) {
	add := func(row string) { rows = append(rows, p.fit(row, "  ")...) }
	for _, s := range a.FailedStatuses {
		switch {
		case s.Redirect != "":
			add(fmt.Sprintf("%s (%d of %d)", s.Redirect, s.Count, a.Requests.Due))
		case s.Body != "":
			add(unit.Status(s.Status) + ": " + s.Body)
		}
	}
	return rows
}

// errors returns a row for each kind, and if verbose one for each sample.
func (p *page) errors(counts []report.ErrorCount) []string {
	var rows []string
	for _, e := range counts {
		row := fmt.Sprintf("%s: %d", e.Kind, e.Count)
		if e.First != "" {
			row += " (first: " + unit.Line(e.First) + ")"
		}
		rows = append(rows, p.fit(row, "  ")...)
		for _, s := range e.Samples {
			switch {
			case !p.s.Verbose:
			case s.Message == e.First:
				rows = append(rows, "  "+s.ID)
			default:
				rows = append(rows, "  "+s.ID+": "+unit.Line(s.Message))
			}
		}
	}
	return rows
}

// slowest returns a row for each stall, with the id of its slowest request to look for
// in the target's log.
func (p *page) slowest(d *report.Document) (rows []string) {
	for _, stall := range d.Stalls {
		s := stall.Slowest
		outcome := "ok" // a Go function has no status
		if s.Status != 0 {
			outcome = unit.Status(s.Status)
		}
		row := fmt.Sprintf("%8s  %s  %s, due at %.3fs", unit.Duration(s.ResponseTime), s.ID, outcome, s.Due.Seconds())
		if d.Config.Workload == "open" {
			row += ", service time " + unit.Duration(s.ServiceTime)
		}
		if stall.Count > 1 {
			due := fmt.Sprintf("at %.3fs", stall.LastDue.Seconds())
			if first := fmt.Sprintf("at %.3fs", stall.FirstDue.Seconds()); first != due {
				due = fmt.Sprintf("%.3f to %.3fs", stall.FirstDue.Seconds(), stall.LastDue.Seconds())
			}
			row = fmt.Sprintf("%8s  %d requests due %s, the slowest %s", unit.Duration(s.ResponseTime), stall.Count, due, s.ID)
		}
		rows = append(rows, p.fit(row, "          ")...)
	}
	return rows
}

// course writes how throughput and p99 went over time, or the longest times if there
// are too few requests for a p99.
func (p *page) course() {
	all := p.d.Intervals
	if len(all) < 2 {
		return
	}
	longest := max(leastSpark, min(SparkWidth, p.width()-len("  ")-labelColumn-len("  up to 12345.67 req/s")))
	group := (len(all) + longest - 1) / longest
	width := all[0].Width * time.Duration(group)
	timeName, slow := "max:", func(i report.TimeSlice) *time.Duration { return i.Max }
	if slices.ContainsFunc(all, func(i report.TimeSlice) bool { return i.P99 != nil }) {
		timeName, slow = "p99:", func(i report.TimeSlice) *time.Duration { return i.P99 }
	}
	var rates, times []float64
	for some := range slices.Chunk(all, group) {
		sum, worst := 0.0, math.NaN() // NaN: nothing to show
		for _, i := range some {
			sum += i.Throughput
			if d := slow(i); d != nil && !(worst >= float64(*d)) {
				worst = float64(*d)
			}
		}
		rates, times = append(rates, sum/float64(len(some))), append(times, worst)
	}
	_, rate := p.armColumn()
	rows := []string{field("throughput:", Sparkline(rates)+"  up to "+rate(peak(rates)))}
	if p.d.ResponseTime.Count > 0 {
		rows = append(rows, field(timeName, Sparkline(times)+"  up to "+unit.Duration(time.Duration(peak(times)))))
	}
	p.block(fmt.Sprintf("Over time, %s each:", unit.Duration(width)), rows)
}

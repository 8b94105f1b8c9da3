package report

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/loadtestkit/load-tester/internal/unit"
)

// WriteText writes r for people: blocks of rows, only those with something to
// say. It calls w.Write once.
func WriteText(w io.Writer, r *Report, s Style) error {
	t := &text{page: page{s: s}, r: r}
	t.head()
	t.note()
	t.block("Results:", t.results())
	t.latency()
	t.block("Status codes:", t.statusCodes(r.StatusCodes))
	t.block("Failed latency:", t.failedLatency())
	t.block("Errors:", t.errors(r.Errors))
	if s.Verbose {
		t.block("Slowest:", t.slowest())
		t.course()
		t.block("Generator:", t.generator(&r.Generator))
	}
	t.block("Limits:", t.limits(r.Limits))
	if r.Repeat != nil {
		t.block("Limits in a second run, after a pause:", t.limits(r.Repeat.Limits))
	}
	t.block("Warnings:", t.warnings(&r.Generator))
	_, err := w.Write(t.b.Bytes())
	return err
}

// text is a report being written.
type text struct {
	page
	r *Report
}

// head says what was asked for, and first of all if that was not done.
func (t *text) head() {
	c := &t.r.Config
	if t.r.Interrupted {
		t.b.WriteString(t.yellow(t.interrupted()) + "\n\n")
	}
	t.b.WriteString("Target: " + unit.Line(c.Target) + "\n")
	t.b.WriteString(c.load())
	if c.Requests == 0 && c.Duration == 0 && len(c.Stages) == 0 && len(t.r.Limits) > 0 {
		t.b.WriteString(", until the verdict is clear")
	}
	t.b.WriteString("\n")
}

// load describes the load in one line.
func (c *Config) load() string {
	var parts []string
	add := func(name, value string) { parts = append(parts, name+": "+value) }
	if c.Workload == "open" {
		add("Rate", c.rate())
		add("Concurrency", "up to "+strconv.Itoa(c.Concurrency))
	}
	if c.Requests > 0 {
		add("Requests", strconv.FormatInt(c.Requests, 10))
	}
	if c.Duration > 0 {
		add("Duration", unit.Duration(c.Duration))
	}
	if c.Workload != "open" {
		add("Concurrency", strconv.Itoa(c.Concurrency))
	}
	if c.Warmup > 0 {
		add("Warm-up", unit.Duration(c.Warmup))
	}
	return strings.Join(parts, ", ")
}

func (t *text) interrupted() string {
	c, sent := &t.r.Config, t.r.Requests.Sent
	after := unit.Duration(t.r.Elapsed)
	switch {
	case c.Requests > 0:
		return fmt.Sprintf("Interrupted after %s: %d of %s", after, sent, unit.Plural(c.Requests, "request"))
	case c.Duration > 0:
		return fmt.Sprintf("Interrupted after %s of %s: %s", after, unit.Duration(c.Duration), unit.Plural(sent, "request"))
	}
	return fmt.Sprintf("Interrupted after %s: %s", after, unit.Plural(sent, "request"))
}

// rate describes the schedule of an open workload.
func (c *Config) rate() string {
	rate := unit.Rounded(c.RatePerSecond, 3) + "/s"
	if len(c.Stages) > 0 {
		low, high := math.Inf(1), 0.0
		for _, s := range c.Stages {
			low, high = min(low, s.From, s.To), max(high, s.From, s.To)
		}
		rate = fmt.Sprintf("%s/s to %s/s in %s", unit.Rounded(low, 3), unit.Rounded(high, 3), unit.Plural(int64(len(c.Stages)), "stage"))
	}
	if c.Arrivals == "poisson" {
		return fmt.Sprintf("%s (poisson, seed %d)", rate, c.Seed)
	}
	return fmt.Sprintf("%s (%s)", rate, c.Arrivals)
}

// results are the counts and rates.
func (t *text) results() []string {
	q, rate := &t.r.Requests, &t.r.Rate
	var rows []string
	add := func(name, value string) { rows = append(rows, fmt.Sprintf("%-12s%s", name, value)) }
	bad := func(name string, n int64) {
		value := strconv.FormatInt(n, 10)
		if n > 0 {
			value = t.red(value)
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
	add("Duration:", unit.Duration(t.r.Elapsed))
	if t.r.Config.Workload == "open" {
		if rate.Offered != nil {
			add("Offered:", unit.PerSecond(*rate.Offered))
		}
		add("Achieved:", unit.PerSecond(rate.Achieved))
	}
	add("Throughput:", unit.PerSecond(rate.Throughput))
	if q.Failed > 0 {
		add("Goodput:", unit.PerSecond(rate.Goodput))
	}
	if w := t.r.Warmup; w != nil {
		add("Warm-up:", fmt.Sprintf("%s not counted, %d failed", unit.Plural(w.Due, "request"), w.Failed))
	}
	if b := &t.r.Bytes; t.s.Verbose {
		add("Traffic:", fmt.Sprintf("%s sent, %s received, %s of it bodies", unit.Size(b.Sent), unit.Size(b.Received), unit.Size(b.Body)))
	}
	if n := t.r.Bytes.Surplus; n > 0 {
		add("Surplus:", t.yellow(unit.Size(n)+" received that belong to no response"))
	}
	return rows
}

package text

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/loadtestkit/load-tester/internal/report"
	"github.com/loadtestkit/load-tester/internal/unit"
)

// Progress describes in a few words how far a measurement came, such as 312/1000 for
// a number of requests, 3.2s/10s, or 12 rounds in 3.2s.
func Progress(d *report.Document) string {
	if made := steps(d); made != "" {
		return made + " in " + unit.Duration(d.Took)
	}
	done, c := d.Requests.Succeeded+d.Requests.Failed, &d.Config
	if c.Requests > 0 {
		return fmt.Sprintf("%d/%d", done, c.Requests)
	}
	// Without rounding, a run that ended just before its time would look incomplete.
	elapsed := d.Elapsed.Round(100 * time.Millisecond)
	if planned := planned(c); planned > 0 {
		return unit.Clock(min(elapsed, planned)) + "/" + unit.Clock(planned)
	}
	return fmt.Sprintf("%d requests in %s", done, unit.Clock(elapsed))
}

// steps returns the number of rounds of a comparison or trials of a search, "" for a
// run.
func steps(d *report.Document) string {
	switch {
	case d.Pairs != nil:
		return unit.Plural(int64(d.Pairs.Rounds), "round")
	case d.Found != nil:
		return unit.Plural(int64(len(d.Found.Trials)), "trial")
	}
	return ""
}

// planned returns how long a run was meant to take, warm-up left out; 0 if it has no
// bound.
func planned(c *report.Config) time.Duration {
	stages := -c.Warmup
	for _, s := range c.Stages {
		stages += s.Duration
	}
	if stages > 0 && (c.Duration == 0 || stages < c.Duration) {
		return stages
	}
	return c.Duration
}

// interrupted describes how far an interrupted measurement came.
func interrupted(d *report.Document) string {
	if made := steps(d); made != "" {
		return fmt.Sprintf("Interrupted after %s: %s", unit.Duration(d.Took), made)
	}
	c, sent, elapsed := &d.Config, d.Requests.Sent, unit.Duration(d.Elapsed)
	switch {
	case c.Requests > 0:
		return fmt.Sprintf("Interrupted after %s: %d of %s", elapsed, sent, unit.Plural(c.Requests, "request"))
	case c.Duration > 0:
		return fmt.Sprintf("Interrupted after %s of %s: %s", elapsed, unit.Duration(c.Duration), unit.Plural(sent, "request"))
	}
	return fmt.Sprintf("Interrupted after %s: %s", elapsed, unit.Plural(sent, "request"))
}

// load describes what was asked for in one line.
func load(d *report.Document) string {
	c := &d.Config
	if d.Found != nil {
		return fmt.Sprintf("Rate: from %s, Concurrency: up to %d, Limits: %s", rate(c), c.Concurrency, strings.Join(d.Found.Limits, ", "))
	}
	var parts []string
	add := func(name, value string) { parts = append(parts, name+": "+value) }
	if c.Workload == "open" {
		add("Rate", rate(c))
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
	if c.ExpectStatus != "" {
		add("Expected status", c.ExpectStatus)
	}
	if c.Warmup > 0 {
		add("Warm-up", unit.Duration(c.Warmup))
	}
	if d.Base == nil && c.Requests == 0 && c.Duration == 0 && len(c.Stages) == 0 && len(d.Limits) > 0 {
		parts = append(parts, "until the verdict is clear")
	}
	return strings.Join(parts, ", ")
}

// rate describes the schedule of an open workload.
func rate(c *report.Config) string {
	rate := unit.ArrivalRate(c.RatePerSecond) + "/s"
	if len(c.Stages) > 0 {
		low, high := math.Inf(1), 0.0
		for _, s := range c.Stages {
			low, high = min(low, s.From, s.To), max(high, s.From, s.To)
		}
		rate = fmt.Sprintf("%s/s to %s/s in %s", unit.ArrivalRate(low), unit.ArrivalRate(high), unit.Plural(int64(len(c.Stages)), "stage"))
	}
	if c.Arrivals == "poisson" {
		return fmt.Sprintf("%s (poisson, seed %d)", rate, c.Seed)
	}
	return fmt.Sprintf("%s (%s)", rate, c.Arrivals)
}

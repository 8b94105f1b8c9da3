package text

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/loadtestkit/load-tester/internal/report"
	"github.com/loadtestkit/load-tester/internal/unit"
	"github.com/loadtestkit/load-tester/internal/verdict"
)

// longWriting is more than writing progress and log lines takes where someone reads them.
const longWriting = 100 * time.Millisecond

// generator describes how the load generator itself did.
func (p *page) generator(g *report.Generator) []string {
	var rows []string
	add := func(name string, parts ...string) {
		parts = slices.DeleteFunc(parts, func(s string) bool { return s == "" })
		if len(parts) > 0 {
			rows = append(rows, p.fit(field(name, strings.Join(parts, ", ")), field("", ""))...)
		}
	}
	used := share("used", g.CPUUse)
	if used != "" {
		used += " of " + unit.Plural(int64(g.Processors), "processor")
	}
	exhausted, rested := "", ""
	if taken := g.PermitsExhausted - g.PermitsRested; taken > 0 {
		exhausted = span("all permits taken for", &taken)
	}
	if g.PermitsRested > 0 {
		rested = span("permits rested for", &g.PermitsRested)
	}
	add("In flight:", fmt.Sprintf("at most %d", g.PeakInFlight), unit.Plural(g.ConnectionsOpened, "connection")+" opened", exhausted, rested)
	add("CPU:", used, span("per request", g.CPUPerRequest))
	add("Go runtime:", span("GC pauses", g.GCPauseTotal), span("longest", g.GCPauseMax), span("scheduling p99", g.SchedLatencyP99))
	var machine []string
	for _, s := range verdict.Sensors {
		machine = append(machine, share(s.Label, s.Read(&g.Readings)))
	}
	add("Machine:", append(machine, span("hiccups p99", g.HiccupP99))...)
	if c := &g.Control; c.Count > 0 {
		add("Control:", "p50 "+unit.Optional(c.P50), "p99 "+unit.Optional(c.P99), "of a handler that does nothing")
	}
	dropped, writing := "", ""
	if g.LogLinesDropped > 0 {
		dropped = "log lines dropped: " + unit.Count(g.LogLinesDropped)
	}
	if g.Writing > longWriting {
		writing = span("writing took", &g.Writing)
	}
	add("Stderr:", dropped, writing)
	for _, off := range g.SensorsOff {
		add("Sensor off:", unit.Line(off))
	}
	return rows
}

// share formats a name and a share in [0, 1]; it returns "" for nil.
func share(name string, f *float64) string {
	if f == nil {
		return ""
	}
	return name + " " + unit.Percent(*f)
}

// span formats a name and a time; it returns "" for nil.
func span(name string, d *time.Duration) string {
	if d == nil {
		return ""
	}
	return name + " " + unit.Duration(*d)
}

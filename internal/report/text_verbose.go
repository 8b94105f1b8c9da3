package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/loadtestkit/load-tester/internal/unit"
	"github.com/loadtestkit/load-tester/internal/verdict"
)

// slowest has one row for each of the slowest requests, with the id to look
// for in the target's log.
func (t *text) slowest() []string {
	var rows []string
	for _, s := range t.r.Slowest {
		outcome := strconv.Itoa(s.Status)
		switch {
		case s.Error != "":
			outcome = s.Error
		case s.Status == 0:
			outcome = "ok" // a Go function has no status
		}
		row := fmt.Sprintf("%8s  %s  %s, due at %.3fs", unit.Duration(s.ResponseTime), s.ID, outcome, s.Due.Seconds())
		if t.r.Config.Workload == "open" {
			row += ", service time " + unit.Duration(s.ServiceTime)
		}
		rows = append(rows, row)
	}
	return rows
}

// course writes how throughput and p99 went over time.
func (t *text) course() {
	all := t.r.Intervals
	if len(all) < 2 {
		return
	}
	group := (len(all) + SparkWidth - 1) / SparkWidth
	timeName, slow := "max", func(i Interval) *time.Duration { return i.Max }
	for _, i := range all {
		if i.P99 != nil {
			timeName, slow = "p99", func(i Interval) *time.Duration { return i.P99 }
		}
	}
	rates, times := make([]float64, 0, SparkWidth), make([]float64, 0, SparkWidth)
	for len(all) > 0 {
		n := min(group, len(all))
		sum, worst := 0.0, math.NaN() // NaN: nothing to show
		for _, i := range all[:n] {
			sum += i.Throughput
			if d := slow(i); d != nil && !(worst >= float64(*d)) {
				worst = float64(*d)
			}
		}
		rates, times = append(rates, sum/float64(n)), append(times, worst)
		all = all[n:]
	}
	width := t.r.Intervals[0].Width * time.Duration(group)
	title := fmt.Sprintf("Over time, %s each:", unit.Duration(width))
	t.block(title, []string{
		fmt.Sprintf("%-12s%s  up to %s", "throughput:", Sparkline(rates), unit.PerSecond(peak(rates))),
		fmt.Sprintf("%-12s%s  up to %s", timeName+":", Sparkline(times), unit.Duration(time.Duration(peak(times)))),
	})
}

// generator says how the load generator itself did.
func (p *page) generator(g *Generator) []string {
	var rows []string
	add := func(name string, parts ...string) {
		if len(parts) > 0 {
			rows = append(rows, fmt.Sprintf("%-12s%s", name, strings.Join(parts, ", ")))
		}
	}
	var cpu, golang, machine []string
	share := func(to *[]string, what string, f *float64) {
		if f != nil {
			*to = append(*to, what+" "+unit.Percent(*f))
		}
	}
	span := func(to *[]string, what string, d *time.Duration) {
		if d != nil {
			*to = append(*to, what+" "+unit.Duration(*d))
		}
	}
	share(&cpu, "used", g.CPUUse)
	if len(cpu) > 0 {
		cpu[0] += fmt.Sprintf(" of %s", unit.Plural(int64(g.Processors), "processor"))
	}
	span(&cpu, "per request", g.CPUPerRequest)
	span(&golang, "GC pauses", g.GCPauseTotal)
	span(&golang, "longest", g.GCPauseMax)
	span(&golang, "scheduling p99", g.SchedLatencyP99)
	for _, s := range verdict.Sensors {
		share(&machine, s.Label, s.Read(&g.Readings))
	}
	span(&machine, "hiccups p99", g.HiccupP99)

	flight := []string{fmt.Sprintf("at most %d", g.PeakInFlight), unit.Plural(g.ConnectionsOpened, "connection") + " opened"}
	if g.PermitsExhausted > 0 {
		flight = append(flight, "all permits taken for "+unit.Duration(g.PermitsExhausted))
	}
	add("In flight:", flight...)
	add("CPU:", cpu...)
	add("Go runtime:", golang...)
	add("Machine:", machine...)
	if c := &g.Control; c.Count > 0 {
		add("Control:", "p50 "+unit.Optional(c.P50), "p99 "+unit.Optional(c.P99), "of a handler that does nothing")
	}
	for _, off := range g.SensorsOff {
		add("Sensor off:", unit.Line(off))
	}
	return rows
}

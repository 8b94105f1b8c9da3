package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// A job is one piece of work, the same for every tool.
type job struct {
	url         string        // http or https
	connections int           // kept busy; with a rate, only for tools that want a fixed number
	rate        int           // requests per second in total; 0: a connection sends again when it has its response
	duration    time.Duration // whole seconds, because some tools accept nothing finer
	requests    int           // stop after this many instead, for load-tester only; 0: stop after duration
	interrupt   time.Duration // interrupt the tool after this time; 0: let it finish
	fresh       bool          // a new connection for each request
	body        int           // octets in each response's body
	tail        bool          // p99.5 is wanted too
}

// String describes the job in progress lines and notes.
func (j job) String() string {
	var parts []string
	if j.rate > 0 {
		parts = append(parts, fmt.Sprintf("%d/s", j.rate))
	} else {
		parts = append(parts, fmt.Sprintf("%d connections", j.connections))
	}
	if j.body > plainBody {
		parts = append(parts, size(j.body)+" bodies")
	}
	if j.fresh {
		parts = append(parts, "not kept alive")
	}
	if j.requests > 0 {
		parts = append(parts, fmt.Sprintf("%d requests", j.requests))
	}
	return strings.Join(parts, ", ")
}

// An invocation is how a tool is run to do a job.
type invocation struct {
	args    []string
	stdin   string
	counted bool // it stops after a number of requests, not after the job's duration
}

// A result is what a tool reports.
type result struct {
	done   int64 // requests with a complete response
	failed int64 // requests without one, and responses with a status of 400 or above
	times  times
	took   time.Duration // load-tester's elapsed time, longer than asked for if arrivals had to wait; 0 for other tools
}

// times are quantiles of latency by name: p50, p90, p95, p99, p99.5, max. It
// has only those that the tool prints.
type times map[string]time.Duration

// A tool is a load tester.
type tool struct {
	name    string   // of its command
	get     string   // how to get it
	version []string // arguments that print its version; nil: a Go program, whose binary contains it

	// command returns how to do a job, and false if the tool cannot.
	command func(j job) (invocation, bool)

	// convert lists the arguments of further commands of the tool, which turn
	// its output into what parse reads. Each gets that output on its standard
	// input. Empty: parse reads the output itself.
	convert [][]string
	parse   func(out []byte) (result, error)

	path string // where it was found
}

// addSpectrum adds the quantiles that t lacks from a percentile spectrum as
// HdrHistogram prints it: lines of value in milliseconds, percentile in [0, 1],
// count and 1/(1-percentile). A quantile is the value of the first line at or
// above it. Because the lines are at fixed places, p99.5 is that of 99.5313 %.
func (t times) addSpectrum(text string) {
	quantiles := []struct {
		name string
		q    float64
	}{{"p50", 0.5}, {"p90", 0.9}, {"p95", 0.95}, {"p99", 0.99}, {"p99.5", 0.995}, {"max", 1}}
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) != 4 {
			continue
		}
		value, err := strconv.ParseFloat(f[0], 64)
		if err != nil {
			continue
		}
		at, err := strconv.ParseFloat(f[1], 64)
		if err != nil {
			continue
		}
		for len(quantiles) > 0 && at >= quantiles[0].q-1e-9 {
			if _, known := t[quantiles[0].name]; !known {
				t[quantiles[0].name] = scaled(value, time.Millisecond)
			}
			quantiles = quantiles[1:]
		}
	}
}

// scaled returns v units as a duration.
func scaled(v float64, unit time.Duration) time.Duration { return time.Duration(v * float64(unit)) }

// seconds returns the whole seconds of d.
func seconds(d time.Duration) int { return int(d / time.Second) }

// ms returns d in milliseconds.
func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// size formats a number of octets in the largest unit that divides it.
func size(n int) string {
	switch {
	case n >= 1<<20 && n%(1<<20) == 0:
		return fmt.Sprintf("%d MiB", n>>20)
	case n >= 1<<10 && n%(1<<10) == 0:
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d B", n)
}

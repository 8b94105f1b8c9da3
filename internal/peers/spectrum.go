package main

import (
	"strconv"
	"strings"
	"time"
)

// spectrum adds those quantiles that are not there yet from a percentile spectrum as HdrHistogram prints it:
// lines of value in milliseconds, percentile in [0, 1], count and 1/(1-percentile).
// A quantile is the value of the first line at or above it: p99.5 that of
// 99.5313 %, because the lines are at fixed places.
func (t times) spectrum(text string) {
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
				t[quantiles[0].name] = milliseconds(value)
			}
			quantiles = quantiles[1:]
		}
	}
}

func milliseconds(ms float64) time.Duration { return time.Duration(ms * float64(time.Millisecond)) }

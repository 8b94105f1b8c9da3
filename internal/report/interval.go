package report

import (
	"time"

	"github.com/loadtestkit/load-tester/internal/hist"
)

// An Interval is one slice of time of the run.
type Interval struct {
	Start      time.Duration  `json:"start_ns"`
	Width      time.Duration  `json:"width_ns"`
	Due        int64          `json:"due"`              // by due time
	Sent       int64          `json:"sent"`             // by sent time
	Succeeded  int64          `json:"succeeded"`        // by done time
	Failed     int64          `json:"failed"`           // by done time
	Throughput *float64       `json:"throughput_per_s"` // completed responses, by done time; nil where not known
	P50        *time.Duration `json:"p50_ns"`           // response times of the succeeded, by due time
	P99        *time.Duration `json:"p99_ns"`
	Max        *time.Duration `json:"max_ns"`
}

// Intervals returns the course of a run with the given totals. Throughput is
// nil if some of the failed requests had a complete response and others had
// not, because the series does not tell them apart.
func Intervals(series []hist.Interval, total Requests) []Interval {
	out := make([]Interval, len(series))
	for i, s := range series {
		out[i] = Interval{
			Start: s.Start, Width: s.Width,
			Due: s.Due, Sent: s.Sent, Succeeded: s.Succeeded, Failed: s.Failed,
		}
		d := Summarize(s.Response)
		out[i].P50, out[i].P99, out[i].Max = d.P50, d.P99, d.Max
		if n, ok := completed(s, total); ok {
			out[i].Throughput = new(perSecond(n, s.Width))
		}
	}
	return out
}

// completed returns how many complete responses an interval had.
func completed(s hist.Interval, total Requests) (int64, bool) {
	switch total.Completed {
	case total.Succeeded:
		return s.Succeeded, true
	case total.Succeeded + total.Failed:
		return s.Succeeded + s.Failed, true
	}
	return s.Succeeded, s.Failed == 0
}

func perSecond(n int64, d time.Duration) float64 {
	if d <= 0 {
		return 0
	}
	return float64(n) / d.Seconds()
}

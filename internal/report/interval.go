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
	Throughput float64        `json:"throughput_per_s"` // complete responses, by done time
	P50        *time.Duration `json:"p50_ns"`           // response times of the succeeded, by due time
	P99        *time.Duration `json:"p99_ns"`
	Max        *time.Duration `json:"max_ns"`
}

// Intervals returns the course of a run.
func Intervals(series []hist.Interval) []Interval {
	out := make([]Interval, len(series))
	for i, s := range series {
		d := Summarize(s.Response)
		out[i] = Interval{
			Start: s.Start, Width: s.Width,
			Due: s.Due, Sent: s.Sent, Succeeded: s.Succeeded, Failed: s.Failed,
			Throughput: perSecond(s.Completed, s.Width),
			P50:        d.P50, P99: d.P99, Max: d.Max,
		}
	}
	return out
}

func perSecond(n int64, d time.Duration) float64 {
	if d <= 0 {
		return 0
	}
	return float64(n) / d.Seconds()
}

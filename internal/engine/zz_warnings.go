package engine

import (
	"time"

	"github.com/loadtestkit/load-tester/internal/hist"
	"github.com/loadtestkit/load-tester/internal/host"
	"github.com/loadtestkit/load-tester/internal/record"
	"github.com/loadtestkit/load-tester/internal/verdict"
)

func warnings(r *record.Record, limits []verdict.Limit) []host.Warning {
	quantile := func(h *hist.Histogram, q float64) time.Duration {
		v, _ := h.Quantile(q)
		return time.Duration(v)
	}
	l := host.Load{
		Open: r.Open, InProcess: r.Place == record.InProcess, Loopback: r.Place == record.Loopback,
		Processors: r.Processors, LatenessMax: time.Duration(r.Lateness.Max()), Due: r.Due, Sent: r.Sent,
		Concurrency: r.Concurrency, PeakInFlight: r.PeakInFlight, PermitsExhausted: r.Exhausted, Elapsed: r.Elapsed,
	}
	l.Lateness50, l.Lateness99 = quantile(r.Lateness, 0.5), quantile(r.Lateness, 0.99)
	l.ResponseP50 = quantile(r.Response, 0.5)
	for _, limit := range limits {
		if limit.Metric.IsTime() && (l.Threshold == 0 || limit.Time < l.Threshold) {
			l.Threshold = limit.Time
		}
	}
	return host.Warnings(r.Machine, l)
}

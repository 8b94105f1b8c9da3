package report

import (
	"io"
	"time"

	"github.com/loadtestkit/load-tester/internal/verdict"
)

// A Capacity is the result of a search for the highest arrival rate at which
// the limits hold.
type Capacity struct {
	Schema      int           `json:"schema"` // SchemaVersion
	Tool        Tool          `json:"tool"`
	RunID       string        `json:"run_id"`
	StartedAt   time.Time     `json:"started_at"`
	Interrupted bool          `json:"interrupted"`
	Config      Config        `json:"config"` // its rate is the one the search began with
	Elapsed     time.Duration `json:"elapsed_ns"`

	Limits    []string        `json:"limits"`
	Low       *float64        `json:"low_per_s"`  // the limits held at this rate; nil if they did at none
	High      *float64        `json:"high_per_s"` // and at this one they did not; nil if none was too high
	StoppedBy string          `json:"stopped_by"` // "target", "generator", "host", "budget", "most" (the highest rate allowed) or "interrupt"
	Verdict   verdict.Verdict `json:"verdict"`    // pass if both ends were verified, else inconclusive
	Reason    string          `json:"reason"`     // one line for a person
	Trials    []Trial         `json:"trials"`     // in the order they were made

	Generator Generator `json:"generator"`
}

// A Trial is a short run at one rate.
type Trial struct {
	Rate      float64        `json:"rate_per_s"`
	Duration  time.Duration  `json:"duration_ns"`
	Purpose   string         `json:"purpose"` // "control", "search" or "verify"
	Due       int64          `json:"due"`
	Sent      int64          `json:"sent"`
	Succeeded int64          `json:"succeeded"`
	P50       *time.Duration `json:"p50_ns"`
	P99       *time.Duration `json:"p99_ns"`
	Held      bool           `json:"held"`   // every limit held and the rate was kept up
	Reason    string         `json:"reason"` // why not; empty if it did
}

// WriteJSON writes c as [WriteJSON] writes a report.
func (c *Capacity) WriteJSON(w io.Writer) error {
	out := *c
	out.Config = c.Config.whole()
	out.Limits, out.Trials = list(c.Limits), list(c.Trials)
	out.Generator = c.Generator.whole()
	return writeObject(w, &out)
}

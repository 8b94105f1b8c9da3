package host

import (
	"time"
)

// A Warning says what makes the numbers of a run doubtful, and what to do.
type Warning struct {
	Code string // for programs: one of the constants below
	Text string // for people: one sentence or two, no full stop at the end
}

// The codes of warnings, in the order [Warnings] returns them.
const (
	Lateness         = "lateness"
	SentBelowDue     = "sent_below_due"
	PermitsExhausted = "permits_exhausted"
	OwnCPU           = "own_cpu"
	Throttled        = "throttled"
	Steal            = "steal"
	ForeignCPU       = "foreign_cpu"
	Pressure         = "pressure"
	RunQueue         = "run_queue"
	Hiccup           = "hiccup"
	GCPause          = "gc_pause"
	ClockStep        = "clock_step"
)

// Load is what the generator knows of its own run.
type Load struct {
	Open       bool // an open workload: arrivals have a schedule, so lateness means something
	InProcess  bool // the target runs in this process and shares its processors
	GOMAXPROCS int

	Lateness50, Lateness99, LatenessMax time.Duration // the generator's own: without waiting for a permit
	ResponseP50                         time.Duration
	Threshold                           time.Duration // the tightest limit on a time; 0 without one

	Due, Sent        int64
	Concurrency      int // permits
	PeakInFlight     int
	PermitsExhausted time.Duration // for how long all permits were taken
	Elapsed          time.Duration
}

// Warnings returns what a reader of the report has to know of u and l, nil if
// the run was sound.
func Warnings(u Usage, l Load) []Warning { return nil }

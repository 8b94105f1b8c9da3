// Package report holds the result of a measurement as data: one Document for runs,
// comparisons and searches, built from records and verdicts. Schema describes each
// field of its JSON form with its unit. Other packages show it to people and to other
// programs.
package report

import (
	"time"

	"github.com/loadtestkit/load-tester/internal/record"
	"github.com/loadtestkit/load-tester/internal/verdict"
)

// SchemaVersion is the version of the JSON form. It changes when a field changes its
// meaning or is removed, not when one is added.
const SchemaVersion = 2

// A Procedure is what was done to measure.
type Procedure string

const (
	Run        Procedure = "run"        // one load on one target
	Comparison Procedure = "comparison" // two targets measured against each other
	Search     Procedure = "search"     // trials at many rates, for the highest at which the limits hold
)

// A Document is the result of one measurement. Counts and times leave the
// warm-up out. Durations are nanoseconds in JSON; instants are offsets in the
// course of what was measured.
type Document struct {
	Schema      int       `json:"schema"` // SchemaVersion
	Kind        Procedure `json:"kind"`
	Tool        Tool      `json:"tool"`
	StartedAt   time.Time `json:"started_at"`
	Interrupted bool      `json:"interrupted"` // stopped by a signal or a cancelled context
	Stopped     string    `json:"stopped"`     // why it was given up, such as "every one of the first 812 requests failed: status 401"; "" if it was not
	Config      Config    `json:"config"`      // what was asked for

	// Took is how long everything took, including what is not counted: warm-up,
	// breaks, the control, the other target of a comparison. The repeat is not
	// included.
	Took time.Duration `json:"took_ns"`

	// The results: of a run, of a comparison's head, or of all trials of a search.
	Arm

	Base   *Arm          `json:"base"`   // what head is compared with; nil except in a comparison
	Pairs  *Pairs        `json:"pairs"`  // how the two were compared; nil except in a comparison
	Claims []ClaimResult `json:"claims"` // what was asked of head, each with its verdict; empty except in a comparison
	Ratios []RatioResult `json:"ratios"` // of head over base under sustained load, which can fail and need not pass; empty except in a comparison
	Found  *Found        `json:"search"` // what a search found; nil except in a search

	Limits   []LimitResult   `json:"limits"`
	Verdict  verdict.Verdict `json:"verdict"`  // of all claims, ratios and limits, or of a search; null if nothing was judged
	Recorded string          `json:"recorded"` // whether a baseline was updated; "" if that was not asked for
	Repeat   *Document       `json:"repeat"`   // the second measurement, made after a fail; nil if there was none

	Generator Generator `json:"generator"`
}

// Pairs describes how two targets were compared: in rounds of few requests, sent
// alone and at once, and then in pairs of blocks of sustained load.
type Pairs struct {
	Rounds  int           `json:"rounds"`   // that were made
	Alone   int           `json:"alone"`    // requests of each target in a stratum, one at a time; 0: none
	AtOnce  int           `json:"at_once"`  // requests in a volley; 0: none
	Judged  int           `json:"judged"`   // pairs of blocks that ratios are based on
	Block   time.Duration `json:"block_ns"` // length of each block, the guard included
	Guard   time.Duration `json:"guard_ns"` // requests due in a block before the end of the guard are sent but not counted
	Seed    uint64        `json:"seed"`     // of every order
	Renewed string        `json:"renewed"`  // what a repeat gets anew: servers, connections, or "" of Go functions
}

// Found is the result of a search for the highest arrival rate at which the
// limits hold. The document's verdict is pass if both ends were verified, else
// inconclusive.
type Found struct {
	Limits    []string `json:"limits"`
	Low       *float64 `json:"low_per_s"`  // a rate at which the limits held; nil if there is none
	High      *float64 `json:"high_per_s"` // a higher rate at which they did not; nil if there is none
	StoppedBy string   `json:"stopped_by"` // "target", "generator", "host", "budget", "most" (the highest rate allowed) or "interrupt"
	Reason    string   `json:"reason"`     // one line for a person
	Trials    []Trial  `json:"trials"`     // in order
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
	Held      bool           `json:"held"`    // all limits held and the rate was reached
	Stalled   bool           `json:"stalled"` // the machine stalled meanwhile; such a trial is made again, up to a limit
	Reason    string         `json:"reason"`  // why it did not hold; empty if it did
}

// Tool is the program that measured.
type Tool struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// Config is what was asked for, with defaults filled in.
type Config struct {
	Target           string        `json:"target"`
	Method           string        `json:"method"`        // empty if the target is a Go function
	PostsBody        bool          `json:"posts_body"`    // the method is POST because there is a body and no method was named
	Path             string        `json:"path"`          // with its query; empty if the target is a Go function
	Workload         string        `json:"workload"`      // "closed" or "open"
	Requests         int64         `json:"requests"`      // 0: no bound
	Duration         time.Duration `json:"duration_ns"`   // warm-up left out; 0: no bound
	Concurrency      int           `json:"concurrency"`   // most requests in flight
	RatePerSecond    float64       `json:"rate_per_s"`    // constant rate of an open workload; 0 if closed or in stages
	Stages           []StageConfig `json:"stages"`        // of an open workload whose rate changes
	Arrivals         string        `json:"arrivals"`      // of an open workload: "constant" or "poisson"; empty if closed
	Seed             uint64        `json:"seed"`          // of poisson arrivals
	Timeout          time.Duration `json:"timeout_ns"`    // per request
	Grace            time.Duration `json:"grace_ns"`      // how long an interrupted run waits for what is in flight
	Warmup           time.Duration `json:"warmup_ns"`     // 0: none
	BodyBytes        int64         `json:"body_bytes"`    // of each request's body
	NoKeepAlive      bool          `json:"no_keep_alive"` // a new connection for each request
	NoRetry          bool          `json:"no_retry"`      // no request is sent again
	Insecure         bool          `json:"insecure"`      // certificates were not verified
	ConnectionsAhead int           `json:"connections_ahead"`

	ExpectStatus    string `json:"expect_status"`    // statuses that mean success; empty: 200 to 299, and 304 to a conditional request
	ExpectBody      string `json:"expect_body"`      // text that the body has to contain; empty: none
	Checked         bool   `json:"checked"`          // a Go function looked at each response
	FollowRedirects bool   `json:"follow_redirects"` // at most 10 for one request
}

// A StageConfig changes the arrival rate linearly from From to To, in arrivals/s.
type StageConfig struct {
	Duration time.Duration `json:"duration_ns"`
	From     float64       `json:"from_per_s"`
	To       float64       `json:"to_per_s"`
}

// Facts are what a document holds besides the measurements.
type Facts struct {
	Kind   Procedure
	Tool   Tool
	RunID  string
	Config Config
	Target string               // of the arm
	Host   string               // of the arm, in ASCII, if the target has it in other letters; else ""
	Warmup time.Duration        // of a run; 0: none
	ID     func(n int64) string // of request n
	Limits []verdict.Limit      // that warnings depend on
	Words  verdict.Words        // of those who read the warnings
}

// Ended reports whether the measurement came to its own end: it was neither interrupted
// nor given up.
func (d *Document) Ended() bool { return !d.Interrupted && d.Stopped == "" }

// New returns the document of a record. The caller adds Took and verdicts.
func New(f Facts, r *record.Record) *Document {
	return &Document{
		Schema: SchemaVersion, Kind: f.Kind, Tool: f.Tool, StartedAt: r.From,
		Interrupted: r.Interrupted, Config: f.Config,
		Arm:       NewArm(f, r),
		Generator: newGenerator(f, r),
	}
}

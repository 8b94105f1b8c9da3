package record

import (
	"cmp"
	"slices"
	"time"

	"github.com/loadtestkit/load-tester/internal/hist"
	"github.com/loadtestkit/load-tester/internal/host"
)

const (
	// timeBits is the precision of times: 0.1 %, or three digits.
	timeBits = 10
	// maxSlowest and maxSamples bound how many single requests are kept: the slowest,
	// enough for several stalls of many requests each, and the first failures of each
	// kind.
	maxSlowest = 100
	maxSamples = 5
)

// A Record holds the measurements of all requests of a run, of a part of it or of one
// of its routes. Requests that were due in the warm-up are counted in Warmup and
// nowhere else. Instants are offsets in the course of the run: from the end of its
// warm-up, breaks left out.
//
// Create one with [New]. [Record.Merge] adds up the records of parts. A Record is not
// safe for concurrent use.
type Record struct {
	Name string    `json:"name,omitempty"` // of a route; "" for all requests
	Open bool      `json:"open"`           // an open workload: arrivals have a schedule
	Load string    `json:"load"`           // the load that was asked for, such as "open, 1000/s"
	From time.Time `json:"from"`           // when it began, warm-up included

	Totals `json:"totals"`
	Warmup Totals `json:"warmup"`

	Interrupted bool  `json:"interrupted"` // cancelled before its end
	Abandoned   int64 `json:"abandoned"`   // unfinished requests that were still running when the run ended

	Elapsed  time.Duration `json:"elapsed_ns"`   // when the last request ended
	LastSent time.Duration `json:"last_sent_ns"` // when the last request was sent; 0 in a closed workload
	// Offering is how long arrivals took to become due, the gap after the last one
	// included, so that n evenly spaced ones take n gaps. In a closed workload it is
	// when permits stopped taking them, 0 if the run has no duration.
	Offering time.Duration `json:"offering_ns"`
	// Until is when the time for arrivals was up: at the end of the schedule or the
	// duration, or when the run was stopped; 0 in a closed workload without a
	// duration.
	Until time.Duration `json:"until_ns"`

	// Times are in nanoseconds. In a closed workload service times are the response
	// times, and Lateness and Waited are empty.
	Response *hist.Histogram `json:"response"` // of succeeded requests
	Service  *hist.Histogram `json:"service"`  // of succeeded requests; in a closed workload Response itself
	Failures *hist.Histogram `json:"failures"` // response times of failed requests
	Lateness *hist.Histogram `json:"lateness"` // of all requests that were sent and ended
	Waited   *hist.Histogram `json:"waited"`   // time spent waiting for a permit, of the same requests
	Series   *hist.Series    `json:"series"`   // all of this over time

	// Phases. Those of connections are of all that were opened over TCP, by whatever
	// request or none, also in the warm-up.
	Connecting *hist.Histogram `json:"connecting"`  // time to connect
	Handshakes *hist.Histogram `json:"handshakes"`  // of TLS
	Split      *hist.Histogram `json:"split"`       // service times of the succeeded requests whose responses took several reads
	FirstOctet *hist.Histogram `json:"first_octet"` // times from sent to the first octet, of the same requests; see FirstOctets

	Thresholds []time.Duration `json:"thresholds_ns"`
	Within     []int64         `json:"within"` // requests that succeeded with a response time of at most Thresholds[i]

	Statuses  map[int]int64    `json:"statuses"` // complete responses by status
	Rejected  map[int]int64    `json:"rejected"` // those of them whose status was not expected
	Answers   map[int]Answer   `json:"answers"`  // the first of these of each status
	Kinds     [Kinds]int64     `json:"kinds"`
	Samples   [Kinds][]Failure `json:"samples"`            // the first few of each kind
	Slowest   []Slow           `json:"slowest"`            // slowest first
	Octets    Octets           `json:"octets"`             // bodies: of complete responses
	Redirects int64            `json:"redirects_followed"` // by all requests

	SentAgain  int64 `json:"sent_again"` // requests that were sent once more, see Result
	Stale      Stale `json:"stale"`
	Unanswered int64 `json:"unanswered"` // timeouts on connections that the server never answered on, while others were idle

	Place        Place         `json:"place"`
	Concurrency  int           `json:"concurrency"`
	Processors   int           `json:"processors"` // that the generator could use at once
	Loops        int           `json:"loops"`      // event loops that sent; 0 where goroutines did
	Connections  int64         `json:"connections"`
	Addresses    []Address     `json:"addresses,omitempty"` // of the target, sorted; empty if it is not reached over TCP
	PeakInFlight int           `json:"peak_in_flight"`
	Exhausted    time.Duration `json:"exhausted_ns"` // how long arrivals waited because no permit was free
	Rested       time.Duration `json:"rested_ns"`    // the part of it in which permits rested because connecting had failed

	Machine host.Usage `json:"machine"` // readings of the process and its machine during the run
	// Control is the record of a handler that does nothing, under the same load in
	// between: its delays are the machine's. It is nil if there was none.
	Control *Record `json:"control,omitempty"`

	Routes []*Record `json:"routes,omitempty"` // sorted by name; empty if there is only one
}

// Place is where the target runs: it matters when the machine is busy, since the
// target may be the cause.
type Place uint8

const (
	Elsewhere Place = iota // on another machine, as far as we know
	Loopback               // in another process of this machine
	InProcess              // in this process
)

// New returns an empty record that counts response times up to each of the
// thresholds.
func New(open bool, thresholds []time.Duration) *Record {
	r := &Record{
		Open:       open,
		Response:   NewTimes(),
		Service:    NewTimes(),
		Failures:   NewTimes(),
		Lateness:   NewTimes(),
		Waited:     NewTimes(),
		Connecting: NewTimes(),
		Handshakes: NewTimes(),
		Split:      NewTimes(),
		FirstOctet: NewTimes(),
		Series:     hist.NewSeries(thresholds),
		Thresholds: thresholds,
		Within:     make([]int64, len(thresholds)),
		Statuses:   map[int]int64{},
		Rejected:   map[int]int64{},
		Answers:    map[int]Answer{},
		Slowest:    make([]Slow, 0, maxSlowest+1),
	}
	if !open {
		r.Service = r.Response
	}
	return r
}

// Add counts a finished request that was due after the warm-up, also as due and sent.
// In steady state it does not allocate.
func (r *Record) Add(s *Sample) {
	ok, response := s.Succeeded(), s.ResponseTime()
	r.Due++
	r.Sent++
	r.Elapsed = max(r.Elapsed, s.Done)
	r.Series.Due(s.Due)
	r.Series.Sent(s.Sent)
	r.Series.Done(s.Done, ok)
	if ok {
		r.Succeeded++
		r.Response.Record(int64(response))
		r.Series.Response(s.Due, response)
		if s.Arriving > 0 {
			r.Split.Record(int64(s.ServiceTime()))
			r.FirstOctet.Record(int64(s.FirstOctet()))
		}
		for i, t := range r.Thresholds {
			if response <= t {
				r.Within[i]++
			}
		}
	} else {
		r.Failed++
		r.Failures.Record(int64(response))
		r.Series.Missed(s.Due)
	}
	if r.Open {
		r.LastSent = max(r.LastSent, s.Sent)
		r.Lateness.Record(int64(s.Lateness()))
		r.Waited.Record(int64(s.Waited))
		if ok {
			r.Service.Record(int64(s.ServiceTime()))
		}
	}
	octets := s.Octets
	if s.Kind != NoError {
		octets.Body = 0
	}
	r.Octets.Add(octets)
	r.Redirects += int64(s.Redirects)
	if s.Stale > 0 {
		r.addStale(s)
	}
	if s.Unanswered {
		r.Unanswered++
	}
	r.Kinds[s.Kind]++
	if s.Kind != NoError {
		if kept := r.Samples[s.Kind]; len(kept) < maxSamples {
			r.Samples[s.Kind] = append(kept, Failure{N: s.N, Text: s.Err.Error()})
		}
		return
	}
	r.Series.Completed(s.Done)
	if s.Status > 0 {
		r.Statuses[s.Status]++
	}
	if s.Unexpected {
		r.Rejected[s.Status]++
	}
	if n := len(r.Slowest); n < maxSlowest || response >= r.Slowest[n-1].ResponseTime() {
		r.addSlow(Slow{N: s.N, Due: s.Due, Sent: s.Sent, Done: s.Done, Status: s.Status})
	}
}

// AddUnsent counts n requests that became due in the same interval of the series and
// were never sent.
func (r *Record) AddUnsent(due time.Duration, n int64) {
	r.Due += n
	r.Unsent += n
	r.Series.Unsent(due, n)
}

// AddUnfinished counts a request that was sent and did not end.
func (r *Record) AddUnfinished(due, sent time.Duration) {
	r.Due++
	r.Sent++
	r.Unfinished++
	r.Series.Due(due)
	r.Series.Missed(due)
	r.Series.Sent(sent)
	if r.Open {
		r.LastSent = max(r.LastSent, sent)
	}
}

// addSlow adds s to the slowest responses if it is one of them. Of equally slow ones
// it keeps the first.
func (r *Record) addSlow(s Slow) {
	at, _ := slices.BinarySearchFunc(r.Slowest, s, func(a, b Slow) int {
		return cmp.Or(cmp.Compare(b.ResponseTime(), a.ResponseTime()), cmp.Compare(a.N, b.N))
	})
	r.Slowest = slices.Insert(r.Slowest, at, s)
	r.Slowest = r.Slowest[:min(len(r.Slowest), maxSlowest)]
}

// Course returns where in the course of the run r ends. In an open workload that is
// the end of its schedule. In a closed one it is the end of its last request or of its
// duration, whichever is later: permits may have paused at its end.
func (r *Record) Course() time.Duration {
	if r.Open {
		return r.Until
	}
	return max(r.Until, r.Elapsed)
}

// Span returns the time that rates are over. In an open workload it is the time in
// which requests became due, or until the last one ended if that is longer.
func (r *Record) Span() time.Duration { return max(r.Offering, r.Elapsed) }

// Completed returns how many complete responses arrived, whatever their status.
func (r *Record) Completed() int64 { return r.Kinds[NoError] }

// Merge adds o, the record of another part of the same run: before, after or beside r.
// Nothing is lost or rounded, and the order of merging does not matter. o is not
// changed. Machine and Control describe a whole run and stay r's own. Merge panics if
// the workloads or the thresholds differ.
func (r *Record) Merge(o *Record) {
	if r.Open != o.Open {
		panic("record: Merge of an open and a closed workload")
	}
	if r.From.IsZero() || !o.From.IsZero() && o.From.Before(r.From) {
		r.From = o.From
	}
	r.Load = cmp.Or(r.Load, o.Load)
	r.Totals.Add(o.Totals)
	r.Warmup.Add(o.Warmup)
	r.Interrupted = r.Interrupted || o.Interrupted
	r.Abandoned += o.Abandoned
	r.Elapsed = max(r.Elapsed, o.Elapsed)
	r.LastSent = max(r.LastSent, o.LastSent)
	r.Offering = max(r.Offering, o.Offering)
	r.Until = max(r.Until, o.Until)

	r.Response.Merge(o.Response)
	if r.Open {
		r.Service.Merge(o.Service)
	}
	r.Failures.Merge(o.Failures)
	r.Lateness.Merge(o.Lateness)
	r.Waited.Merge(o.Waited)
	r.Connecting.Merge(o.Connecting)
	r.Handshakes.Merge(o.Handshakes)
	r.Split.Merge(o.Split)
	r.FirstOctet.Merge(o.FirstOctet)
	r.Series.Merge(o.Series)
	for i, n := range o.Within {
		r.Within[i] += n
	}
	for status, n := range o.Statuses {
		r.Statuses[status] += n
	}
	for status, n := range o.Rejected {
		r.Rejected[status] += n
	}
	for status, a := range o.Answers {
		r.AddAnswer(status, a)
	}
	for kind := range o.Kinds {
		r.Kinds[kind] += o.Kinds[kind]
		all := slices.Concat(r.Samples[kind], o.Samples[kind])
		slices.SortStableFunc(all, func(a, b Failure) int { return cmp.Or(cmp.Compare(a.N, b.N), cmp.Compare(a.Text, b.Text)) })
		r.Samples[kind] = all[:min(len(all), maxSamples)]
	}
	for _, s := range o.Slowest {
		r.addSlow(s)
	}
	r.Octets.Add(o.Octets)
	r.Redirects += o.Redirects
	r.SentAgain += o.SentAgain
	r.Stale.add(o.Stale)
	r.Unanswered += o.Unanswered

	r.Place = max(r.Place, o.Place)
	r.Concurrency = max(r.Concurrency, o.Concurrency)
	r.Processors = max(r.Processors, o.Processors)
	r.Loops = max(r.Loops, o.Loops)
	r.Connections += o.Connections
	r.mergeAddresses(o.Addresses)
	r.PeakInFlight = max(r.PeakInFlight, o.PeakInFlight)
	r.Exhausted += o.Exhausted
	r.Rested += o.Rested
	r.mergeRoutes(o.Routes)
}

// mergeRoutes merges the records of routes into those of the same names.
func (r *Record) mergeRoutes(routes []*Record) {
	for _, o := range routes {
		at, found := slices.BinarySearchFunc(r.Routes, o.Name, func(a *Record, name string) int { return cmp.Compare(a.Name, name) })
		if !found {
			route := New(o.Open, o.Thresholds)
			route.Name = o.Name
			r.Routes = slices.Insert(r.Routes, at, route)
		}
		r.Routes[at].Merge(o)
	}
}

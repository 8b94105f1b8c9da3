package record

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/loadtestkit/load-tester/internal/hist"
	"github.com/loadtestkit/load-tester/internal/host"
)

const (
	// timeBits: times are kept to 0.1 %, which three digits can show.
	timeBits = 10
	// keptSlowest and keptFailures bound what is kept of single requests.
	keptSlowest  = 10
	keptFailures = 5
)

// A Record is what was seen of the requests of a run, of a part of it or of one
// of its routes. Requests that were due in the warm-up are in Warmup and nowhere
// else. Instants are offsets in the course of the run: from the end of its
// warm-up, breaks left out.
//
// Make one with [New]. Records of parts are added up by [Record.Merge]. Not safe
// for concurrent use.
type Record struct {
	Name string    `json:"name,omitempty"` // of a route; "" for all requests
	Open bool      `json:"open"`           // an open workload: arrivals have a schedule
	Load string    `json:"load"`           // what was asked for, in words such as "open, 1000/s"
	From time.Time `json:"from"`           // when it began, warm-up included

	Totals `json:"totals"`
	Warmup Totals `json:"warmup"`

	Interrupted bool  `json:"interrupted"` // cancelled before its end
	Abandoned   int64 `json:"abandoned"`   // of all unfinished: still running when the run gave up on them

	Elapsed  time.Duration `json:"elapsed_ns"`   // when the last request ended
	LastSent time.Duration `json:"last_sent_ns"` // when it was sent; 0 in a closed workload
	// Offering is until when arrivals were released, the gap after the last
	// included, or in a closed workload until when permits could take them, 0
	// without a duration.
	Offering time.Duration `json:"offering_ns"`

	// Times in nanoseconds. In a closed workload service times are the
	// response times and Lateness and Waited are empty.
	Response *hist.Histogram `json:"response"` // of succeeded requests
	Service  *hist.Histogram `json:"service"`  // of succeeded requests; in a closed workload Response itself
	Failures *hist.Histogram `json:"failures"` // response times of failed requests
	Lateness *hist.Histogram `json:"lateness"` // of all sent and ended
	Waited   *hist.Histogram `json:"waited"`   // likewise
	Series   *hist.Series    `json:"series"`   // the course of it all

	Thresholds []time.Duration `json:"thresholds_ns"`
	Within     []int64         `json:"within"` // succeeded with a response time of at most Thresholds[i]

	Statuses map[int]int64    `json:"statuses"` // complete responses by status
	Kinds    [Kinds]int64     `json:"kinds"`
	Samples  [Kinds][]Failure `json:"samples"` // the first few of each kind
	Slowest  []Slow           `json:"slowest"` // slowest first
	Octets   Octets           `json:"octets"`  // bodies: of complete responses

	Place        Place         `json:"place"`
	Concurrency  int           `json:"concurrency"`
	Processors   int           `json:"processors"` // that the generator could use at once
	Loops        int           `json:"loops"`      // event loops that sent; 0 where goroutines did
	Connections  int64         `json:"connections"`
	PeakInFlight int           `json:"peak_in_flight"`
	Exhausted    time.Duration `json:"exhausted_ns"` // how long arrivals waited because every permit was out

	Machine host.Usage `json:"machine"` // what the process and its machine did meanwhile
	// Control is what a handler that does nothing suffered from this machine,
	// under the same load in between; nil without one.
	Control *Record `json:"control,omitempty"`

	Routes []*Record `json:"routes,omitempty"` // by name, where there is more than one
}

// Place is where the target runs, which decides whose fault a busy machine is.
type Place uint8

const (
	Elsewhere Place = iota // on another machine, as far as is known
	Loopback               // in another process of this machine
	InProcess              // in this process
)

// New returns an empty record that counts response times up to each of the
// thresholds.
func New(open bool, thresholds []time.Duration) *Record {
	r := &Record{
		Open:       open,
		Response:   hist.New(timeBits),
		Service:    hist.New(timeBits),
		Failures:   hist.New(timeBits),
		Lateness:   hist.New(timeBits),
		Waited:     hist.New(timeBits),
		Series:     hist.NewSeries(thresholds),
		Thresholds: thresholds,
		Within:     make([]int64, len(thresholds)),
		Statuses:   map[int]int64{},
		Slowest:    make([]Slow, 0, keptSlowest+1),
	}
	if !open {
		r.Service = r.Response
	}
	return r
}

// Add counts a request that is over and was due after the warm-up. It counts it
// as due and sent too. In steady state it allocates nothing.
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
	r.Octets.add(octets)
	r.Kinds[s.Kind]++
	if s.Kind != NoError {
		if kept := r.Samples[s.Kind]; len(kept) < keptFailures {
			r.Samples[s.Kind] = append(kept, Failure{N: s.N, Text: s.Err.Error()})
		}
		return
	}
	r.Series.Completed(s.Done)
	if s.Status > 0 {
		r.Statuses[s.Status]++
	}
	if n := len(r.Slowest); n < keptSlowest || response > r.Slowest[n-1].ResponseTime() {
		r.keep(Slow{N: s.N, Due: s.Due, Sent: s.Sent, Done: s.Done, Status: s.Status})
	}
}

// AddUnsent counts a request that was due and never sent.
func (r *Record) AddUnsent(due time.Duration) {
	r.Due++
	r.Unsent++
	r.Series.Due(due)
	r.Series.Missed(due)
}

// AddUnfinished counts a request that was sent and has no end.
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

// keep places s among the slowest responses, of equal ones the first.
func (r *Record) keep(s Slow) {
	at, _ := slices.BinarySearchFunc(r.Slowest, s, func(a, b Slow) int {
		return cmp.Or(cmp.Compare(b.ResponseTime(), a.ResponseTime()), cmp.Compare(a.N, b.N))
	})
	r.Slowest = slices.Insert(r.Slowest, at, s)
	r.Slowest = r.Slowest[:min(len(r.Slowest), keptSlowest)]
}

// Course is how far in the course of the run r comes: in an open workload to
// where its schedule left off, in a closed one to where its last request did, or
// its time was over if that was later, since permits may have rested at its end.
func (r *Record) Course() time.Duration {
	if r.Open {
		return r.Offering
	}
	return max(r.Offering, r.Elapsed)
}

// Completed is how many complete responses arrived, whatever their status.
func (r *Record) Completed() int64 { return r.Kinds[NoError] }

// Merge adds what o saw: another part of the same run, before, after or beside
// r. Nothing is lost or rounded, and the order of merging never matters. o stays
// as it is. Machine and Control are of a whole run and stay r's own. It panics if
// the two are of different workloads or count different thresholds.
func (r *Record) Merge(o *Record) {
	if r.Open != o.Open {
		panic("record: Merge of an open and a closed workload")
	}
	if r.From.IsZero() || !o.From.IsZero() && o.From.Before(r.From) {
		r.From = o.From
	}
	r.Load = cmp.Or(r.Load, o.Load)
	r.Totals.add(o.Totals)
	r.Warmup.add(o.Warmup)
	r.Interrupted = r.Interrupted || o.Interrupted
	r.Abandoned += o.Abandoned
	r.Elapsed = max(r.Elapsed, o.Elapsed)
	r.LastSent = max(r.LastSent, o.LastSent)
	r.Offering = max(r.Offering, o.Offering)

	r.Response.Merge(o.Response)
	if r.Open {
		r.Service.Merge(o.Service)
	}
	r.Failures.Merge(o.Failures)
	r.Lateness.Merge(o.Lateness)
	r.Waited.Merge(o.Waited)
	r.Series.Merge(o.Series)
	for i, n := range o.Within {
		r.Within[i] += n
	}
	for status, n := range o.Statuses {
		r.Statuses[status] += n
	}
	for kind := range o.Kinds {
		r.Kinds[kind] += o.Kinds[kind]
		all := slices.Concat(r.Samples[kind], o.Samples[kind])
		slices.SortStableFunc(all, func(a, b Failure) int { return cmp.Or(cmp.Compare(a.N, b.N), cmp.Compare(a.Text, b.Text)) })
		r.Samples[kind] = all[:min(len(all), keptFailures)]
	}
	for _, s := range o.Slowest {
		r.keep(s)
	}
	r.Octets.add(o.Octets)

	r.Place = max(r.Place, o.Place)
	r.Concurrency = max(r.Concurrency, o.Concurrency)
	r.Processors = max(r.Processors, o.Processors)
	r.Loops = max(r.Loops, o.Loops)
	r.Connections += o.Connections
	r.PeakInFlight = max(r.PeakInFlight, o.PeakInFlight)
	r.Exhausted += o.Exhausted
	r.mergeRoutes(o.Routes)
}

// mergeRoutes adds the records of single routes to those of the same names.
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

// Check reports every way in which the counts do not add up, nil if they do. In
// a record that was just made, what it finds is a fault of the program, never of
// the target.
func (r *Record) Check() error {
	errs := r.Totals.check()
	errs = append(errs, r.Warmup.check()...)
	errs = append(errs,
		between("completed", r.Completed(), r.Succeeded, r.Succeeded+r.Failed),
		equal("response times", r.Response.Count(), r.Succeeded),
		equal("response times of failed requests", r.Failures.Count(), r.Failed),
	)
	var statuses, ended int64
	for _, n := range r.Statuses {
		statuses += n
	}
	for _, n := range r.Kinds {
		ended += n
	}
	errs = append(errs,
		between("sum of statuses", statuses, 0, r.Completed()),
		equal("complete responses and errors", ended, r.Succeeded+r.Failed),
	)
	var sum hist.Interval
	for _, i := range r.Series.Intervals() {
		sum.Due += i.Due
		sum.Sent += i.Sent
		sum.Succeeded += i.Succeeded
		sum.Failed += i.Failed
		sum.Completed += i.Completed
		sum.Missed += i.Missed
	}
	errs = append(errs,
		equal("due over all intervals", sum.Due, r.Due),
		equal("sent over all intervals", sum.Sent, r.Sent),
		equal("succeeded over all intervals", sum.Succeeded, r.Succeeded),
		equal("failed over all intervals", sum.Failed, r.Failed),
		equal("completed over all intervals", sum.Completed, r.Completed()),
		equal("missed over all intervals", sum.Missed, r.Missed()),
	)
	for _, route := range r.Routes {
		if err := route.Check(); err != nil {
			errs = append(errs, fmt.Errorf("route %q: %w", route.Name, err))
		}
	}
	return errors.Join(errs...)
}

func equal(what string, got, want int64) error {
	if got == want {
		return nil
	}
	return fmt.Errorf("%s is %d, want %d", what, got, want)
}

func between(what string, got, low, high int64) error {
	if low <= got && got <= high {
		return nil
	}
	return fmt.Errorf("%s is %d, want %d to %d", what, got, low, high)
}

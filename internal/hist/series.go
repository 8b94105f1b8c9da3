package hist

import (
	"slices"
	"time"
)

const (
	// maxIntervals is chosen: any run is shown by 64 to 128 of them once it is
	// long enough, and 64 equal batches are what a verdict needs.
	maxIntervals = 128
	// firstWidth is chosen: a run of a tenth of a second still has a course.
	firstWidth = int64(time.Millisecond)
	// seriesBits is chosen: times per interval are read to 0.4 %, and all the
	// intervals of a run with latencies of 1 to 20 ms take about 1 MB.
	seriesBits = 7
)

// An Interval is what happened in one part of a run. Its instants are offsets
// from the run's start; it begins at Start and ends before Start+Width.
type Interval struct {
	Start, Width time.Duration
	Due          int64 // requests due in it
	Sent         int64 // sent in it, whenever they were due
	Succeeded    int64 // done in it, with success
	Failed       int64 // done in it, without
	Completed    int64 // done in it, with a complete response, whatever its status
	Missed       int64 // due in it, and then failed, unsent or unfinished
	// Over[i] is how many requests due in it succeeded in a response time
	// above the series' threshold i; exact.
	Over []int64
	// Response has the response times in nanoseconds of the requests due in
	// it that succeeded; 7 bits, never nil.
	Response *Histogram
}

// A Series is the course of a run in at most 128 intervals of equal width. The
// width is 1 ms at first and doubles, neighbours merging, whenever something
// happens past the last interval, so memory is bounded whatever the run's
// length. No event is lost, and each counts in the interval of its own offset.
//
// Events may come in any order. One before the run's start counts in the first
// interval. It is not safe for concurrent use; each shard owns one.
type Series struct {
	thresholds []time.Duration
	doublings  uint // the width is firstWidth << doublings
	used       int  // intervals from the start up to the last that was touched
	cells      [maxIntervals]Interval
	spare      []*Histogram // empty; merged intervals leave theirs to later ones
}

// NewSeries returns an empty series that counts response times above each of
// the thresholds; nil means none.
func NewSeries(thresholds []time.Duration) *Series {
	s := &Series{thresholds: slices.Clone(thresholds)}
	k := len(thresholds)
	over := make([]int64, maxIntervals*k)
	for i := range s.cells {
		s.cells[i].Over = over[i*k : (i+1)*k : (i+1)*k]
	}
	return s
}

// Thresholds returns what the series was made with. They must not be changed.
func (s *Series) Thresholds() []time.Duration { return s.thresholds }

// Due counts a request that became due at the given offset.
func (s *Series) Due(at time.Duration) { s.at(at).Due++ }

// Sent counts a request that was sent at the given offset.
func (s *Series) Sent(at time.Duration) { s.at(at).Sent++ }

// Done counts a request that ended at the given offset, with success or without.
func (s *Series) Done(at time.Duration, ok bool) {
	if ok {
		s.at(at).Succeeded++
	} else {
		s.at(at).Failed++
	}
}

// Completed counts a complete response, whatever its status, at the given
// offset.
func (s *Series) Completed(at time.Duration) { s.at(at).Completed++ }

// Missed counts a request due at the given offset that failed, was never sent
// or never ended.
func (s *Series) Missed(due time.Duration) { s.at(due).Missed++ }

// Response counts the response time d of a request due at the given offset
// that succeeded.
func (s *Series) Response(due, d time.Duration) {
	c := s.at(due)
	for i, t := range s.thresholds {
		if d > t {
			c.Over[i]++
		}
	}
	if c.Response == nil {
		c.Response = s.histogram()
	}
	c.Response.Record(int64(d))
}

// Merge adds what o counted, in intervals of the wider of both widths; the
// order of merging never matters. o stays as it is. It panics if o has other
// thresholds.
func (s *Series) Merge(o *Series) {
	if !slices.Equal(s.thresholds, o.thresholds) {
		panic("hist: Merge of series with other thresholds")
	}
	for s.doublings < o.doublings {
		s.double()
	}
	for i := range o.used {
		to := i >> (s.doublings - o.doublings)
		s.used = max(s.used, to+1)
		s.add(&s.cells[to], &o.cells[i])
	}
}

// Intervals returns a copy of the intervals up to the last in which anything
// happened; empty ones before it are there, zero. Each count summed over them
// is exactly how often its event was recorded.
func (s *Series) Intervals() []Interval {
	width := time.Duration(firstWidth << s.doublings)
	out := make([]Interval, s.used)
	for i := range out {
		c := s.cells[i]
		c.Start, c.Width = time.Duration(i)*width, width
		c.Over = slices.Clone(c.Over)
		c.Response = New(seriesBits)
		if h := s.cells[i].Response; h != nil {
			c.Response.Merge(h)
		}
		out[i] = c
	}
	return out
}

// at returns the interval of an offset, widening the series until there is one.
func (s *Series) at(offset time.Duration) *Interval {
	// Halving and then dividing by a constant gives the same quotient as
	// dividing by the width, without the cost of a division.
	i := int64(max(offset, 0)) >> (s.doublings & 63) / firstWidth
	for i >= maxIntervals {
		s.double()
		i /= 2
	}
	s.used = max(s.used, int(i)+1)
	return &s.cells[i]
}

// double makes the intervals twice as wide.
func (s *Series) double() {
	for i := range maxIntervals / 2 {
		// Cell i > 0 was emptied when it was itself one of a pair.
		for _, from := range []*Interval{&s.cells[2*i], &s.cells[2*i+1]} {
			if from != &s.cells[i] {
				s.move(&s.cells[i], from)
			}
		}
	}
	s.used = (s.used + 1) / 2
	s.doublings++
}

// move adds from to c and empties from, whose histogram goes to c or is spared.
func (s *Series) move(c, from *Interval) {
	if c.Response == nil {
		c.Response, from.Response = from.Response, nil
	}
	s.add(c, from)
	if h := from.Response; h != nil {
		h.Reset()
		s.spare = append(s.spare, h)
	}
	clear(from.Over)
	*from = Interval{Over: from.Over}
}

// add adds the counts and times of from to c.
func (s *Series) add(c, from *Interval) {
	c.Due += from.Due
	c.Sent += from.Sent
	c.Succeeded += from.Succeeded
	c.Failed += from.Failed
	c.Completed += from.Completed
	c.Missed += from.Missed
	for i, n := range from.Over {
		c.Over[i] += n
	}
	if from.Response == nil {
		return
	}
	if c.Response == nil {
		c.Response = s.histogram()
	}
	c.Response.Merge(from.Response)
}

// histogram returns an empty histogram, used before if there is one.
func (s *Series) histogram() *Histogram {
	if n := len(s.spare); n > 0 {
		h := s.spare[n-1]
		s.spare = s.spare[:n-1]
		return h
	}
	return New(seriesBits)
}

package hist

import (
	"slices"
	"time"
)

const (
	// maxIntervals is a power of two, so that intervals merge in pairs: a run has
	// 64 to 128 of them once it is long enough, and a verdict needs 64 batches.
	maxIntervals = 128
	// firstWidth gives even a run of a tenth of a second 100 intervals.
	firstWidth = int64(time.Millisecond)
	// seriesBits is the precision of the times in an interval, 0.4 %. All intervals
	// of a run with latencies of 1 to 20 ms take about 1 MB.
	seriesBits = 7
)

// An Interval counts what happened in one part of a run, from Start up to, but not
// including, Start+Width. Start is an offset from the run's start.
type Interval struct {
	Start, Width time.Duration
	Due          int64 // requests due in it
	Sent         int64 // sent in it, whenever they were due
	Succeeded    int64 // done in it, with success
	Failed       int64 // done in it, without success
	Completed    int64 // done in it, with a complete response, whatever its status
	Missed       int64 // due in it, and failed, unsent or unfinished
	// Over[i] is exactly how many requests due in it succeeded with a response
	// time above the series' threshold i.
	Over []int64
	// Response has the response times, in nanoseconds, of the requests due in it
	// that succeeded. It has 7 bits and is not nil.
	Response *Histogram
}

// A Series is the course of a run in at most 128 intervals of equal width. The
// width is 1 ms at first. Whenever something happens past the last interval, it
// doubles and neighbours merge, so memory is bounded for a run of any length. No
// event is lost, and each counts in the interval of its own offset.
//
// Events may come in any order. An event before the run's start counts in the
// first interval. A Series is not safe for concurrent use; each shard owns one.
type Series struct {
	thresholds []time.Duration
	doublings  uint // the width is firstWidth << doublings
	used       int  // intervals up to the last one with an event
	cells      [maxIntervals]Interval
	spare      []*Histogram // empty ones of merged intervals, for later intervals
}

// NewSeries returns an empty series that counts the response times above each of
// the thresholds, if any.
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

// Unsent counts n requests that became due in the interval of the given offset and were
// never sent.
func (s *Series) Unsent(due time.Duration, n int64) {
	c := s.at(due)
	c.Due += n
	c.Missed += n
}

// EndOf returns where the interval of an offset ends.
func (s *Series) EndOf(at time.Duration) time.Duration {
	s.at(at) // which may widen the intervals
	width := time.Duration(firstWidth << s.doublings)
	return (max(at, 0)/width + 1) * width
}

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
		c.Response = s.newHistogram()
	}
	c.Response.Record(int64(d))
}

// Merge adds the counts of o, in intervals of the greater width. The order of
// merging does not matter. o does not change. It panics if o has other
// thresholds.
func (s *Series) Merge(o *Series) {
	if !slices.Equal(s.thresholds, o.thresholds) {
		panic("hist: Merge of series with different thresholds")
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

// Intervals returns a copy of the intervals up to the last one with an event,
// including empty ones before it. The sum of each count over them is exactly how
// often its event was recorded.
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

// at returns the interval of an offset. It widens the series until there is one.
func (s *Series) at(offset time.Duration) *Interval {
	// A shift and a division by a constant give the same quotient as a division
	// by the width, and are faster.
	i := int64(max(offset, 0)) >> (s.doublings & 63) / firstWidth
	for i >= maxIntervals {
		s.double()
		i /= 2
	}
	s.used = max(s.used, int(i)+1)
	return &s.cells[i]
}

// double doubles the width of the intervals.
func (s *Series) double() {
	for i := range maxIntervals / 2 {
		// Cell i > 0 is empty already: it was itself one of an earlier pair.
		for _, from := range []*Interval{&s.cells[2*i], &s.cells[2*i+1]} {
			if from != &s.cells[i] {
				s.move(&s.cells[i], from)
			}
		}
	}
	s.used = (s.used + 1) / 2
	s.doublings++
}

// move adds from to c and empties from. The histogram of from goes to c or to spare.
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

// add adds from's counts and times to c.
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
		c.Response = s.newHistogram()
	}
	c.Response.Merge(from.Response)
}

// newHistogram returns an empty histogram, a spare one if possible.
func (s *Series) newHistogram() *Histogram {
	if n := len(s.spare); n > 0 {
		h := s.spare[n-1]
		s.spare = s.spare[:n-1]
		return h
	}
	return New(seriesBits)
}

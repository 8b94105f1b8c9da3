package hist

import (
	"math"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var thresholds = []time.Duration{5 * time.Millisecond, 10 * time.Millisecond, time.Second}

// An event is one request as a recorder reports it to a series.
type event struct {
	due, sent, done time.Duration
	ok              bool
}

func (e event) record(s *Series) {
	s.Due(e.due)
	s.Sent(e.sent)
	s.Done(e.done, e.ok)
	s.Completed(e.done)
	if e.ok {
		s.Response(e.due, e.done-e.due)
	} else {
		s.Missed(e.due)
	}
}

// events returns n requests spread over the length of a run, some of them before
// its start, in random order.
func events(r *rand.Rand, n int, length time.Duration) []event {
	es := make([]event, n)
	for i, d := range latencies(r, n) {
		due := time.Duration(r.Int64N(int64(length))) - length/100
		es[i] = event{due, due + time.Duration(d/10), due + time.Duration(d), r.IntN(10) > 0}
	}
	return es
}

// tally counts events into intervals of one width, one event at a time and by
// division.
func tally(es []event, width time.Duration) []Interval {
	var out []Interval
	at := func(offset time.Duration) *Interval {
		i := int(max(offset, 0) / width)
		for len(out) <= i {
			out = append(out, Interval{
				Start: time.Duration(len(out)) * width, Width: width,
				Over: make([]int64, len(thresholds)), Response: New(seriesBits),
			})
		}
		return &out[i]
	}
	for _, e := range es {
		at(e.due).Due++
		at(e.sent).Sent++
		at(e.done).Completed++
		if !e.ok {
			at(e.done).Failed++
			at(e.due).Missed++
			continue
		}
		at(e.done).Succeeded++
		at(e.due).Response.Record(int64(e.done - e.due))
		for i, t := range thresholds {
			if e.done-e.due > t {
				at(e.due).Over[i]++
			}
		}
	}
	return out
}

// facts are all that a histogram knows, regardless of which rows it has allocated.
func facts(h *Histogram) []any {
	fs := []any{h.bits, h.count, h.min, h.max, h.sumHi, h.sumLo}
	for v, n := range h.Buckets() {
		fs = append(fs, v, n)
	}
	return fs
}

func same(t *testing.T, want, got []Interval) {
	t.Helper()
	require.Len(t, got, len(want))
	for i := range want {
		w, g := want[i], got[i]
		require.Equal(t, facts(w.Response), facts(g.Response), "response times of interval %d", i)
		w.Response, g.Response = nil, nil
		require.Equal(t, w, g, "interval %d", i)
	}
}

func TestSeriesAgainstOneByOne(t *testing.T) {
	for _, c := range []struct {
		length, width time.Duration
		why           string
	}{
		{time.Microsecond, time.Millisecond, "all in the first interval"},
		{100 * time.Millisecond, time.Millisecond, "no doubling"},
		{250 * time.Millisecond, 2 * time.Millisecond, "one doubling"},
		{10 * time.Second, 128 * time.Millisecond, "many"},
		{24 * time.Hour, 1 << 20 * time.Millisecond, "a day"},
	} {
		r := rand.New(rand.NewPCG(1, uint64(c.length)))
		es := events(r, 3000, c.length)
		want := tally(es, c.width)
		require.LessOrEqual(t, len(want), maxIntervals)

		whole := NewSeries(thresholds)
		shards := []*Series{NewSeries(thresholds), NewSeries(thresholds), NewSeries(thresholds), NewSeries(thresholds)}
		for _, e := range es {
			e.record(whole)
			// Each ends at a different time, so that their widths differ; the
			// fourth is empty.
			switch {
			case e.due < c.length/100:
				e.record(shards[0])
			case e.due < c.length/3:
				e.record(shards[1])
			default:
				e.record(shards[2])
			}
		}
		same(t, want, whole.Intervals())
		for range 5 {
			r.Shuffle(len(shards), func(i, j int) { shards[i], shards[j] = shards[j], shards[i] })
			merged := NewSeries(thresholds)
			for _, s := range shards {
				merged.Merge(s)
			}
			same(t, want, merged.Intervals())
		}
		// A merge into a series in use, which goes on recording.
		shards[0].Merge(shards[1])
		for _, e := range es[:100] {
			e.record(shards[0])
		}
		shards[2].Merge(shards[0])
		shards[2].Merge(shards[3])
		same(t, tally(append(es, es[:100]...), c.width), shards[2].Intervals())
	}
}

// No event may be lost, whatever the order of offsets and merges, and however far
// an offset jumps.
func TestSeriesConserves(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	for range 60 {
		s := NewSeries(thresholds)
		var want Interval
		var over int64
		all, n := New(seriesBits), 1+r.IntN(400)
		for range n {
			target := s
			if r.IntN(4) == 0 {
				target = NewSeries(thresholds)
			}
			// Any magnitude, and either sign.
			at := time.Duration(r.Uint64()) >> r.IntN(64)
			d := time.Duration(latencies(r, 1)[0])
			switch r.IntN(7) {
			case 0:
				target.Due(at)
				want.Due++
			case 1:
				target.Sent(at)
				want.Sent++
			case 2:
				target.Done(at, true)
				want.Succeeded++
			case 3:
				target.Done(at, false)
				want.Failed++
			case 4:
				target.Missed(at)
				want.Missed++
			case 6:
				target.Completed(at)
				want.Completed++
			case 5:
				target.Response(at, d)
				all.Record(int64(d))
				if d > thresholds[0] {
					over++
				}
			}
			if target != s && r.IntN(2) == 0 {
				s.Merge(target)
			} else if target != s {
				target.Merge(s)
				s = target
			}
		}
		var got Interval
		var gotOver int64
		sum := New(seriesBits)
		intervals := s.Intervals()
		require.LessOrEqual(t, len(intervals), maxIntervals)
		for i, v := range intervals {
			require.Equal(t, time.Duration(i)*v.Width, v.Start)
			got.Due += v.Due
			got.Sent += v.Sent
			got.Succeeded += v.Succeeded
			got.Failed += v.Failed
			got.Completed += v.Completed
			got.Missed += v.Missed
			gotOver += v.Over[0]
			sum.Merge(v.Response)
		}
		require.Equal(t, want, got)
		require.Equal(t, over, gotOver)
		require.Equal(t, facts(all), facts(sum))
	}
}

func TestSeriesIntervals(t *testing.T) {
	s := NewSeries(nil)
	assert.Empty(t, s.Intervals(), "nothing happened")

	s.Due(-time.Hour)
	s.Sent(0)
	s.Done(127*time.Millisecond, true)
	got := s.Intervals()
	require.Len(t, got, 128, "the gap is shown")
	assert.Equal(t, int64(1), got[0].Due, "before the run is its first interval")
	assert.Equal(t, int64(1), got[0].Sent)
	assert.Equal(t, int64(1), got[127].Succeeded)
	assert.Equal(t, time.Millisecond, got[127].Width)
	assert.Equal(t, 127*time.Millisecond, got[127].Start)
	assert.Zero(t, got[64].Response.Count(), "an interval without response times has an empty histogram")

	s.Done(128*time.Millisecond, false)
	got = s.Intervals()
	require.Len(t, got, 65, "two milliseconds each now, the last one begun")
	assert.Equal(t, int64(1), got[63].Succeeded)
	assert.Equal(t, int64(1), got[64].Failed)
	assert.Equal(t, 2*time.Millisecond, got[64].Width)

	s.Sent(126 * time.Millisecond)
	assert.Equal(t, int64(1), s.Intervals()[63].Sent, "late news of an early instant goes to its own interval")
	assert.Zero(t, got[63].Sent, "an answer given is a copy")

	s.Due(math.MaxInt64)
	s.Response(math.MaxInt64, math.MaxInt64)
	got = s.Intervals()
	last := got[len(got)-1]
	assert.Equal(t, int64(1), last.Due, "the longest run there is")
	assert.LessOrEqual(t, last.Start, time.Duration(math.MaxInt64))
	assert.Greater(t, last.Start, time.Duration(math.MaxInt64)-last.Width)
}

func TestSeriesOverIsStrict(t *testing.T) {
	s := NewSeries([]time.Duration{10, 20})
	for _, d := range []time.Duration{10, 11, 20, 21} {
		s.Response(0, d)
	}
	got := s.Intervals()
	s.Response(0, 30)
	assert.Equal(t, []int64{3, 1}, got[0].Over, "an answer given is a copy")
	assert.Equal(t, []int64{4, 2}, s.Intervals()[0].Over)
}

func TestSeriesRefusesOtherThresholds(t *testing.T) {
	assert.Panics(t, func() { NewSeries(thresholds).Merge(NewSeries(nil)) })
}

func TestSeriesAllocatesNothing(t *testing.T) {
	es := events(rand.New(rand.NewPCG(11, 12)), 10_000, 10*time.Second)
	s := NewSeries(thresholds)
	for _, e := range es {
		e.record(s)
	}
	i := 0
	assert.Zero(t, testing.AllocsPerRun(1000, func() { es[i%len(es)].record(s); i++ }))
}

func TestSeriesHandsHistogramsOn(t *testing.T) {
	s := NewSeries(nil)
	for i := range 128 {
		s.Response(time.Duration(i)*time.Millisecond, 1)
	}
	s.Due(128 * time.Millisecond)
	require.Len(t, s.spare, 64, "half of them are free after doubling")
	for i := range 64 {
		at := time.Duration(128+2*i) * time.Millisecond
		assert.Zero(t, testing.AllocsPerRun(1, func() { s.Response(at, 1) }))
	}
	assert.Empty(t, s.spare)
	for _, v := range s.Intervals()[64:] {
		assert.Equal(t, int64(2), v.Response.Count(), "what is handed on is empty")
	}
}

// A shard's series at its largest, with response times of 1 to 20 ms.
func TestSeriesMemory(t *testing.T) {
	r := rand.New(rand.NewPCG(13, 14))
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	s := NewSeries(thresholds)
	for i := range 100 * 1000 {
		due := time.Duration(i) * 100 * time.Microsecond // 10 s: seven doublings on the way
		event{due, due, due + time.Millisecond + time.Duration(r.Int64N(19e6)), true}.record(s)
	}
	for i := range maxIntervals - 1 { // every interval in use
		s.Response(time.Duration(i)*128*time.Millisecond, 2*time.Millisecond)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	kept := int64(after.HeapAlloc) - int64(before.HeapAlloc)
	t.Logf("a series keeps %d bytes, allocated %d on the way", kept, after.TotalAlloc-before.TotalAlloc)
	assert.Less(t, kept, int64(2<<20))
	runtime.KeepAlive(s)
}

func BenchmarkSeries(b *testing.B) {
	es := events(rand.New(rand.NewPCG(15, 16)), 1<<14, 10*time.Second)
	s := NewSeries(thresholds)
	for _, e := range es {
		e.record(s)
	}
	for name, f := range map[string]func(event){
		"Due":      func(e event) { s.Due(e.due) },
		"Done":     func(e event) { s.Done(e.done, e.ok) },
		"Response": func(e event) { s.Response(e.due, e.done-e.due) },
		"whole":    func(e event) { e.record(s) },
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				f(es[i&(1<<14-1)])
				i++
			}
		})
	}
}

func BenchmarkSeriesDouble(b *testing.B) {
	es := events(rand.New(rand.NewPCG(15, 16)), 1<<14, 16*time.Second)
	for b.Loop() {
		b.StopTimer()
		s := NewSeries(thresholds)
		for _, e := range es {
			e.record(s)
		}
		b.StartTimer()
		s.double()
	}
}

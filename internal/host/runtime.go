package host

import (
	"errors"
	"math"
	"runtime/debug"
	"runtime/metrics"
	"slices"
	"time"

	"github.com/loadtestkit/load-tester/internal/clock"
	"github.com/loadtestkit/load-tester/internal/stat"
)

// runtimeStats is what the Go runtime counted since the process began.
type runtimeStats struct {
	pauses, waits histogram
	pauseTotal    time.Duration // exact, unlike the buckets
	err           error
}

func readRuntime() runtimeStats {
	s := []metrics.Sample{{Name: "/sched/pauses/total/gc:seconds"}, {Name: "/sched/latencies:seconds"}}
	metrics.Read(s)
	var hs [2]histogram
	for i := range s {
		if s[i].Value.Kind() != metrics.KindFloat64Histogram {
			return runtimeStats{err: errors.New("no metric " + s[i].Name)}
		}
		h := s[i].Value.Float64Histogram()
		hs[i] = histogram{counts: h.Counts, bounds: h.Buckets}
	}
	var gc debug.GCStats
	debug.ReadGCStats(&gc)
	return runtimeStats{pauses: hs[0], waits: hs[1], pauseTotal: gc.PauseTotal}
}

func (u *Usage) addRuntime(a, b runtimeStats) error {
	if err := firstOf(a.err, b.err); err != nil {
		return err
	}
	pauses, waits := b.pauses.since(a.pauses), b.waits.since(a.waits)
	u.GCPauses = pauses.count()
	u.GCPauseTotal = max(0, b.pauseTotal-a.pauseTotal)
	u.GCPauseMax = pauses.quantile(1)
	u.SchedLatencyP50 = waits.quantile(0.5)
	u.SchedLatencyP99 = waits.quantile(0.99)
	u.SchedLatencyMax = waits.quantile(1)
	return nil
}

// hiccupPeriod is how long the goroutine sleeps at a time: 100 wakes a second
// cost about 0.1 % of a core, and in 10 s they are enough for a p99.
const hiccupPeriod = 10 * time.Millisecond

// A hiccup measures how much too late a goroutine wakes that only sleeps: what
// any other goroutine of this process suffered from the scheduler, the
// collector and the machine. Hyperfoil and jHiccup do the same.
type hiccup struct {
	quit, done chan struct{}
	late       histogram // owned by the goroutine until done is closed
	most       time.Duration
}

func startHiccup() *hiccup {
	h := &hiccup{quit: make(chan struct{}), done: make(chan struct{}), late: newHistogram()}
	go h.loop()
	return h
}

func (h *hiccup) loop() {
	defer close(h.done)
	timer := time.NewTimer(hiccupPeriod)
	defer timer.Stop()
	for {
		before := clock.System.Now()
		timer.Reset(hiccupPeriod)
		select {
		case <-timer.C:
			h.woke(clock.System.Since(before) - hiccupPeriod)
		case <-h.quit:
			return
		}
	}
}

// woke counts a wake that was late by d.
func (h *hiccup) woke(d time.Duration) {
	h.late.record(max(0, d))
	h.most = max(h.most, d)
}

// end stops the goroutine and returns what it saw; 0 where it never woke.
func (h *hiccup) end() (p99, most time.Duration) {
	close(h.quit)
	<-h.done
	return min(h.late.quantile(0.99), h.most), h.most
}

// A histogram has the form of runtime/metrics: counts[i] samples lie between
// bounds[i] and bounds[i+1], in seconds; the outermost bounds may be infinite.
type histogram struct {
	counts []uint64
	bounds []float64
}

// newHistogram returns an empty histogram for times from 0 on, in buckets 1/8
// wide from 1 µs to over an hour.
func newHistogram() histogram {
	bounds := []float64{0}
	for s := 1e-6; s < 4000; s *= 1.125 {
		bounds = append(bounds, s)
	}
	bounds = append(bounds, math.Inf(1))
	return histogram{counts: make([]uint64, len(bounds)-1), bounds: bounds}
}

// record counts d, at least 0.
func (h histogram) record(d time.Duration) {
	above, _ := slices.BinarySearch(h.bounds, d.Seconds()) // the first bound that is not below d
	h.counts[max(above, 1)-1]++
}

// since returns the samples of h that are not in before. The buckets of a
// metric are the same all the time (runtime/metrics.Float64Histogram).
func (h histogram) since(before histogram) histogram {
	d := histogram{counts: slices.Clone(h.counts), bounds: h.bounds}
	for i := range min(len(d.counts), len(before.counts)) {
		d.counts[i] -= min(d.counts[i], before.counts[i])
	}
	return d
}

func (h histogram) count() (n int64) {
	for _, c := range h.counts {
		n += int64(c)
	}
	return n
}

// quantile returns the upper bound of the bucket at [stat.Rank] q, or its lower
// bound if it has no upper one; 0 without samples.
func (h histogram) quantile(q float64) time.Duration {
	n := h.count()
	if n == 0 {
		return 0
	}
	rank := stat.Rank(q, n)
	for i, c := range h.counts {
		if rank -= int64(c); rank > 0 {
			continue
		}
		bound := h.bounds[i+1]
		if math.IsInf(bound, 1) {
			bound = h.bounds[i]
		}
		return nanoseconds(max(0, bound) * 1e9)
	}
	return 0
}

// MutexWait returns for how long goroutines of this process have waited for locks of
// package sync and of the runtime so far, in seconds. The runtime estimates it from one
// wait in eight.
func MutexWait() float64 {
	s := []metrics.Sample{{Name: "/sync/mutex/wait/total:seconds"}}
	metrics.Read(s)
	if s[0].Value.Kind() != metrics.KindFloat64 {
		return 0
	}
	return s[0].Value.Float64()
}

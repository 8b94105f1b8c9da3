package host

import (
	"math/bits"
	"time"

	"github.com/loadtestkit/load-tester/internal/stat"
)

// hiccupPeriod is how long the goroutine sleeps at a time. Chosen: 100 wakes a
// second cost about 0.1 % of a core, and 10 s of them tell a p99.
const hiccupPeriod = 10 * time.Millisecond

// hiccup measures how much too late a goroutine wakes that only sleeps: what
// any other goroutine of this process suffered from the scheduler, the
// collector and the machine. Hyperfoil and jHiccup do the same.
type hiccup struct {
	quit, done chan struct{}
	late       overshoots // owned by the goroutine until done is closed
}

func startHiccup() *hiccup {
	h := &hiccup{quit: make(chan struct{}), done: make(chan struct{})}
	go h.loop()
	return h
}

func (h *hiccup) loop() {
	defer close(h.done)
	timer := time.NewTimer(hiccupPeriod)
	defer timer.Stop()
	for {
		before := time.Now()
		timer.Reset(hiccupPeriod)
		select {
		case <-timer.C:
			h.late.record(time.Since(before) - hiccupPeriod)
		case <-h.quit:
			return
		}
	}
}

// end stops the goroutine and returns what it saw; 0 where it never woke.
func (h *hiccup) end() (p99, most time.Duration) {
	close(h.quit)
	<-h.done
	return h.late.quantile(0.99), h.late.max
}

// overshoots counts durations in 8 buckets for each power of two of
// nanoseconds, so whatever the run's length it takes 2 KiB.
type overshoots struct {
	counts [61 * 8]uint32
	n      int64
	max    time.Duration
}

func (o *overshoots) record(d time.Duration) {
	d = max(0, d)
	o.counts[overshootBucket(d)]++
	o.n++
	o.max = max(o.max, d)
}

// quantile returns the value at rank ceil(q*n): the upper bound of its bucket,
// at most 1/8 too high, and never above the maximum.
func (o *overshoots) quantile(q float64) time.Duration {
	rank := stat.Rank(q, o.n)
	for i, c := range o.counts {
		if rank -= int64(c); rank <= 0 {
			return min(overshootBound(i), o.max)
		}
	}
	return o.max
}

// overshootBucket: below 8 ns each value has its own bucket; above, the upper
// four bits of d, of which the first is 1, choose it.
func overshootBucket(d time.Duration) int {
	if d < 8 {
		return int(d)
	}
	shift := bits.Len64(uint64(d)) - 4
	return shift*8 + int(d>>shift)
}

// overshootBound returns the largest duration of bucket i.
func overshootBound(i int) time.Duration {
	if i < 8 {
		return time.Duration(i)
	}
	shift := i/8 - 1
	return time.Duration(uint64(i%8+9)<<shift - 1)
}

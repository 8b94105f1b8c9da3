package load

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/loadtestkit/load-tester/internal/record"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A run in stretches is one run: its arrivals are numbered and timed as if there had
// been no break, and all counts add up.
func TestStretchesMakeOneRun(t *testing.T) {
	for name, schedule := range map[string]*Schedule{"closed": nil, "open": rate(1000)} {
		t.Run(name, func(t *testing.T) {
			inBoth(t, func(t *testing.T, mux bool) {
				stretch := func(first int64, warmup, origin, length time.Duration, slow int64) (*record.Record, *peer) {
					p := &peer{mux: mux, delay: func(n int64) time.Duration {
						if n == slow {
							return 7 * time.Millisecond
						}
						return time.Millisecond
					}}
					return run(t, p, Workload{
						Schedule: schedule, Concurrency: 10, First: first, Warmup: warmup, Origin: origin, Before: origin, Duration: length,
						Thresholds: []time.Duration{2 * time.Millisecond},
					}), p
				}
				slow := int64(300)
				if schedule == nil {
					slow = 2000 // 10,000 a second, of which the warm-up has 1000
				}
				o, p := stretch(0, 100*time.Millisecond, 0, 400*time.Millisecond, slow)
				first := int64(len(p.order))
				before, warm := o.Due, o.Warmup.Due
				next, q := stretch(first, 0, o.Course(), 600*time.Millisecond, first+150)
				o.Merge(next)

				assert.Equal(t, next.Loops, o.Loops)
				assert.Equal(t, mux, o.Loops > 0)
				require.NoError(t, o.Check())
				assert.Equal(t, before+next.Due, o.Due)
				assert.Equal(t, first, before+warm)
				assert.Equal(t, next.Elapsed, o.Elapsed)
				assert.Equal(t, o.Due, o.Response.Count())
				assert.Equal(t, o.Due-2, o.Within[0])
				assert.Equal(t, []int64{slow, first + 150}, []int64{o.Slowest[0].N, o.Slowest[1].N}, "of equal ones the first")
				assert.Equal(t, o.Statuses, map[int]int64{200: o.Due})
				slices.Sort(q.order) // permits may begin at the same instant
				for i, n := range q.order {
					require.Equal(t, first+int64(i), n)
				}
				if schedule != nil {
					assert.Equal(t, int64(1000), o.Due)
					assert.Equal(t, time.Second, o.Offering)
					assert.Equal(t, 999*time.Millisecond, o.LastSent)
					assert.Equal(t, time.Second, o.Elapsed, "the last was due 1 ms before, and took that long")
					assert.Equal(t, 200*time.Millisecond, o.Slowest[0].Due, "300 ms into the stretch, of which 100 ms are warm-up")
					assert.Equal(t, 550*time.Millisecond, o.Slowest[1].Due)
				}
				for _, i := range o.Series.Intervals() {
					if end := i.Start + i.Width; schedule != nil && end <= time.Second {
						assert.Equal(t, i.Width.Milliseconds(), i.Due, "at %v", i.Start)
					}
				}
			})
		})
	}
}

// A loop that is waiting for a distant arrival returns as soon as it is told to end,
// without sending it.
func TestEndIsNoticedAtOnce(t *testing.T) {
	inBoth(t, func(t *testing.T, mux bool) {
		cfg := Workload{Schedule: rate(1.0 / 3600), Concurrency: 1, Timeout: time.Minute, Grace: time.Minute}
		p := &peer{}
		if mux {
			cfg.Muxes = []Mux{newFakeMux(p)}
		} else {
			cfg.NewSender, cfg.Sleeper = p.sender, NewTimerSleeper()
		}
		l := inVirtualTime(cfg)
		time.AfterFunc(time.Second, func() {
			assert.Equal(t, time.Second, l.Progress().Elapsed) // it is running
			l.End()
		})
		began := time.Now()
		o := l.Run(t.Context(), t.Context())
		assert.Equal(t, time.Second, time.Since(began))
		assert.Equal(t, time.Second, o.Until)
		assert.Equal(t, time.Hour, o.Offering, "one arrival takes one gap")
		assert.Equal(t, int64(1), o.Due, "that of the start")
		assert.Equal(t, int64(1), p.seen.Load())
		assert.False(t, o.Interrupted)
	})
}

// A closed stretch lasts as long as its Duration, even if its permits pause at its end.
// Otherwise a run of many stretches, each of which ends too early, might never end.
func TestStretchEndsWithItsTime(t *testing.T) {
	inBoth(t, func(t *testing.T, mux bool) {
		resting := func() *peer { return &peer{mux: mux, pause: 300 * time.Millisecond} }
		o := run(t, resting(), Workload{Concurrency: 1, Duration: time.Second})
		assert.Equal(t, 900*time.Millisecond, o.Elapsed)
		assert.Equal(t, time.Second, o.Course())
		next := run(t, resting(), Workload{Concurrency: 1, Duration: time.Second, First: o.Due, Origin: o.Course()})
		o.Merge(next)
		assert.Equal(t, 2*time.Second, o.Course())
		assert.Equal(t, 1900*time.Millisecond, o.Elapsed)
	})
}

// A stretch moves the run on however short it is, whatever came before.
func TestStretchWithoutARequestTakesItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := run(t, &peer{delay: func(int64) time.Duration { return 700 * time.Millisecond }}, Workload{Concurrency: 1, Duration: time.Second})
		assert.Equal(t, 1400*time.Millisecond, o.Course(), "its last response came later")
		o.Merge(inVirtualTime(Workload{Duration: 6, Origin: o.Course()}).outcome(false))
		assert.Equal(t, 1400*time.Millisecond+6, o.Course())
	})
}

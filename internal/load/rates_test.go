package load

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// n arrivals take n gaps, however the load ends, so that rates are those that were
// asked for at every size.
func TestOffering(t *testing.T) {
	const second = time.Second
	stages := func(s ...Stage) *Schedule { return &Schedule{Stages: s} }
	for _, tc := range []struct {
		schedule        *Schedule
		warmup          time.Duration
		requests        int64
		duration        time.Duration
		cancel          time.Duration // 0: not
		due             int64
		offering, until time.Duration
		why             string
	}{
		{rate(1), 0, 0, second, 0, 1, second, second, "one a second for a second"},
		{rate(2), 0, 0, 2 * second, 0, 4, 2 * second, 2 * second, ""},
		{rate(2), 0, 3, 0, 0, 3, 1500 * time.Millisecond, 1500 * time.Millisecond, "three in a second and a half"},
		{rate(0.1), 0, 1, 0, 0, 1, 10 * second, 10 * second, "one in ten seconds"},
		{rate(1), 0, 0, 1500 * time.Millisecond, 0, 2, 2 * second, 1500 * time.Millisecond, "no whole number of gaps"},
		{rate(0.1), 0, 0, second, 0, 1, 10 * second, second, "less than a gap"},
		{rate(1), 500 * time.Millisecond, 3, 0, 0, 3, 3 * second, 3500 * time.Millisecond, "the first counted one is due half a second after the warm-up"},
		{rate(1), 500 * time.Millisecond, 0, 2200 * time.Millisecond, 0, 2, 2 * second, 2200 * time.Millisecond, "1 and 2 s"},
		{rate(1), 1500 * time.Millisecond, 0, 400 * time.Millisecond, 0, 0, 400 * time.Millisecond, 400 * time.Millisecond, "none is due from 1.5 to 1.9 s"},
		{rate(2), 0, 0, 10 * second, 1200 * time.Millisecond, 3, 1500 * time.Millisecond, 1200 * time.Millisecond, "cancelled"},
		{stages(Stage{1500 * time.Millisecond, 1, 1}), 0, 0, 0, 0, 2, 2 * second, 1500 * time.Millisecond, "a stage with no whole number of gaps"},
		{stages(Stage{10 * second, 0, 10}), 0, 0, 0, 0, 50, 10 * second, 10 * second, "a ramp, five a second on average"},
		{stages(Stage{10 * second, 0, 10}, Stage{10 * second, 0, 0}), 0, 0, 0, 0, 50, 20 * second, 20 * second, "and a pause"},
		{stages(Stage{10 * second, 0, 10}), 5 * second, 0, 0, 0, 37, 5 * second * 370 / 375, 5 * second, "37.5 on average after the warm-up"},
	} {
		inBoth(t, func(t *testing.T, mux bool) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if tc.cancel > 0 {
				time.AfterFunc(tc.cancel, cancel)
			}
			cfg := Workload{
				Schedule: tc.schedule, Requests: tc.requests, Duration: tc.duration, Warmup: tc.warmup,
				Concurrency: 1, Timeout: time.Minute, Grace: time.Minute,
			}
			p := &peer{}
			if mux {
				cfg.Muxes = []Mux{newFakeMux(p)}
			} else {
				cfg.NewSender, cfg.Sleeper = p.sender, NewTimerSleeper()
			}
			o := inVirtualTime(cfg).Run(ctx, t.Context())
			assert.Equal(t, tc.due, o.Due, "%+v", tc)
			assert.InDelta(t, tc.offering, o.Offering, 10, "%+v", tc)
			assert.InDelta(t, tc.until, o.Until, 10, "%+v", tc)
			assert.InDelta(t, tc.offering, max(o.Span(), tc.offering), 10, "the target keeps up: %+v", tc)
		})
	}
}

// The gaps of Poisson arrivals are random, and so is the number of them in a time, which
// stays as it is.
func TestOfferingOfPoissonArrivals(t *testing.T) {
	s := Constant(10)
	s.Poisson = true
	assert.Equal(t, time.Second, s.gaps(3, time.Second, 2*time.Second))
}

// Stretches of a run add up, gap by gap.
func TestOfferingOfStretches(t *testing.T) {
	inBoth(t, func(t *testing.T, mux bool) {
		cfg := Workload{Schedule: rate(1), Duration: 1500 * time.Millisecond, Concurrency: 1, Timeout: time.Minute, Grace: time.Minute}
		run := func() time.Duration {
			p := &peer{}
			if mux {
				cfg.Muxes = []Mux{newFakeMux(p)}
			} else {
				cfg.NewSender, cfg.Sleeper = p.sender, NewTimerSleeper()
			}
			o := inVirtualTime(cfg).Run(t.Context(), t.Context())
			cfg.Origin, cfg.Before = o.Course(), o.Offering
			return o.Offering
		}
		assert.Equal(t, 2*time.Second, run())
		assert.Equal(t, 4*time.Second, run())
		assert.Equal(t, 3*time.Second, cfg.Origin)
	})
}

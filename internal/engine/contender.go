package engine

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/loadtestkit/load-tester/internal/hist"
	"github.com/loadtestkit/load-tester/internal/load"
	"github.com/loadtestkit/load-tester/internal/verdict"
)

// A contender is one of the targets, and what the current round saw of it.
type contender struct {
	*arm
	driver    *load.Driver
	takes     time.Duration // the median response time of a request alone
	works     time.Duration // about its processor time, if that is known
	meter     *meter        // of the processes that serve; nil if it cannot be told
	allocs    *allocations  // of one request; nil where that cannot be told
	times     verdict.Block
	add       func(took time.Duration, ok bool) // adds a request to times
	addSingle func(took time.Duration, ok bool) // and to the stratum
}

func (c *contest) newContender(a *arm, d *load.Driver) *contender {
	t := &contender{arm: a, driver: d, times: verdict.Block{Times: hist.New(roundBits)}}
	t.add = func(took time.Duration, ok bool) {
		if ok {
			t.times.Times.Record(int64(took))
		} else {
			t.times.Missed++
		}
	}
	t.addSingle = func(took time.Duration, ok bool) {
		t.add(took, ok)
		ns := math.Inf(1)
		if ok {
			ns = float64(max(took, 1))
		}
		c.singles = append(c.singles, verdict.Single{Head: t == c.to[1], Time: ns})
	}
	return t
}

// openMeters starts to read the processor time of what serves the targets. Its error
// says why that cannot be done.
func (c *contest) openMeters() (err error) {
	for _, t := range c.to {
		if t.meter, err = t.newMeter(); err != nil {
			return err
		}
	}
	if c.to[0].meter.isOwn() != c.to[1].meter.isOwn() {
		return errors.New("only one of the targets is in this process, whose time includes the client's")
	}
	return c.readMeters()
}

// readMeters returns an error if the processor time of what serves the targets is not
// known, or no more.
func (c *contest) readMeters() error {
	for _, t := range c.to {
		if _, err := t.meter.Read(); err != nil {
			return fmt.Errorf("%s: %w", t.role, err)
		}
	}
	return nil
}

// tryFor makes volleys for some time, at least one, and returns the median response
// time: of the failed requests if none succeeded.
func (t *contender) tryFor(d time.Duration, requests, permits int) time.Duration {
	times, failures := hist.New(roundBits), hist.New(roundBits)
	began := t.clock().Now()
	for n := 0; ; n++ {
		v := t.driver.Volley(requests, permits, func(took time.Duration, ok bool) {
			if ok {
				times.Record(int64(took))
			} else {
				failures.Record(int64(took))
			}
		})
		took := t.clock().Since(began)
		if v.Ended < requests || took >= d || took == 0 && n == standstill {
			break
		}
	}
	if times.Count() == 0 {
		times = failures
	}
	median, _ := times.Quantile(0.5)
	return time.Duration(median)
}

// processor returns the processor time that serving has taken so far, in ns; NaN if
// that is not known.
func (t *contender) processor() float64 {
	if t.meter == nil {
		return math.NaN()
	}
	return processor(t.meter.Meter)
}

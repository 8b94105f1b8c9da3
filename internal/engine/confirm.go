package engine

import (
	"context"
	"fmt"
	"time"

	"github.com/loadtestkit/load-tester/internal/report"
	"github.com/loadtestkit/load-tester/internal/unit"
)

// pauseLeast is how long a measurement waits at least before it is repeated:
// what disturbs a machine for a moment has then gone, and two measurements are
// disturbed independently.
const pauseLeast = 5 * time.Second

// twice makes a measurement, and if it failed by what may be chance and has to be
// confirmed, a fresh one after a pause: a fail that the two do not share is
// inconclusive. once is given the measurement that it repeats, nil the first time.
func (s *Settings) twice(ctx context.Context, m *monitor, once func(first *report.Document) (*report.Document, error)) (*report.Document, error) {
	first, err := once(nil)
	if err != nil || !s.Confirm || !first.Ended() || !first.FailedByChance() {
		return first, err
	}
	if !s.rest(ctx, first.Took, m) {
		first.Interrupted = true
		return first, nil
	}
	first.Repeat, err = once(first)
	switch {
	case err != nil && ctx.Err() != nil: // before anything was sent
		first.Interrupted = true
		return first, nil
	case err != nil:
		return first, fmt.Errorf("repeating the measurement: %w", err)
	}
	if first.Interrupted = first.Repeat.Interrupted; !first.Interrupted {
		first.Confirm()
	}
	return first, nil
}

// rest pauses before a measurement that took the given time is repeated. It
// reports false if ctx ended meanwhile.
func (s *Settings) rest(ctx context.Context, took time.Duration, m *monitor) bool {
	pause := s.Pause
	if pause == 0 {
		pause = max(pauseLeast, took/2)
	}
	m.tell("pausing " + unit.Duration(pause) + " before the repeat")
	defer m.restart("repeating")
	t := time.NewTimer(pause)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

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

// A measurement is made once: it is given the one that it repeats, nil the first time.
type measurement func(first *report.Document) (*report.Document, error)

// twice makes a measurement, and if it failed by what may be chance and has to be
// confirmed, a fresh one after a pause: a fail that the two do not share is
// inconclusive.
func (s *Settings) twice(ctx context.Context, m *monitor, once measurement) (*report.Document, error) {
	return s.repeated(ctx, once, func(first *report.Document) bool { return s.rest(ctx, first.Took, m) })
}

// atOnce is twice without the pause, for a measurement whose order is drawn at random:
// what disturbs the machine disturbs both targets, and is as likely to help either.
func (s *Settings) atOnce(ctx context.Context, m *monitor, once measurement) (*report.Document, error) {
	return s.repeated(ctx, once, func(*report.Document) bool {
		m.restart("repeating")
		return ctx.Err() == nil
	})
}

// repeated makes a measurement and, if it has to be confirmed, its repeat. before is
// called in between and reports false if there is to be none.
func (s *Settings) repeated(ctx context.Context, once measurement, before func(first *report.Document) bool) (*report.Document, error) {
	first, err := once(nil)
	if err != nil || !s.Confirm || !first.Ended() || !first.FailedByChance() {
		return first, err
	}
	if !before(first) {
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

package engine

import (
	"context"
	"fmt"
	"time"

	"github.com/loadtestkit/load-tester/internal/report"
	"github.com/loadtestkit/load-tester/internal/unit"
	"github.com/loadtestkit/load-tester/internal/verdict"
)

// pauseLeast is how long a measurement waits at least before it is repeated:
// what disturbs a machine for a moment has then gone, and two measurements are
// disturbed independently.
const pauseLeast = 5 * time.Second

const (
	// notRepeated is why a fail that a fresh measurement does not share does not
	// count.
	notRepeated = "not repeated: a second run, after a pause, did not fail; the first: "
	// inRepeat marks a fact that was found in the repeat.
	inRepeat = "in a second run: "
)

// twice makes a measurement, and if it failed by what may be chance and has to be
// confirmed, a fresh one after a pause: a fail that the two do not share is
// inconclusive. once is given the measurement that it repeats, nil the first time.
func (s *Settings) twice(ctx context.Context, m *monitor, once func(first *report.Document) (*report.Document, error)) (*report.Document, error) {
	first, err := once(nil)
	if err != nil || !s.Confirm || first.Interrupted || !failedByChance(first) {
		return first, err
	}
	began := first.StartedAt
	if !s.rest(ctx, max(first.Elapsed, time.Since(began)), m) {
		first.Interrupted = true
		return first, nil
	}
	first.Repeat, err = once(first)
	switch {
	case err != nil && ctx.Err() != nil: // before anything was sent
		first.Interrupted = true
		return first, nil
	case err != nil:
		return nil, fmt.Errorf("repeating the measurement: %w", err)
	}
	if first.Interrupted = first.Repeat.Interrupted; !first.Interrupted {
		confirm(first)
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

// failedByChance reports whether something was missed that chance may have had a
// part in, and no limit was that it had not: that would settle it.
func failedByChance(d *report.Document) bool {
	failed := false
	for _, l := range d.Judged() {
		if l.Verdict == verdict.Fail && l.Exact {
			return false
		}
		failed = failed || l.Verdict == verdict.Fail
	}
	return failed
}

// confirm makes a fail of d inconclusive that its repeat does not share, unless
// it is a fact; a fact of the repeat counts too.
func confirm(d *report.Document) {
	for i := range d.Ratios {
		r := &d.Ratios[i]
		confirmOne(&r.Verdict, &r.Reason, d.Repeat.Ratios[i].Verdict, d.Repeat.Ratios[i].Reason)
	}
	for i := range min(len(d.Limits), len(d.Repeat.Limits)) {
		l, again := &d.Limits[i], d.Repeat.Limits[i]
		switch {
		case again.Verdict == verdict.Fail && again.Exact && l.Verdict != verdict.Fail:
			l.Verdict, l.Exact, l.Reason = verdict.Fail, true, inRepeat+again.Reason
		case !l.Exact || again.Verdict == verdict.Fail:
			confirmOne(&l.Verdict, &l.Reason, again.Verdict, again.Reason)
		}
	}
	d.Verdict = report.Overall(d.Judged())
}

func confirmOne(first *verdict.Verdict, reason *string, again verdict.Verdict, why string) {
	switch {
	case *first != verdict.Fail:
	case again == verdict.Fail:
		*reason += "; a second run, after a pause: " + why
	default:
		*first, *reason = verdict.Inconclusive, notRepeated+*reason
	}
}

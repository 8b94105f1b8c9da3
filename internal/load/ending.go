package load

import (
	"context"
	"math"
	"time"

	"github.com/loadtestkit/load-tester/internal/record"
)

const (
	// abandonAfter is how long a run waits for requests that it has cut off.
	// Only Go code under test that ignores its context takes longer. Chosen.
	abandonAfter = time.Second
	// cutEvery is how often it tries again to cut off what is left. Chosen.
	cutEvery = 5 * time.Millisecond
)

// sweep ends exchanges that have reached their timeout, to 5 % of it, so that
// no request needs a timer of its own. It also notices when all that the run
// still waits for has not heeded that for the grace period.
func (l *Loop) sweep(over <-chan struct{}) {
	t := time.NewTicker(l.sweepEvery())
	defer t.Stop()
	for {
		select {
		case <-over:
			return
		case <-t.C:
			now := l.now()
			waiting, hung := l.issuedAll(), false // for nothing but what hangs
			for _, p := range l.opened() {
				since, expired := p.expire(now, l.cfg.Timeout)
				hangs := expired && now-since > l.cfg.Grace
				waiting, hung = waiting && (p.left.Load() || hangs), hung || hangs
			}
			if waiting && hung {
				close(l.stuck)
				return
			}
		}
	}
}

// sweepEvery is how often exchanges are looked at for their timeout.
func (l *Loop) sweepEvery() time.Duration {
	return max(l.cfg.Timeout/20, 500*time.Microsecond)
}

// opened returns the permits made so far.
func (l *Loop) opened() []*permit {
	l.permits.mu.Lock()
	defer l.permits.mu.Unlock()
	return l.permits.opened
}

// issuedAll reports whether only the permits that are out can send any more.
func (l *Loop) issuedAll() bool {
	l.permits.mu.Lock()
	defer l.permits.mu.Unlock()
	return l.cfg.Schedule == nil || l.permits.closed
}

// await waits until everything is over, and sees to it that it will be. It
// returns the requests that it had to cut off.
func (l *Loop) await(ctx, cut context.Context, served <-chan struct{}) (interrupted bool, unfinished []record.Sample) {
	last := time.NewTimer(l.untilCutOff())
	defer last.Stop()
	cancelled := ctx.Done()
	for {
		select {
		case <-served:
			return interrupted || ctx.Err() != nil, nil
		case <-cancelled:
			cancelled = nil // a closed channel would be ready for ever
			interrupted = true
			l.stop()
			last.Reset(min(l.cfg.Grace, l.untilCutOff()))
		case <-last.C:
			l.stop()
			return interrupted, l.cutOff(served)
		case <-l.stuck:
			// Those that are stuck may keep the rest from being issued.
			end, ok := l.end()
			kept := l.cfg.Schedule == nil && l.tickets.Load() < l.cfg.Requests && !(ok && l.now() >= end)
			l.stop()
			return interrupted || kept, l.cutOff(served)
		case <-cut.Done():
			l.stop()
			return true, l.cutOff(served)
		}
	}
}

// untilCutOff is how long it is until the grace period ends for a run that
// nobody cancels: for ever if only its number of requests bounds it.
func (l *Loop) untilCutOff() time.Duration {
	end, ok := l.end()
	if s := l.cfg.Schedule; s != nil && !s.Endless && (!ok || s.Length() < end) {
		end, ok = s.Length(), true
	}
	if !ok {
		return math.MaxInt64
	}
	return end + l.cfg.Grace - l.now()
}

// stop makes nothing more be issued.
func (l *Loop) stop() {
	if !l.stopped.Swap(true) {
		l.permits.mu.Lock()
		l.permits.relieve(l.now())
		l.permits.mu.Unlock()
		close(l.stopping)
		if l.cfg.Sleeper != nil {
			l.cfg.Sleeper.Wake()
		}
	}
}

// cutOff ends what is in flight and returns it.
func (l *Loop) cutOff(served <-chan struct{}) (unfinished []record.Sample) {
	pass := func(late bool) {
		for _, p := range l.opened() {
			if s, ok := p.cut(late); ok {
				unfinished = append(unfinished, s)
			}
		}
	}
	again := time.NewTicker(cutEvery)
	defer again.Stop()
	giveUp := time.NewTimer(abandonAfter)
	defer giveUp.Stop()
	for {
		pass(false)
		select {
		case <-served:
			return unfinished
		case <-again.C: // for what was only about to begin
		case <-giveUp.C:
			pass(true) // those whose timeout has been called and who do not heed it
			return unfinished
		}
	}
}

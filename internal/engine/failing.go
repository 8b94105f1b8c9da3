package engine

import (
	"time"

	"github.com/loadtestkit/load-tester/internal/load"
	"github.com/loadtestkit/load-tester/internal/verdict"
)

const (
	// failingFor is how long a measurement without a given end goes on while every
	// request fails, warm-up included: with what comes before and after it, the
	// reason is there within a second.
	failingFor = 800 * time.Millisecond
	// failingEvery is how often it looks after that, if it could not tell.
	failingEvery = 100 * time.Millisecond
)

// endIfFailing ends a running loop in which every request fails, and keeps the reason.
func (s *session) endIfFailing(loop *load.Loop, over <-chan struct{}) {
	for at := failingFor; loop.Reaches(at, over); at += failingEvery {
		seen := loop.Peek()
		s.arms[0].addAnswers(seen)
		if seen.Succeeded+seen.Warmup.Succeeded > 0 {
			return
		}
		if s.ended = verdict.AllFailed(seen); s.ended != "" {
			loop.Halt()
			return
		}
	}
}

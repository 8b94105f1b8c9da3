package cli

import (
	"time"

	"github.com/loadtestkit/load-tester/internal/engine"
	"github.com/loadtestkit/load-tester/internal/load"
)

// The windows over which throughput is shown and the time left is estimated.
const (
	rateWindow = time.Second
	leftWindow = 5 * time.Second
)

// A meter turns the progress of a run into views of it.
type meter struct {
	total            int64
	duration, warmup time.Duration
	past             []load.Progress // of the last leftWindow, oldest first
}

func newMeter(o engine.Options) *meter {
	m := &meter{total: o.Requests, duration: o.Duration, warmup: o.Warmup}
	var stages time.Duration
	for _, s := range o.Stages {
		stages += s.For
	}
	// The stages run through the warm-up.
	if stages -= o.Warmup; stages > 0 && (m.duration == 0 || stages < m.duration) {
		m.duration = stages
	}
	return m
}

// view is what to show now. The time goes back only where a run is repeated.
func (m *meter) view(now engine.Progress) view {
	p := now.Progress
	if n := len(m.past); n > 0 && p.Elapsed < m.past[n-1].Elapsed {
		m.past = nil // the repeat has begun
	}
	for len(m.past) > 1 && m.past[1].Elapsed <= p.Elapsed-leftWindow {
		m.past = m.past[1:]
	}
	m.past = append(m.past, p)
	v := view{
		done: p.Succeeded + p.Failed, failed: p.Failed, total: m.total,
		elapsed: max(0, p.Elapsed-m.warmup), duration: m.duration,
		warming: max(0, m.warmup-p.Elapsed),
		rate:    m.rate(rateWindow), left: -1, doing: now.Doing,
	}
	if m.duration > 0 {
		v.left = max(0, m.duration-v.elapsed)
	}
	if r := m.rate(leftWindow); m.total > 0 && r > 0 {
		left := time.Duration(float64(max(0, m.total-v.done)) / r * float64(time.Second))
		if v.left < 0 || left < v.left {
			v.left = left
		}
	}
	return v
}

// rate is how many requests completed a second within the last window.
func (m *meter) rate(window time.Duration) float64 {
	last := m.past[len(m.past)-1]
	var first load.Progress
	for _, p := range m.past {
		if p.Elapsed > last.Elapsed-window {
			break
		}
		first = p
	}
	d := last.Elapsed - max(first.Elapsed, m.warmup)
	if d <= 0 {
		return 0
	}
	return float64(last.Succeeded+last.Failed-first.Succeeded-first.Failed) / d.Seconds()
}

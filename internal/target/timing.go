package target

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// A Timing decides when a target answers. It is a pure function, so that the true
// response times of a run follow from the arrivals alone. With the zero value a
// target answers at once.
type Timing struct {
	Latency   Latency       // how long each request takes
	Seed      uint64        // selects the sequence of latencies
	Freezes   []Freeze      // in any order; they may overlap
	SlowStart time.Duration // how long latencies are raised at first; 0 means never
}

// A Freeze is a period in which a target neither begins requests nor answers, as
// if its process were stopped: connections and requests still arrive, and wait.
type Freeze struct {
	At  time.Duration // its start, from the arrival of the first request
	For time.Duration // its length; 0 means it does nothing
}

// ParseFreeze reads "1s@5s": frozen for 1 s, 5 s after the first request.
func ParseFreeze(s string) (Freeze, error) {
	length, at, ok := strings.Cut(s, "@")
	if !ok {
		return Freeze{}, fmt.Errorf("parsing freeze %q: want FOR@AT, for example 1s@5s", s)
	}
	var f Freeze
	var err error
	if f.For, err = parseDuration(length); err == nil {
		f.At, err = parseDuration(at)
	}
	if err != nil {
		return Freeze{}, fmt.Errorf("parsing freeze %q: %w", s, err)
	}
	return f, nil
}

// String returns the freeze in the form [ParseFreeze] reads.
func (f Freeze) String() string { return f.For.String() + "@" + f.At.String() }

// slowFactor is how much longer the first requests of a slow start take: about
// as in a program with cold caches and a just-in-time compiler.
const slowFactor = 3

// Delay returns how long request n, counted from 0, waits for its answer if it
// arrives at the offset at from the first request. A request that arrives in a
// freeze begins when the freeze ends. It then takes its latency, multiplied in a
// slow start by a factor that falls linearly from 3 to 1. If the answer would be
// sent in a freeze, it is sent when the freeze ends.
func (t Timing) Delay(at time.Duration, n int64) time.Duration {
	at = max(at, 0)
	begun := t.thaw(at)
	takes := t.Latency.At(n, t.Seed)
	if begun < t.SlowStart {
		left := 1 - float64(begun)/float64(t.SlowStart)
		takes += time.Duration(float64(takes) * (slowFactor - 1) * left)
	}
	return t.thaw(begun+takes) - at
}

// thaw returns the first instant not before at that lies in no freeze.
func (t Timing) thaw(at time.Duration) time.Duration {
	for moved := true; moved; {
		moved = false
		for _, f := range t.Freezes {
			if f.At <= at && at < f.At+f.For {
				at, moved = f.At+f.For, true
			}
		}
	}
	return at
}

// Known returns a handler that answers every request with status 200 at the time
// that t gives, unless the client gives up before. [ListenRaw] is more precise at
// high rates.
func Known(t Timing) http.Handler {
	l := newLedger(0)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, at, since := l.arrive(nil)
		if d := t.Delay(since, n); d > 0 && sleepUntil(r.Context(), at.Add(d)) != nil {
			panic(http.ErrAbortHandler)
		}
		_, _ = io.WriteString(w, rawBody)
	})
}

// Demo is the timing of the command's demo: 1 % of the requests take about 20 ms,
// the others about 1 ms. With this seed, that is exactly true of the first 100,
// 200, 500 and 1,000 requests.
func Demo() Timing {
	return Timing{
		Latency: Latency{steps: true, points: []point{{0.99, 1e6}, {1, 20e6}}},
		Seed:    857,
	}
}

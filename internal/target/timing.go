package target

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// A Timing says when a target answers. It is a pure function, so the truth
// about a run follows from the instants of its arrivals alone. The zero value
// answers at once.
type Timing struct {
	Latency   Latency       // what each request takes
	Seed      uint64        // selects the sequence of latencies
	Freezes   []Freeze      // when nothing happens; in any order, they may overlap
	SlowStart time.Duration // how long latencies are raised at first; 0 means not at all
}

// A Freeze is a time in which a target neither takes up requests nor answers,
// like a stopped process or a long garbage collection: connections and
// requests still arrive, and wait.
type Freeze struct {
	At  time.Duration // its start, from the arrival of the first request
	For time.Duration // how long it lasts; 0 means it does nothing
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

// slowFactor is by how much a slow start raises the first latencies; chosen,
// as a program with cold caches and a just-in-time compiler does.
const slowFactor = 3

// Delay returns how long the n-th request waits for its answer if it arrives
// at the offset at from the first request. A request that arrives in a freeze
// is taken up when that ends; it then takes its latency, times 3 at offset 0 of
// a slow start, falling in a straight line to once at the end of it; and if
// the answer would leave in a freeze it leaves when that ends.
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

// thaw returns the first instant from at on that lies in no freeze.
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

// Known returns a handler that answers every request with 200 when t says. It
// answers nothing when the client gives up before that. For a target that is
// precise at high rates see [ListenRaw].
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

// Demo is how the target of the command's demo answers: one request in a
// hundred takes about 20 ms, every other one about 1 ms. The seed is chosen so
// that it is exactly so of the first 100, 200, 500 and 1,000 requests.
func Demo() Timing {
	return Timing{
		Latency: Latency{steps: true, points: []point{{0.99, 1e6}, {1, 20e6}}},
		Seed:    857,
	}
}

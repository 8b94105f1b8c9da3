package target

import (
	"io"
	"net/http"
)

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

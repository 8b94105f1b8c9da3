package report

import (
	"time"

	"github.com/loadtestkit/load-tester/internal/record"
)

// mostSlowest bounds the lists of slow requests and of stalls.
const mostSlowest = 10

// A Stall is a group of slow requests that were all waiting at one instant: one pause
// of the target, of the machine or of the generator makes many requests slow. A slow
// request that shares its time with no other is a group of one.
type Stall struct {
	Count    int64         `json:"count"`        // among the 100 slowest
	FirstDue time.Duration `json:"first_due_ns"` // of its requests
	LastDue  time.Duration `json:"last_due_ns"`
	Slowest  SlowRequest   `json:"slowest"`
}

// stalls groups requests, which are sorted with the slowest first: each group begins
// with the slowest request that is in none, and takes those that share an instant with
// all that it has.
func stalls(f Facts, slow []record.Slow) (all []Stall) {
	grouped := make([]bool, len(slow))
	for i := range slow {
		if grouped[i] || len(all) == mostSlowest {
			continue
		}
		first := &slow[i]
		s := Stall{FirstDue: first.Due, LastDue: first.Due, Slowest: slowRequest(f, first)}
		from, to := first.Due, first.Done
		for j := i; j < len(slow); j++ {
			r := &slow[j]
			if grouped[j] || r.Due >= to || r.Done <= from {
				continue
			}
			grouped[j] = true
			from, to = max(from, r.Due), min(to, r.Done)
			s.Count++
			s.FirstDue, s.LastDue = min(s.FirstDue, r.Due), max(s.LastDue, r.Due)
		}
		all = append(all, s)
	}
	return all
}

func slowRequest(f Facts, s *record.Slow) SlowRequest {
	return SlowRequest{ID: f.ID(s.N), Due: s.Due, ResponseTime: s.ResponseTime(), ServiceTime: s.ServiceTime(), Status: s.Status}
}

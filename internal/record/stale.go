package record

import "time"

// Stale describes the requests that met a kept connection that the server had closed:
// those that were sent again, and those that failed.
type Stale struct {
	Failed int64         `json:"failed"`   // not sent again
	Least  time.Duration `json:"least_ns"` // how long the connections had been idle, of all
	Most   time.Duration `json:"most_ns"`
}

func (s *Stale) add(o Stale) {
	if o.Most == 0 {
		return
	}
	if s.Most == 0 {
		s.Least = o.Least
	}
	s.Failed += o.Failed
	s.Least, s.Most = min(s.Least, o.Least), max(s.Most, o.Most)
}

// addStale counts a request that met a connection that the server had closed.
func (r *Record) addStale(s *Sample) {
	met := Stale{Least: s.Stale, Most: s.Stale}
	if s.SentAgain {
		r.SentAgain++
	} else {
		met.Failed = 1
	}
	r.Stale.add(met)
}

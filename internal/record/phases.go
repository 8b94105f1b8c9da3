package record

import "github.com/loadtestkit/load-tester/internal/hist"

// NewTimes returns an empty histogram of times, of the kind that a record has.
func NewTimes() *hist.Histogram { return hist.New(timeBits) }

// FirstOctets returns the times from sent to the first octet of the response, of all
// succeeded requests; empty if no HTTP is involved. Most responses arrive in one read,
// and their first octet with the last: those cost no recording of their own.
func (r *Record) FirstOctets() *hist.Histogram {
	if r.Octets.Received == 0 {
		return NewTimes()
	}
	h := r.Service.Without(r.Split)
	h.Merge(r.FirstOctet)
	return h
}

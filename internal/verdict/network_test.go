package verdict

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/loadtestkit/load-tester/internal/hist"
	"github.com/loadtestkit/load-tester/internal/record"
)

// times returns a histogram of n times of each length.
func times(n int64, lengths ...time.Duration) *hist.Histogram {
	h := hist.New(10)
	for _, d := range lengths {
		h.RecordN(int64(d), n)
	}
	return h
}

func TestHints(t *testing.T) {
	const ms = time.Millisecond
	slow := []time.Duration{1 * ms, 41 * ms, 42 * ms, 44 * ms, 44 * ms, 46 * ms, 60 * ms}
	ack := times(10, slow...)
	one := times(1, 1010*ms)
	for _, c := range []struct {
		service, connecting *hist.Histogram
		first               time.Duration // octet of each response; 0: with the last
		place               record.Place
		want                string
		why                 string
	}{
		{ack, nil, 1 * ms, record.Loopback, "50 of 70 responses took 40 to 50ms, which", "as of Python's http.server"},
		{ack, nil, 1 * ms, record.Elsewhere, "50 of 70 responses took 40 to 50ms, which", ""},
		{ack, nil, 1 * ms, record.InProcess, "", "no acknowledgements in memory"},
		{ack, nil, 39 * ms, record.Loopback, "", "a server that takes 40 ms for most"},
		{ack, nil, 0, record.Loopback, "", "a response that comes whole waited for nothing"},
		{times(10, slow[1:]...), nil, 1 * ms, record.Loopback, "", "a server that takes 40 ms is never faster"},
		{times(10, 1*ms, 25*ms, 33*ms, 41*ms, 42*ms, 44*ms, 46*ms), nil, 1 * ms, record.Loopback, "", "one that takes 20 to 50 ms"},
		{times(1, 1*ms, 41*ms, 42*ms, 44*ms, 46*ms), nil, 1 * ms, record.Loopback, "", "too few to tell"},
		{times(50, 1*ms, 2*ms, 3*ms, 41*ms), nil, 1 * ms, record.Loopback, "", "a quarter is slow for reasons of its own"},

		{one, times(1, 1*ms, 1010*ms, 3030*ms, 7060*ms), 0, record.Elsewhere, "3 of 4 connections took a little more than 1s, 3s or 7s to open", ""},
		{one, times(1, 1010*ms), 0, record.Loopback, "1 of 1 connections took a little more", ""},
		{times(9, 5*ms), times(1, 1010*ms), 0, record.Loopback, "", "no request waited for it"},
		{one, times(9, 1*ms), 0, record.Loopback, "", "a server that takes 1s"},
		{one, times(1, 990*ms, 2500*ms), 0, record.Loopback, "", "of another length"},
		{times(0), times(0), 0, record.Elsewhere, "", "nothing succeeded"},
	} {
		r := &record.Record{Service: c.service, Connecting: c.connecting, Place: c.place, Split: hist.New(10), FirstOctet: hist.New(10), Octets: record.Octets{Received: 1}}
		if c.connecting == nil {
			r.Connecting = times(0)
		}
		if c.first > 0 {
			r.Split, r.FirstOctet = c.service, times(c.service.Count(), c.first)
		}
		got := hints(r)
		if c.want == "" {
			assert.Empty(t, got, c.why)
		} else if assert.Len(t, got, 1, c.why) {
			assert.Contains(t, got[0].Text, c.want, c.why)
		}
	}
}

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
	ack := times(10, 1*ms, 41*ms, 42*ms, 44*ms, 44*ms, 46*ms, 60*ms)
	syn := func(slow ...time.Duration) *hist.Histogram {
		h := times(100, 1*ms, 2*ms, 300*ms)
		h.Merge(times(1, slow...))
		return h
	}
	for _, c := range []struct {
		service     *hist.Histogram
		connections int64
		place       record.Place
		want        string
		why         string
	}{
		{ack, 10, record.Loopback, "50 of 70 responses took 40 to 50ms, which", "as of Python's http.server"},
		{ack, 10, record.Elsewhere, "50 of 70 responses took 40 to 50ms, which", ""},
		{ack, 10, record.InProcess, "", "no acknowledgements in memory"},
		{times(10, 41*ms, 42*ms, 44*ms, 44*ms, 46*ms, 60*ms), 10, record.Loopback, "", "a server that takes 40 ms is never faster"},
		{times(10, 1*ms, 25*ms, 33*ms, 41*ms, 42*ms, 44*ms, 46*ms), 10, record.Loopback, "", "one that takes 20 to 50 ms"},
		{times(1, 1*ms, 41*ms, 42*ms, 44*ms, 46*ms), 10, record.Loopback, "", "too few to tell"},
		{times(50, 1*ms, 2*ms, 3*ms, 41*ms), 10, record.Loopback, "", "a quarter is slow for reasons of its own"},

		{syn(1010*ms, 3030*ms, 7060*ms), 10, record.Elsewhere, "3 requests took a little more than 1s, 3s or 7s, and", ""},
		{syn(1010 * ms), 10, record.Loopback, "1 request took a little more", ""},
		{syn(1010*ms, 1010*ms), 1, record.Loopback, "", "fewer connections than that"},
		{syn(1010*ms, 800*ms), 10, record.Loopback, "", "slow ones of any length"},
		{syn(1010*ms, 2500*ms), 10, record.Loopback, "", "slow ones of any length"},
		{syn(990 * ms), 10, record.Loopback, "", "less than a timer takes"},
		{times(10, 1*ms, 1010*ms), 100, record.Loopback, "", "half of all: a server that takes 1s"},
		{times(0), 0, record.Elsewhere, "", "nothing succeeded"},
	} {
		got := hints(&record.Record{Service: c.service, Connections: c.connections, Place: c.place})
		if c.want == "" {
			assert.Empty(t, got, c.why)
		} else if assert.Len(t, got, 1, c.why) {
			assert.Contains(t, got[0].Text, c.want, c.why)
		}
	}
}

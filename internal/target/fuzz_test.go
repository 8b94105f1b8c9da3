package target

import (
	"bufio"
	"bytes"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzLatency tests that a distribution is written as it is read, and ascends.
func FuzzLatency(f *testing.F) {
	for _, s := range []string{
		"2ms", "p50=2ms,p99=40ms", "90%:1ms,9%:10ms,1%:100ms", "0s", "24h", "24h1ns", "p0=0s,p100=1ns", "p50=1ms,p50=2ms", "1e2%:1ms",
		"33.3%:1ms,66.7%:2ms", "p1e-300=1ms", "NaN%:1ms", "p0x1p-2=1ms", "50%:1ms,50%:1ms", "1", "-1ms", "p50=2ms,p99", "100%:1ms,1e-10%:2ms",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		l, err := ParseLatency(s)
		if err != nil {
			require.Equal(t, Latency{}, l)
			return
		}
		before := l.Quantile(0)
		require.GreaterOrEqual(t, int64(before), int64(0))
		for _, q := range []float64{1e-9, 0.25, 0.5, 0.9, 0.999, 1} {
			d := l.Quantile(q)
			require.GreaterOrEqual(t, d, before, q)
			require.LessOrEqual(t, d, maxDuration)
			before = d
		}
		for n := range int64(10) {
			require.LessOrEqual(t, l.At(n, 1), before)
		}
		again, err := ParseLatency(l.String())
		require.NoError(t, err, "%q is written as %q", s, l)
		require.Equal(t, l.String(), again.String())
	})
}

// FuzzRawRequest tests the heads of requests, and that each gets one whole answer.
func FuzzRawRequest(f *testing.F) {
	for _, s := range []string{
		"GET / HTTP/1.1\r\nX-Request-Id: a-1", "HEAD / HTTP/1.0\r\nConnection: keep-alive", "POST / HTTP/1.1\r\nContent-Length: 4\r\nExpect: 100-continue",
		"POST / HTTP/1.1\r\nContent-Length: -1", "POST / HTTP/1.1\r\nContent-Length: 9223372036854775808", "POST / HTTP/1.1\r\nTransfer-Encoding: chunked", "\r\n", "GET", "GET / HTTP/1.1\r\n\n",
	} {
		f.Add([]byte(s), uint16(200))
		f.Add([]byte(s), uint16(304))
	}
	f.Fuzz(func(t *testing.T, head []byte, status uint16) {
		head = append(head, "\r\n\r\n"...)
		q := parseRawHead(head)
		require.Equal(t, len(head), q.size)
		if q.refuse == 0 {
			require.GreaterOrEqual(t, q.body, int64(0))
		}
		if status < 200 || status > 599 {
			return
		}
		method := "GET"
		if q.head {
			method = "HEAD"
		}
		answer := bufio.NewReader(bytes.NewReader(appendResponse(nil, int(status), q)))
		resp, err := http.ReadResponse(answer, &http.Request{Method: method})
		require.NoError(t, err)
		body := new(bytes.Buffer)
		_, err = body.ReadFrom(resp.Body)
		require.NoError(t, err)
		require.Equal(t, int(status), resp.StatusCode)
		_, err = answer.ReadByte()
		require.Error(t, err, "nothing follows the answer")
	})
}

package http1

import (
	"bytes"
	"strings"
	"testing"

	"github.com/loadtestkit/load-tester/internal/record"
	"github.com/stretchr/testify/require"
)

// FuzzHead tests status lines and header sections.
func FuzzHead(f *testing.F) {
	for _, c := range oracleCases {
		head, _, _ := strings.Cut(c.in, "\r\n\r\n")
		f.Add(strings.TrimPrefix(head, "HTTP/1.1 "), uint16(len(head)/2), c.head)
	}
	f.Fuzz(func(t *testing.T, in string, cut uint16, head bool) {
		parserFuzz(t, "HTTP/1.1 "+in+"\r\n\r\nhello", []byte{byte(cut), byte(cut >> 8)}, head)
	})
}

// FuzzChunked tests chunked bodies and their trailers.
func FuzzChunked(f *testing.F) {
	for _, c := range oracleCases {
		if body, is := strings.CutPrefix(c.in, ch11); is {
			f.Add(body, uint16(len(body)/2))
		}
	}
	f.Fuzz(func(t *testing.T, in string, cut uint16) {
		parserFuzz(t, ch11+in, []byte{byte(len(ch11)), byte(cut), byte(cut >> 8)}, false)
	})
}

// FuzzExchange tests anything a server may send, in pieces of any size.
func FuzzExchange(f *testing.F) {
	for _, c := range oracleCases {
		f.Add(c.in, []byte{1, 17, 3, 0, 40}, c.head)
	}
	f.Fuzz(func(t *testing.T, in string, pieces []byte, head bool) {
		parserFuzz(t, in, pieces, head)
	})
}

// parserFuzz feeds in at once, in pieces of the given sizes and octet by octet,
// and then only the part that p consumed. All must have the same result, which is
// that of net/http where both accept the response.
func parserFuzz(t *testing.T, in string, pieces []byte, head bool) {
	var p Parser
	whole := parserRun(t, &p, head, in)
	require.GreaterOrEqual(t, whole.surplus, 0)
	require.LessOrEqual(t, whole.body, int64(len(in)))

	var cuts, each []int
	at := 0
	for _, size := range pieces {
		if at += int(size); at < len(in) {
			cuts = append(cuts, at)
		}
	}
	for i := range in {
		each = append(each, i)
	}
	require.Equal(t, whole, parserRun(t, &p, head, in, cuts...), "in pieces")
	require.Equal(t, whole, parserRun(t, &p, head, in, each...), "octet by octet")

	if whole.kind != record.NoError {
		return
	}
	alone := parserRun(t, &p, head, in[:whole.n])
	alone.surplus = whole.surplus
	require.Equal(t, whole, alone, "nothing after the end was looked at")

	// In HTTP/1.0, net/http ignores Transfer-Encoding.
	if bytes.Contains(bytes.ToLower([]byte(in)), []byte("transfer-encoding")) && strings.Contains(in, "HTTP/1.0") {
		return
	}
	want := oracleRun(head, in)
	if want.err != nil {
		return
	}
	require.Equal(t, want.status, whole.status)
	require.Equal(t, want.body, whole.body)
	require.Equal(t, want.surplus, whole.surplus)
	require.False(t, want.close && whole.reuse, "net/http would close the connection")
}

package http1

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/loadtestkit/load-tester/internal/record"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// parserEnd is how a response ended.
type parserEnd struct {
	kind    record.Kind
	n       int // octets that belong to it
	status  int
	body    int64
	reuse   bool
	surplus int
	text    string // of the error
}

// String writes e as oracleCase.want does.
func (e parserEnd) String() string {
	switch e.kind {
	case record.NoError:
		s := fmt.Sprintf("%d %d close", e.status, e.body)
		if e.reuse {
			s = fmt.Sprintf("%d %d reuse", e.status, e.body)
		}
		if e.surplus > 0 {
			s += fmt.Sprintf(" +%d", e.surplus)
		}
		return s
	case record.Malformed:
		return fmt.Sprintf("malformed %d", e.n)
	}
	return e.kind.String()
}

// parserRun feeds p the pieces of in that end at cuts, then the rest, then the end
// of the connection.
func parserRun(t require.TestingT, p *Parser, head bool, in string, cuts ...int) parserEnd {
	p.Reset(head)
	var e parserEnd
	buf := []byte(in)
	from := 0
	for i := 0; i <= len(cuts); i++ {
		to := len(in)
		if i < len(cuts) {
			to = cuts[i]
		}
		n, done, err := p.Feed(buf[from:to:to])
		e.n += n
		if done || err != nil {
			return parserFinish(t, p, e, len(in), err)
		}
		require.Equal(t, to-from, n, "all is consumed while there is more to come")
		from = to
	}
	return parserFinish(t, p, e, len(in), p.EOF())
}

func parserFinish(t require.TestingT, p *Parser, e parserEnd, size int, err error) parserEnd {
	e.status, e.body, e.reuse, e.surplus = p.Status(), p.Body(), p.Reusable(), size-e.n
	if err != nil {
		var failure *record.Error
		require.ErrorAs(t, err, &failure)
		e.kind, e.text = failure.Kind, err.Error()
		require.False(t, e.reuse, "a failed response is never the basis of another exchange")
	}
	return e
}

// oracleEnd returns the result of net/http. Its errors have no kind, because it
// calls many truncated responses malformed.
type oracleEnd struct {
	err     error
	status  int
	body    int64
	surplus int
	close   bool
}

func oracleRun(head bool, in string) oracleEnd {
	req := &http.Request{Method: "GET"}
	if head {
		req.Method = "HEAD"
	}
	src := strings.NewReader(in)
	r := bufio.NewReader(src)
	for {
		resp, err := http.ReadResponse(r, req)
		if err != nil {
			return oracleEnd{err: err}
		}
		if isInterim(resp.StatusCode) {
			continue
		}
		n, err := io.Copy(io.Discard, resp.Body)
		return oracleEnd{err, resp.StatusCode, n, src.Len() + r.Buffered(), resp.Close}
	}
}

// oracleAgree fails t where net/http differs from e.
func oracleAgree(t require.TestingT, want oracleEnd, got parserEnd, msg string, args ...any) {
	if want.err != nil {
		require.NotEqual(t, record.NoError, got.kind, fmt.Sprintf(msg, args...)+": net/http has "+want.err.Error())
		return
	}
	same := parserEnd{n: got.n, status: want.status, body: want.body, reuse: !want.close, surplus: want.surplus}
	require.Equal(t, same, got, fmt.Sprintf(msg, args...))
}

func TestCorpus(t *testing.T) {
	require.Greater(t, len(oracleCases), 150)
	names := map[string]bool{}
	for _, c := range oracleCases {
		assert.False(t, names[c.name], "case %q is there twice", c.name)
		names[c.name] = true
		t.Run(c.name, func(t *testing.T) {
			var p Parser
			whole := parserRun(t, &p, c.head, c.in)
			require.Equal(t, c.want, whole.String(), whole.text)

			t.Run("splits", func(t *testing.T) { parserSplits(t, c, whole) })
			t.Run("prefixes", func(t *testing.T) { parserPrefixes(t, c, whole) })
			t.Run("oracle", func(t *testing.T) {
				want := oracleRun(c.head, c.in)
				if c.why == "" {
					oracleAgree(t, want, whole, "whole")
					return
				}
				fake := &parserFakeT{}
				oracleAgree(fake, want, whole, "whole")
				assert.True(t, fake.failed, "net/http agrees now; drop the reason")
			})
		})
	}
}

// parserSplits checks that the result, including the text of an error, does not
// depend on how the response is cut into pieces.
func parserSplits(t *testing.T, c oracleCase, whole parserEnd) {
	const shortEnough = 70 // octets; the pairs of longer ones teach little and take long
	var p Parser
	each := make([]int, len(c.in))
	for i := range each {
		each[i] = i
	}
	require.Equal(t, whole, parserRun(t, &p, c.head, c.in, each...), "one octet at a time")
	for i := range each {
		if got := parserRun(t, &p, c.head, c.in, i); got != whole {
			require.Equal(t, whole, got, "split at %d", i)
		}
		if len(c.in) > shortEnough || testing.Short() {
			continue
		}
		for j := i; j < len(each); j++ {
			if got := parserRun(t, &p, c.head, c.in, i, j); got != whole {
				require.Equal(t, whole, got, "split at %d and %d", i, j)
			}
		}
	}
}

// parserPrefixes checks every prefix of the response: it is truncated, or has the
// same fault as the whole, and net/http agrees.
func parserPrefixes(t *testing.T, c oracleCase, whole parserEnd) {
	untilClose := whole.kind == record.NoError && strings.HasPrefix(c.name, "until close") || strings.Contains(c.why, "until close")
	var p Parser
	wasEnded := false
	for cut := range c.in {
		got := parserRun(t, &p, c.head, c.in[:cut])
		switch {
		case cut == 0:
			require.Equal(t, record.Closed, got.kind)
		case got.kind == record.Truncated:
			require.False(t, wasEnded, "cut at %d: a longer prefix cannot be less complete", cut)
			require.False(t, whole.kind == record.NoError && cut >= whole.n && !untilClose, "cut at %d: all of it was there", cut)
			require.False(t, whole.kind == record.Malformed && cut > whole.n, "cut at %d: the wrong octet was there", cut)
		case untilClose:
			wasEnded = true
			require.Equal(t, whole.status, got.status)
			require.Equal(t, whole.body-int64(len(c.in)-cut), got.body, "cut at %d", cut)
		default:
			wasEnded = true
			require.Equal(t, whole.kind, got.kind, "cut at %d: %s", cut, got.text)
			require.Equal(t, whole.n, got.n, "cut at %d", cut)
			require.Equal(t, whole.text, got.text, "cut at %d", cut)
			require.Equal(t, whole.body, got.body, "cut at %d", cut)
		}
		if c.why == "" {
			oracleAgree(t, oracleRun(c.head, c.in[:cut]), got, "cut at %d", cut)
		}
	}
}

// parserFakeT records a failure instead of failing a test.
type parserFakeT struct{ failed bool }

func (f *parserFakeT) Errorf(string, ...any) { f.failed = true }
func (f *parserFakeT) FailNow()              { f.failed = true }

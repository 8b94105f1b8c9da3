package wire

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"sync"
	"sync/atomic"

	"github.com/loadtestkit/load-tester/internal/http1"
	"github.com/loadtestkit/load-tester/internal/record"
	"github.com/loadtestkit/load-tester/internal/unit"
)

// A response is what [http1.Parser] and [http1.Conn] know of a complete response.
type response interface {
	Status() int
	HasBody() bool
	Message() http1.Message
}

// An answer is the result of one exchange.
type answer struct {
	record.Result
	to *http1.Request
	of response // valid until the next exchange on its connection; nil without a complete response
}

var errStatusZero = errors.New("reading status line: status code 000")

// setResponse makes r the result of a complete response to q.
func setResponse(r *record.Result, q *http1.Request, of response) {
	r.Status = of.Status()
	switch {
	case r.Status == 0: // which would be taken for that of a Go function
		r.Kind, r.Err = record.Malformed, errStatusZero
	case !q.Expects(r.Status):
		r.Unexpected = true
	case !of.HasBody():
		setBreach(r, fmt.Errorf("status %s, but %s, want %q in it", unit.Status(r.Status), shownBody(q, of.Message()), q.Text()))
	}
}

// setBreach makes r the result of a response that failed a check.
func setBreach(r *record.Result, err error) { r.Status, r.Kind, r.Err = 0, record.Check, err }

// shownOctets is how many octets of a body the message about a failed check shows.
const shownOctets = 100

// shownBody describes the body of m.
func shownBody(q *http1.Request, m http1.Message) string {
	if bytes.HasPrefix(m.Body, []byte("\x1f\x8b")) {
		return "the body is compressed with gzip"
	}
	shown := q.Show(m.Body)
	if len(shown) == 0 {
		return "an empty body"
	}
	text := unit.Line(string(shown[:min(len(shown), shownOctets)]))
	if len(shown) > shownOctets || m.Truncated {
		text += "..."
	}
	return `the body is "` + text + `"`
}

// check calls Check with the response that r is the result of.
func (p *Pool) check(r *record.Result, m http1.Message) {
	began := p.Dialer.Clock.Now()
	if err := p.callCheck(&m); err != nil {
		setBreach(r, errors.New(p.Request.Mask(err.Error())))
	}
	r.Checked = p.Dialer.Clock.Since(began)
}

// callCheck calls Check and returns a panic as an error. The methods of an error
// are code under test too, and are not called later.
func (p *Pool) callCheck(m *http1.Message) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v", v)
		}
	}()
	if err = p.Check(m); err != nil {
		return errors.New(err.Error())
	}
	return nil
}

// mostLooked is how many redirects of one status are looked at to see whether all lead
// to the same place.
const mostLooked = 1000

// rejections are the first responses of each status that was not expected.
type rejections struct {
	looked [1000]atomic.Int64 // responses, by status: spares all others the lock

	mu   sync.Mutex
	kept map[int]record.Answer
}

// keep keeps the response to request n, which was sent as q, unless there was one
// of its status before.
func (j *rejections) keep(q *http1.Request, n int64, of response) {
	status := of.Status()
	looked := &j.looked[status]
	if had := looked.Load(); had > 0 && (had >= mostLooked || !http1.IsRedirect(status)) {
		return
	}
	looked.Add(1)
	m := of.Message()
	a := record.Answer{N: n, Body: q.Show(m.Body)}
	if to := m.Header.Get("Location"); to != "" {
		a.Location, a.Slashed = http1.Redacted(string(q.Show([]byte(to)))), q.SlashAdded(to)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.kept == nil {
		j.kept = map[int]record.Answer{}
	}
	first, ok := j.kept[status]
	if !ok {
		first = a
	}
	if first.Location != a.Location {
		first.Others = true
		looked.Store(mostLooked)
	}
	j.kept[status] = first
}

// Answers returns the first response of each status that was not expected.
func (p *Pool) Answers() map[int]record.Answer {
	p.rejected.mu.Lock()
	defer p.rejected.mu.Unlock()
	return maps.Clone(p.rejected.kept)
}

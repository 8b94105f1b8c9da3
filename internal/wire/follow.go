package wire

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"strings"

	"github.com/loadtestkit/load-tester/internal/http1"
	"github.com/loadtestkit/load-tester/internal/record"
)

// maxRedirects is how many redirects are followed for one request.
const maxRedirects = 10

// follow follows the redirects that begin with a, the answer to request n. Each
// hop is a request of its own; the result is that of the last one, with the octets
// of all.
func (s *connSender) follow(n int64, a answer) answer {
	visited := map[string]bool{}
	for hops := 1; a.Unexpected && http1.IsRedirect(a.Status); hops++ {
		visited[a.to.Method()+a.to.URL()] = true
		location := a.of.Message().Header.Get("Location")
		next, hop, err := s.next(a.to, a.Status, location)
		if err == nil && hops > maxRedirects {
			err = fmt.Errorf("more than %d redirects", maxRedirects)
			if visited[next.Method()+next.URL()] {
				err = fmt.Errorf("a redirect loop, left after %d redirects", maxRedirects)
			}
		}
		if err != nil {
			a.endAt(location, s.shown(a.to), err)
			return a
		}
		before := a.Result
		a = s.through(hop, next, n)
		a.Octets.Add(before.Octets)
		a.SentAgain, a.Stale = a.SentAgain || before.SentAgain, max(a.Stale, before.Stale)
		a.Redirects = hops
		if a.Err != nil {
			a.Err = fmt.Errorf("redirected to %s: %w", s.shown(next), a.Err)
		}
	}
	return a
}

// shown is the URL of a request, without secrets; of one to a handler under test the path, as it has no
// address of its own.
func (s *connSender) shown(q *http1.Request) string {
	url := s.Request.Mask(q.URL())
	if s.Alone {
		return strings.TrimPrefix(url, s.Request.Origin())
	}
	return url
}

// endAt makes the answer, a redirect, a failure because it could not be followed from
// a URL.
func (a *answer) endAt(location, from string, err error) {
	where := ""
	if location != "" {
		where = " to " + http1.Redacted(string(a.to.Show([]byte(location))))
	}
	a.Kind, a.Err = record.Redirect, fmt.Errorf("following %d%s from %s: %s", a.Status, where, from, a.to.Mask(err.Error()))
	a.Status, a.Unexpected = 0, false
}

// next returns the request that follows a redirect and the sender for its origin.
func (s *connSender) next(q *http1.Request, status int, location string) (*http1.Request, *connSender, error) {
	next, err := q.Redirected(status, location)
	if err != nil {
		return nil, nil, err
	}
	origin := next.Origin()
	hop := s.hops[origin]
	switch {
	case origin == s.Request.Origin():
		return next, s, nil
	case hop != nil:
		return next, hop, nil
	case s.Alone:
		return nil, nil, errors.New("another host than that of the handler under test, which is not followed")
	}
	if s.hops == nil {
		s.hops = map[string]*connSender{}
	}
	hop = &connSender{Pool: s.other(next)}
	s.hops[origin] = hop
	return next, hop, nil
}

// through sends request n as q says over the connection of a hop.
func (s *connSender) through(hop *connSender, q *http1.Request, n int64) answer {
	if hop == s {
		return s.exchange(q, n, 0)
	}
	set := func(to *connSender) {
		s.mu.Lock()
		s.hop = to
		s.mu.Unlock()
	}
	set(hop)
	defer set(nil)
	return hop.exchange(q, n, checkAfter+1) // it was last used for an earlier request
}

// other returns the pool of another origin that a redirect leads to. A certificate
// of the client is a credential and is not shown there.
func (p *Pool) other(q *http1.Request) *Pool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if o := p.others[q.Origin()]; o != nil {
		return o
	}
	o := New(Options{Request: q, Dialer: http1.Dialer{Clock: p.Dialer.Clock}, Timeout: p.Timeout})
	o.late = true
	if q.TLS() {
		config := &tls.Config{}
		if p.TLS != nil {
			config = p.TLS.Clone()
		}
		config.ServerName, config.Certificates, config.GetClientCertificate = q.Host(), nil, nil
		o.Dialer.TLS = config
	}
	if p.others == nil {
		p.others = map[string]*Pool{}
	}
	p.others[q.Origin()] = o
	return o
}

// ready opens a pool for redirects when it is first needed.
func (p *Pool) ready(ctx context.Context) error {
	if !p.late {
		return nil
	}
	p.lateMu.Lock()
	defer p.lateMu.Unlock()
	if p.isOpen {
		return nil
	}
	err := p.Open(ctx)
	p.isOpen = err == nil
	var known *record.Error
	if errors.As(err, &known) {
		return &record.Error{Kind: known.Kind, Err: err}
	}
	return err
}

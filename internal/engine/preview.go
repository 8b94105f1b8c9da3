package engine

import (
	"fmt"
	"math"
	"net/url"
	"time"

	"github.com/loadtestkit/load-tester/internal/http1"
	"github.com/loadtestkit/load-tester/internal/report"
	"github.com/loadtestkit/load-tester/internal/unit"
	"github.com/loadtestkit/load-tester/internal/verdict"
)

// name returns what documents call the target, and the method and the path of its
// requests, which a Go function has not. The address at which a handler is served is
// of no use to a reader: it is gone after the run, or there was none.
func (p *armPlan) name() (name, method, path string) {
	switch {
	case p.target.Func != nil:
		return "Go function", "", ""
	case p.request != nil:
		return p.request.URL(), p.request.Method(), requestURI(p.request.URL())
	}
	r := p.newRequest(http1.WithPath(anyServer, p.target.Path))
	method, path = r.Method(), requestURI(r.URL())
	if p.target.Command != nil {
		return p.target.CommandName + ": " + method + " " + path, method, path
	}
	where := "on loopback"
	switch {
	case p.target.TLS:
		where = "over TLS on loopback"
	case p.inMemory():
		where = "in memory"
	}
	return "handler, " + where + ": " + method + " " + path, method, path
}

// requestURI returns the path and query of a URL; "" if it is one that only servers
// understand.
func requestURI(s string) string {
	u, err := url.Parse(s)
	if err != nil {
		return ""
	}
	return u.RequestURI()
}

// asciiHost returns the host of a URL as it is sent, if it has other letters; else "".
func (p *armPlan) asciiHost() string {
	if p.request == nil {
		return ""
	}
	return p.request.ASCIIHost()
}

// tooFew returns a warning for each limit that the number of requests cannot decide.
func (p *armPlan) tooFew() (all []verdict.Warning) {
	most, where := p.most()
	if most == 0 || p.Waive != "" {
		return nil
	}
	for _, l := range p.limits {
		if text := l.TooFew(most); text != "" {
			all = append(all, verdict.Warning{Code: "few_requests", Text: fmt.Sprintf("%s, %s %s", text, where, unit.Count(most))})
		}
	}
	return all
}

// most returns how many requests p makes at most, after the warm-up, and what says so;
// 0 if that is not known before.
func (p *armPlan) most() (n int64, where string) {
	n, where = p.requests, p.Words.Requests()+" is"
	s := p.schedule
	if s == nil || s.Poisson || s.Endless && p.duration == 0 {
		return n, where
	}
	end := p.Warmup + p.duration
	if length := s.Length(); !s.Endless && (p.duration == 0 || length < end) {
		end = length
	}
	c := s.Cursor()
	c.Skip(p.Warmup, math.MaxInt64)
	if due := c.Skip(end, math.MaxInt64); n == 0 || due < n {
		return due, "the schedule has"
	}
	return n, where
}

// preview returns a document of what is asked for, without results.
func (p *armPlan) preview(kind report.Procedure) *report.Document {
	d := &report.Document{Kind: kind, StartedAt: time.Now(), Config: p.config()}
	d.ASCIIHost = p.asciiHost()
	d.Target = d.Config.Target
	for _, l := range p.limits {
		d.Limits = append(d.Limits, report.LimitResult{Limit: l.String()})
	}
	unit.PrintableAll(d)
	return d
}

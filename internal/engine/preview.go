package engine

import (
	"net/url"
	"time"

	"github.com/loadtestkit/load-tester/internal/http1"
	"github.com/loadtestkit/load-tester/internal/report"
	"github.com/loadtestkit/load-tester/internal/unit"
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

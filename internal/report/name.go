package report

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/loadtestkit/load-tester/internal/unit"
)

// Name returns a name for the request and the load, such as GET/api/items/rate=1000.
// It is the same on every host. Benchmarks and baselines use it.
func (d *Document) Name() string {
	c := &d.Config
	what := c.Target
	if u, err := url.Parse(c.Target); err == nil && u.Host != "" {
		what = c.Method + strings.TrimSuffix(u.RequestURI(), "/")
	}
	load := fmt.Sprintf("c=%d", c.Concurrency)
	switch {
	case len(c.Stages) > 0:
		load = fmt.Sprintf("stages=%d", len(c.Stages))
	case c.Workload == "open":
		load = "rate=" + unit.Rounded(c.RatePerSecond, 3)
	}
	if c.Arrivals == "poisson" {
		load += "/poisson"
	}
	return strings.ReplaceAll(unit.Line(what), " ", "_") + "/" + load
}

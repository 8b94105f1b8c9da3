package report

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/loadtestkit/load-tester/internal/unit"
)

// Name says what was sent and how, such as GET/api/items/rate=1000: the same for
// the same load on another host. Benchmarks and baselines go by it.
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

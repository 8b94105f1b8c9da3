package report

import (
	"fmt"
	"runtime/debug"
	"strings"
	"sync"

	"github.com/loadtestkit/load-tester/internal/unit"
)

// Name returns a name for the request and the load, such as GET/api/items/rate=1000.
// It is the same on every host. Benchmarks and baselines use it.
func (d *Document) Name() string {
	c := &d.Config
	what := c.Target
	if c.Path != "" {
		what = c.Method + strings.TrimSuffix(c.Path, "/")
	}
	load := fmt.Sprintf("c=%d", c.Concurrency)
	switch {
	case len(c.Stages) > 0:
		load = fmt.Sprintf("stages=%d", len(c.Stages))
	case c.Workload == "open":
		load = "rate=" + unit.ArrivalRate(c.RatePerSecond)
	}
	if c.Arrivals == "poisson" {
		load += "/poisson"
	}
	return strings.ReplaceAll(unit.Line(what), " ", "_") + "/" + load
}

const modulePath = "github.com/loadtestkit/load-tester"

// Version is the version of this module in the running program, "devel" where
// the build does not say.
var Version = sync.OnceValue(func() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range append(info.Deps, &info.Main) {
			if m.Path == modulePath && m.Version != "" && m.Version != "(devel)" {
				return m.Version
			}
		}
	}
	return "devel"
})

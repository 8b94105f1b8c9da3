package export

import (
	"bytes"
	"fmt"
	"io"
	"net/url"
	"strings"

	"github.com/loadtestkit/load-tester/internal/report"
	"github.com/loadtestkit/load-tester/internal/unit"
)

// Bench writes d in the Go benchmark format
// (https://go.dev/design/14313-benchmark-format), so that benchstat compares
// runs: one line, named after the request and the load but not the host, under
// the lines about the machine that go test -bench prints. Where nothing
// succeeded there is no line. Its values are of the succeeded requests:
//
//	ns/op      elapsed time by requests, as of a benchmark that runs in parallel: not the time of one
//	p50-ns     response times; a quantile of too few is left out
//	p99-ns
//	req/s      succeeded responses per second
//	failed/op  part of the requests due that did not succeed; left out where it is 0
func Bench(w io.Writer, d *report.Document) error {
	var b bytes.Buffer
	g := &d.Generator
	for _, h := range []struct{ key, value string }{{"goos", g.GOOS}, {"goarch", g.GOARCH}, {"cpu", g.CPU}} {
		if h.value != "" {
			fmt.Fprintf(&b, "%s: %s\n", h.key, unit.Line(h.value))
		}
	}
	if n := d.Requests.Succeeded; n > 0 {
		fmt.Fprintf(&b, "%s\t%8d", benchName(d), n)
		fmt.Fprintf(&b, "\t%d ns/op", d.Elapsed.Nanoseconds()/n)
		if p50 := d.ResponseTime.P50; p50 != nil {
			fmt.Fprintf(&b, "\t%d p50-ns", p50.Nanoseconds())
		}
		if p99 := d.ResponseTime.P99; p99 != nil {
			fmt.Fprintf(&b, "\t%d p99-ns", p99.Nanoseconds())
		}
		fmt.Fprintf(&b, "\t%.2f req/s", d.Rate.Goodput)
		if missed := d.Requests.Due - n; missed > 0 {
			fmt.Fprintf(&b, "\t%.4g failed/op", float64(missed)/float64(d.Requests.Due))
		}
		b.WriteByte('\n')
	}
	_, err := w.Write(b.Bytes())
	return err
}

// benchName is such as BenchmarkLoad/GET/api/items/rate=1000-2: the same for the
// same load on another host.
func benchName(d *report.Document) string {
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
	name := "BenchmarkLoad/" + strings.ReplaceAll(unit.Line(what), " ", "_") + "/" + load
	if n := d.Generator.GOMAXPROCS; n != 1 { // as package testing does
		name += fmt.Sprintf("-%d", n)
	}
	return name
}

package report

import (
	"bytes"
	"fmt"
	"io"
	"net/url"
	"strings"

	"github.com/loadtestkit/load-tester/internal/unit"
)

// WriteBench writes r in the Go benchmark format
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
func WriteBench(w io.Writer, r *Report) error {
	var b bytes.Buffer
	g := &r.Generator
	for _, h := range []struct{ key, value string }{{"goos", g.GOOS}, {"goarch", g.GOARCH}, {"cpu", g.CPU}} {
		if h.value != "" {
			fmt.Fprintf(&b, "%s: %s\n", h.key, unit.Line(h.value))
		}
	}
	if n := r.Requests.Succeeded; n > 0 {
		fmt.Fprintf(&b, "%s\t%8d", benchName(r), n)
		fmt.Fprintf(&b, "\t%d ns/op", r.Elapsed.Nanoseconds()/n)
		if d := r.ResponseTime.P50; d != nil {
			fmt.Fprintf(&b, "\t%d p50-ns", d.Nanoseconds())
		}
		if d := r.ResponseTime.P99; d != nil {
			fmt.Fprintf(&b, "\t%d p99-ns", d.Nanoseconds())
		}
		fmt.Fprintf(&b, "\t%.2f req/s", r.Rate.Goodput)
		if missed := r.Requests.Due - n; missed > 0 {
			fmt.Fprintf(&b, "\t%.4g failed/op", float64(missed)/float64(r.Requests.Due))
		}
		b.WriteByte('\n')
	}
	_, err := w.Write(b.Bytes())
	return err
}

// benchName is such as BenchmarkLoad/GET/api/items/rate=1000-2: the same for the
// same load on another host.
func benchName(r *Report) string {
	c := &r.Config
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
	if n := r.Generator.GOMAXPROCS; n != 1 { // as package testing has it
		name += fmt.Sprintf("-%d", n)
	}
	return name
}

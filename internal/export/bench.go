package export

import (
	"bytes"
	"fmt"
	"io"

	"github.com/loadtestkit/load-tester/internal/report"
	"github.com/loadtestkit/load-tester/internal/unit"
)

// Bench writes d in the Go benchmark format
// (https://go.dev/design/14313-benchmark-format), so that benchstat can compare
// runs: the lines about the machine that go test -bench prints, then one line for
// the run, named after the request and the load but not the host. If no request
// succeeded, that line is left out. Its values describe the succeeded requests:
//
//	ns/op      elapsed time divided by requests, as for a benchmark that runs in parallel: not the time of one request
//	p50-ns     response times; a quantile is left out if there are too few requests
//	p99-ns
//	req/s      succeeded responses per second
//	failed/op  share of the requests due that did not succeed; left out if 0
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
		fmt.Fprintf(&b, "\t%s", unit.PerSecond(d.Rate.Goodput))
		if missed := d.Requests.Due - n; missed > 0 {
			fmt.Fprintf(&b, "\t%.4g failed/op", float64(missed)/float64(d.Requests.Due))
		}
		b.WriteByte('\n')
	}
	_, err := w.Write(b.Bytes())
	return err
}

// benchName returns the benchmark's name, such as
// BenchmarkLoad/GET/api/items/rate=1000-2.
func benchName(d *report.Document) string {
	name := "BenchmarkLoad/" + d.Name()
	if n := d.Generator.GOMAXPROCS; n != 1 { // as package testing does
		name += fmt.Sprintf("-%d", n)
	}
	return name
}

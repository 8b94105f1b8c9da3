package cli

import (
	"crypto/tls"
	"slices"

	"github.com/loadtestkit/load-tester/internal/engine"
	"github.com/loadtestkit/load-tester/internal/report"
	"github.com/loadtestkit/load-tester/internal/verdict"
)

// The flags that several commands have.

// addURL adds the flag of a target to a new group.
func (j *job) addURL() {
	j.group("Target", []flag{
		{"url,u", "URL", "", "target; may stand without --url", each(&j.urls, nonEmpty), "URL"},
	})
}

// url returns the only URL that was given, with the flag or without.
func (j *job) url(args []string) string {
	return j.one("url", slices.Concat(j.urls, args), "the target: load-tester http://localhost:8080/ (see load-tester --help)")
}

// addRequest adds the flags that say what to send.
func (j *job) addRequest(r *engine.RequestOptions) {
	j.request = r
	insecure := func(on bool) {
		if r.TLSConfig = nil; on {
			r.TLSConfig = &tls.Config{InsecureSkipVerify: true}
		}
	}
	j.add([]flag{
		{"method,m", "METHOD", "GET", "method of each request", into(&r.Method, nonEmpty), "Method"},
		{"header,H", "FIELD", "", "header field 'Name: value', in place of ours of that name (repeatable)", each(&r.Header, parseHeader), "Header"},
		{"body", "BODY", "", "body of each request: text, @FILE, or - for standard input", each(&j.bodies, anyText), "Body"},
		{"insecure,k", "", "", "do not verify the server's certificate", call(insecure, parseSwitch), "TLSConfig"},
		{"no-keepalive", "", "", "a new connection for each request", on(&r.NoKeepAlive), "NoKeepAlive"},
		{"no-retry", "", "", "send nothing again that met a connection the server was closing", on(&r.NoRetry), "NoRetry"},
		{"traceparent", "", "", "send a W3C traceparent too, made from the request id", on(&r.Traceparent), "Traceparent"},
	})
}

// addPermits adds the flags about what is in flight.
func (j *job) addPermits(o *engine.Settings, concurrency string) {
	j.add([]flag{
		{"concurrency,c", "N", concurrency, "most requests in flight", into(&o.Concurrency, parseConcurrency), "Concurrency"},
		{"timeout,t", "TIME", "10s", "longest time for one request, connecting included", into(&o.Timeout, parseTime), "Timeout"},
	})
}

// addArrivals adds the flags that say how arrivals are spaced.
func (j *job) addArrivals(l *engine.Load) {
	kinds := []string{"constant", "poisson"}
	kind := func(kind string) { l.Poisson = kind == "poisson" }
	j.add([]flag{
		{"arrivals", "KIND", kinds[0], "constant, or poisson for random ones", call(kind, oneOf(kinds...)), "Poisson"},
		{"seed", "N", "random, and reported", "what poisson arrivals are made from", into(&l.Seed, parseSeed), "Seed"},
	})
	j.complete("arrivals", kinds...)
}

// addTolerances adds the flag that says by how much something may be slower.
func (j *job) addTolerances(what string, to *[]verdict.Tolerance) {
	j.add([]flag{
		{"tolerance", "TOLERANCE", "p50=5% and p99=10%", "by how much " + what + " may be slower (repeatable): 'p50=5%' 'p99.9=20%',\nany percentile, or as a ratio 'p50=1.05'\n", each(to, verdict.ParseTolerance), "Tolerances"},
	})
	j.complete("tolerance", "p50=5%", "p99=10%", "p99.9=20%")
}

// checkTolerances adds a fault for each quantile that is given twice.
func (j *job) checkTolerances(all []verdict.Tolerance) {
	for i, t := range all {
		if slices.ContainsFunc(all[:i], func(u verdict.Tolerance) bool { return u.Q == t.Q }) {
			j.faults.add("--tolerance: %s is given twice, want it once", t.Name())
		}
	}
}

// addOutput adds the flags about the result of a kind and about what else is
// written.
func (j *job) addOutput(kind report.Procedure) {
	names, help := formatsOf(kind)
	j.group("Output", []flag{
		{"format,f", "FORMAT", names[0], help, into(&j.format, oneOf(names...)), ""},
		{"output,o", "FILE", "standard output", "where the report goes", into(&j.output, nonEmpty), ""},
	})
	j.complete("format", names...)
	if kind == report.Run {
		j.add([]flag{
			{"hdr-log", "FILE", "", "also write an HdrHistogram log, one line per interval", into(&j.hdrLog, nonEmpty), ""},
		})
	}
	j.add([]flag{
		{"verbose,v", "", "", "report more, and log each failed request to standard error", on(&j.verbose), ""},
		{"quiet,q", "", "", "nothing on standard error but errors", on(&j.quiet), ""},
		{"no-progress", "", "", "no progress on standard error", on(&j.noProgress), ""},
		{"no-color", "", "", "no colours; NO_COLOR=1 does the same", on(&j.noColor), ""},
	})
}

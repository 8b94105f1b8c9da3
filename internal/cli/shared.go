package cli

import (
	"slices"

	"github.com/loadtestkit/load-tester/internal/engine"
	"github.com/loadtestkit/load-tester/internal/report"
	"github.com/loadtestkit/load-tester/internal/verdict"
)

// The flags that several commands have.

// addRequest adds a group of the flags that say what to send.
func (j *job) addRequest(r *engine.RequestOptions) {
	j.request = r
	j.bodies = newBodyFlags()
	body, data, json := j.bodies[0], j.bodies[1], j.bodies[2]
	j.group("Request", []flag{
		{"method,m", "METHOD", "GET, or POST with a body", "method of each request", into(&r.Method, parseMethod), "Method"},
		{"request,X", "METHOD", "", "the same, as in curl", into(&r.Method, parseMethod), ""},
		{"header,H", "FIELD", "", "header field 'Name: value', in place of ours of that name (repeatable);\n'Name:' leaves ours out, 'Name;' sends it empty", addHeader(r), "Header"},
		{"user,a", "USER:PASSWORD", "", "basic authentication, in place of the URL's", into(&j.user, parseUser), ""},
		{"body", "BODY", "", "body of each request: text, @FILE, or - for standard input", each(&body.texts, anyText), "Body"},
		{"data,d", "DATA", "", "post a form as curl does: text, @FILE without its line ends, or @- for standard\ninput; several are joined by &", each(&data.texts, anyText), ""},
		{"json", "DATA", "", "post JSON as curl does, with its Content-Type and Accept: text, @FILE or @-", each(&json.texts, anyText), ""},
		{"location,L", "", "", "follow redirects, at most 10 for one request", on(&r.FollowRedirects), "FollowRedirects"},
		{"expect-status", "STATUSES", "2xx, and 304 to a conditional request", "statuses that mean success: 200,201,3xx or 200-204\n", into(&r.ExpectStatus, parseStatuses), "ExpectStatus"},
		{"expect-body", "TEXT", "", "text that the body of a successful response contains", into(&r.ExpectBody, nonEmpty), "ExpectBody"},
	})
	j.addTLS()
	j.add([]flag{
		{"address", "WHICH", engine.AllAddresses, "a name's addresses: all in turn, or first for one that works", into(&r.Address, oneOf(engine.AllAddresses, engine.FirstAddress)), "Address"},
		{"no-keepalive", "", "", "a new connection for each request", on(&r.NoKeepAlive), "NoKeepAlive"},
		{"no-retry", "", "", "send nothing again that met a connection the server was closing", on(&r.NoRetry), "NoRetry"},
		{"traceparent", "", "", "send a W3C traceparent too, made from the request id", on(&r.Traceparent), "Traceparent"},
	})
	j.complete("address", engine.AllAddresses, engine.FirstAddress)
}

// addPermits adds the flags about what is in flight.
func (j *job) addPermits(o *engine.Settings, concurrency string) {
	j.add([]flag{
		{"concurrency,c", "N", concurrency, "most requests in flight", into(&o.Concurrency, parseConcurrency), "Concurrency"},
		{"timeout,t", "TIME", "10s", "longest time for one request, connecting included", into(&o.Timeout, parseTimeout), "Timeout"},
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

// addTolerances adds the flag that says by how much something may be slower: set reads
// one, whichever says what may have one, and others completes it besides percentiles.
func (j *job) addTolerances(what, whichever string, set func(string) error, others ...string) {
	j.add([]flag{
		{"tolerance", "TOLERANCE", "p50=5% and p99=10%", "by how much " + what + " may be slower (repeatable): 'p50=5%' 'p99.9=20%',\n" + whichever + ", or as a ratio 'p50=1.05'\n", set, "Tolerances"},
	})
	j.complete("tolerance", append([]string{"p50=5%", "p99=10%", "p99.9=20%"}, others...)...)
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
		{"output,o", "FILE", "standard output", "where the report goes", into(&j.output, parseOutput), ""},
	})
	j.complete("format", names...)
	if kind == report.Run {
		j.add([]flag{
			{"hdr-log", "FILE", "", "also write an HdrHistogram log, one line per interval", into(&j.hdrLog, nonEmpty), ""},
		})
	}
	j.add([]flag{
		{"verbose,v", "", "", "report more, and log failed requests to standard error", on(&j.verbose), ""},
		{"quiet,q", "", "", "nothing on standard error but errors", on(&j.quiet), ""},
		{"no-progress", "", "", "no progress on standard error", on(&j.noProgress), ""},
		{"no-color", "", "", "no colours; NO_COLOR=1 does the same", on(&j.noColor), ""},
	})
}

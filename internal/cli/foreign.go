package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// foreign are flags of other tools that are called something else here, or not
// needed, and what to say: the flag that is meant, or what there is instead. From
// the help of curl, hey, oha, ab, wrk, wrk2, h2load, siege, bombardier, vegeta, k6
// and autocannon. A flag of a letter may mean one thing in one of them and another
// in the next.
var foreign = map[string]string{
	// How much load.
	"amount": "--requests (-n)", "iterations": "--requests (-n)", "num": "--requests (-n)", "r": "--rate, or --requests (-n)", "reps": "--requests (-n)",
	"clients": "--concurrency (-c)", "concurrent": "--concurrency (-c)", "connections": "--concurrency (-c)",
	"max-connections": "--concurrency (-c)", "max-workers": "--concurrency (-c)", "users": "--concurrency (-c)", "vus": "--concurrency (-c)",
	"connectionRate": "--rate", "overallRate": "--rate", "qps": "--rate", "rps": "--rate", "R": "--rate",
	"time": "--duration (-z)", "timelimit": "--duration (-z)",
	"max-time": "--timeout (-t)", "connect-timeout": "--timeout (-t)", "connection-active-timeout": "--timeout (-t)",
	"warm-up-time": "--warmup", "W": "--warmup", "stages": "--stage",
	"threads": threads, "workers": threads, "cpus": threads, "parallel": threads,
	"pipelining": pipelining, "max-concurrent-streams": pipelining,
	"delay": noPause, "think": noPause, "benchmark": noPause, "internet": oneTarget,
	"burst-rate": "--stage", "burst-delay": "--stage", "rate-period": "--rate N/TIME, such as 50/m", "timing-script-file": "--stage",
	"latency-correction": "with --rate a response time is always from when the request was due",

	// The request.
	"headers": "--header (-H)", "content-type": contentType,
	"T":           contentType + ", or --method PUT (-m) --body @FILE for curl's",
	"upload-file": "--method PUT (-m) --body @FILE",
	"A":           "--user USER:PASSWORD (-a) for ab's, or --header (-H) 'User-Agent: NAME' for curl's", "basic-auth": "--user USER:PASSWORD (-a)", "basic": "--user USER:PASSWORD (-a)",
	"user-agent": "--header (-H) 'User-Agent: NAME'", "U": "--header (-H) 'User-Agent: NAME'",
	"b": "--body, or --header (-H) 'Cookie: NAME=VALUE'", "C": cookie, "cookie": cookie, "cookie-jar": cookie,
	"e": "--header (-H) 'Referer: URL'", "referer": "--header (-H) 'Referer: URL'", "host": "--header (-H) 'Host: NAME'",
	"oauth2-bearer": "--header (-H) 'Authorization: Bearer TOKEN'", "compressed": "--header (-H) 'Accept-Encoding: gzip'",
	"disable-compression": "no compression is asked for, except by --header (-H) 'Accept-Encoding: gzip'",
	"D":                   "--body @FILE, or --duration (-z) for h2load's", "p": "--data @FILE (-d) for ab's; requests are not pipelined as autocannon's",
	"body-file": bodyFile, "body-path": bodyFile, "input": bodyFile, "i": "--body @FILE, --method HEAD (-m), or --requests (-n) for k6's",
	"data-binary": "--body, or --json", "data-raw": "--body, or --data (-d)", "data-ascii": "--data (-d)",
	"data-urlencode": "--data (-d) with the text encoded, such as a%20b",
	"chunked":        withLength, "stream": withLength,
	"F": form, "form": form, "I": "--method HEAD (-m)", "head": "--method HEAD (-m)",
	"G": query, "get": query, "url-query": query,
	"dns-ttl": "names are looked up as the system does", "resolvers": "names are looked up as the system does",
	"base-uri": "want the whole URL", "digest": "of ways to log in there is --user (-a), which is basic authentication, and what a --header (-H) says",
	"targets": oneTarget, "file": oneTarget, "rand-regex-url": oneTarget, "har": oneTarget, "input-file": oneTarget, "urls-from-file": oneTarget, "s": "--quiet (-q) for curl's; there are no scripts as wrk's and siege's", "script": "there are no scripts; one request is sent again and again",

	// What counts.
	"L": "--location", "redirects": "--location", "redirect": "--location", "max-redirs": "--location", "max-redirects": "--location",
	"location-trusted": "--location, which sends no credentials to other hosts", "disable-redirects": "redirects are not followed without --location",
	"fail": "--expect-status", "E": "--expect-body for autocannon's, or --cert for curl's", "expectBody": "--expect-body", "expect": "--expect-status, or --expect-body",
	"retry": "a request is not sent again after a failure, unless the server cannot have seen it",
	"l":     "latency is always reported, and responses of any length count", "latency": "latency is always reported", "latencies": "latency is always reported",
	"include": "responses are not printed; their statuses and sizes are always reported", "max-body": "responses are read whole", "renderStatusCodes": "statuses are always reported",
	"threshold": "--limit", "thresholds": "--limit", "bailout": "--limit 'errors<=1%'",

	// Connections and TLS.
	"disable-keepalive": "--no-keepalive", "disableKeepAlives": "--no-keepalive", "no-connection-reuse": "--no-keepalive", "no-keep-alive": "--no-keepalive",
	"keepalive": "connections are kept alive, without --no-keepalive", "keepalive-time": "connections are kept alive, without --no-keepalive",
	"insecure-skip-tls-verify": "--insecure (-k)", "root-certs": "--cacert", "capath": "--cacert", "sni": "--servername",
	"tlsv1.2": "--tls-min 1.2", "tlsv1.3": "--tls-min 1.3", "tlsv1.0": "--tls-min 1.0", "tlsv1.1": "--tls-min 1.1",
	"connect-to": resolve, "resolve": resolve, "x": proxies, "proxy": proxies, "P": proxies, "noproxy": proxies, "proxy-header": proxies,
	"4": address, "6": address, "ipv4": address, "ipv6": address,
	"unix-socket": unixSocket, "socketPath": unixSocket,
	"http2": http2, "h2": http2, "h2c": http2, "http3": http2, "http2-prior-knowledge": http2, "2": http2, "http-version": http2, "window-bits": http2,
	"http1.1": http11, "http1": http11, "h1": http11, "npn-list": http11, "alpn-list": http11, "0": http11, "http1.0": http11,

	// The report.
	"w": "--format json (-f); threads are not needed", "write-out": "--format json (-f)", "out": "--output FILE (-o)", "output-format": "--format (-f)",
	"j": "--format json (-f)", "summary-export": "--format json (-f) --output FILE (-o)", "log": "--output FILE (-o)", "log-file": "--output FILE (-o)", "db-url": "--output FILE (-o)", "summary-trend-stats": "--format json (-f)", "g": "--format hgrm (-f)", "csv": "--format json (-f)",
	"silent": "--quiet (-q)", "S": "--quiet (-q)", "show-error": "--quiet (-q)", "no-print": "--quiet (-q)", "no-tui": "--no-progress", "fps": "--no-progress", "more": "--verbose (-v)", "disable-color": "--no-color",
	"V": "--version", "debug": "--verbose (-v)", "http-debug": "--verbose (-v)", "print": "--verbose (-v)",
	"name": "--baseline-name", "title": "--baseline-name",
}

const (
	threads     = "as many threads are used as there are processors; --concurrency (-c) says how many requests are in flight"
	pipelining  = "a connection has one request at a time; --concurrency (-c) says how many there are in all"
	contentType = "--header (-H) 'Content-Type: TYPE'"
	cookie      = "--header (-H) 'Cookie: NAME=VALUE'"
	bodyFile    = "--body @FILE"
	form        = "--data (-d) for a simple form, or --body @FILE with a --header (-H) 'Content-Type: multipart/form-data; boundary=B'"
	query       = "write the query into the URL, as in 'http://localhost:8080/?a=1'"
	oneTarget   = "one request is sent again and again; want its URL"
	resolve     = "give the address in the URL, and the name by --header (-H) 'Host: NAME' and --servername NAME"
	noPause     = "the next request follows the last without a pause; for a steady rate, want --rate"
	withLength  = "the body is sent whole, with its Content-Length"
	address     = "for one kind of address, write it in the URL: http://127.0.0.1/, http://[::1]/"
	proxies     = "there are no proxies; the load goes to the URL directly"
	unixSocket  = "there are no unix sockets; want a URL of a TCP port"
	http2       = "requests are HTTP/1.1; other versions are not spoken"
	http11      = "requests are HTTP/1.1 anyway"
)

// foreignCommands are words that other tools begin with.
var foreignCommands = map[string]string{
	"version": "--version",
	"run":     "load-tester URL",
	"attack":  "load-tester URL",
	"report":  "load-tester URL, which reports at its end",
}

// flagError says what is wrong with the flags when pflag cannot read them.
func flagError(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	var noValue *pflag.ValueRequiredError
	switch {
	case errors.As(err, &unknown):
		dashes := "--"
		if unknown.GetSpecifiedShortnames() != "" {
			dashes = "-"
		}
		return unknownFlag(cmd, dashes, unknown.GetSpecifiedName())
	case errors.As(err, &noValue):
		f := noValue.GetFlag()
		usage, _, _ := strings.Cut(f.Usage, "\n")
		if f.Name == "json" {
			usage += "; for a report as JSON, want --format json"
		}
		return fmt.Errorf("--%s needs a value: %s", f.Name, usage)
	}
	return err
}

// singleDash returns an error for the first argument that is the long name of a
// flag behind one dash, as Go's own flags are written, and those of hey and vegeta:
// -duration=5s would be -d with the data "uration=5s".
func singleDash(root *cobra.Command, args []string) error {
	cmd, rest, err := root.Find(args)
	if err != nil || len(args) > 0 && strings.HasPrefix(args[0], "__") { // what shells ask for completion
		return nil
	}
	for i := 0; i < len(rest) && rest[i] != "--"; i++ {
		name, _, joined := strings.Cut(strings.TrimLeft(rest[i], "-"), "=")
		long := strings.HasPrefix(rest[i], "--")
		short := !long && strings.HasPrefix(rest[i], "-")
		known := cmd.Flags().Lookup(name)
		if short && len(name) == 1 {
			known = cmd.Flags().ShorthandLookup(name)
		}
		switch {
		case short && len(name) > 1 && name != "help" && (known != nil || foreign[name] != ""):
			return unknownFlag(cmd, "-", name)
		case (long || short) && known != nil && known.NoOptDefVal == "" && !joined:
			i++ // its value
		}
	}
	return nil
}

// unknownFlag says what to write for a flag that the command does not have.
func unknownFlag(cmd *cobra.Command, dashes, name string) error {
	meant, known := foreign[name]
	if f := cmd.Flags().Lookup(name); f != nil { // with the wrong number of dashes
		meant, known = spelled(f), true
	}
	if !known && cmd.Root().Flags().Lookup(name) == nil { // of a run alone
		meant = nearestFlag(cmd, name)
	}
	switch {
	case meant == "":
		return fmt.Errorf("unknown flag %s%s, want one that %s --help lists", dashes, name, cmd.CommandPath())
	case strings.HasPrefix(meant, "-"):
		return fmt.Errorf("unknown flag %s%s, did you mean %s?", dashes, name, meant)
	}
	return fmt.Errorf("unknown flag %s%s: %s", dashes, name, meant)
}

// nearestFlag is the flag that is spelled much like name, "" if none comes near.
func nearestFlag(cmd *cobra.Command, name string) string {
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	if near := nearest(name, names); near != "" {
		return "--" + near
	}
	return ""
}

// spelled is how a flag is written.
func spelled(f *pflag.Flag) string {
	if f.Shorthand != "" {
		return "--" + f.Name + " (-" + f.Shorthand + ")"
	}
	return "--" + f.Name
}

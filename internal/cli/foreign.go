package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// A meaning is what to write instead of flags of other tools that are called
// something else here, or not needed.
type meaning struct {
	ours  string // begins with - if it is a flag, else it is a sentence
	names string // of the flags, without dashes
}

// meanings are from the help of curl, hey, oha, ab, wrk, wrk2, h2load, siege,
// bombardier, vegeta, k6 and autocannon. A flag of a letter may mean one thing in one
// of them and another in the next.
var meanings = []meaning{
	{"--requests (-n)", "amount iterations num reps"},
	{"--concurrency (-c)", "clients concurrent connections max-connections max-workers users vus"},
	{"--rate", "R connectionRate overallRate qps rps"},
	{"--rate, or --requests (-n)", "r"},
	{"--rate N/TIME, such as 50/m", "rate-period"},
	{"--duration (-z)", "time timelimit"},
	{"--stage", "stages burst-rate burst-delay timing-script-file"},
	{"--warmup", "W warm-up-time"},
	{"--timeout (-t)", "max-time connect-timeout connection-active-timeout"},
	{"the next request follows the last without a pause; for a steady rate, want --rate", "delay think benchmark"},
	{"with --rate a response time is always from when the request was due", "latency-correction"},
	{"as many threads are used as there are processors; --concurrency (-c) says how many requests are in flight", "threads workers cpus parallel"},
	{"a connection has one request at a time; --concurrency (-c) says how many there are in all", "pipelining max-concurrent-streams"},

	{"--header (-H)", "headers"},
	{"--header (-H) 'Content-Type: TYPE'", "content-type"},
	{"--header (-H) 'Content-Type: TYPE', or --method PUT (-m) --body @FILE for curl's", "T"},
	{"--header (-H) 'User-Agent: NAME'", "user-agent U"},
	{"--header (-H) 'Cookie: NAME=VALUE'", "C cookie cookie-jar"},
	{"--header (-H) 'Referer: URL'", "e referer"},
	{"--header (-H) 'Host: NAME'", "host"},
	{"--header (-H) 'Authorization: Bearer TOKEN'", "oauth2-bearer"},
	{"--header (-H) 'Accept-Encoding: gzip'", "compressed"},
	{"no compression is asked for, except by --header (-H) 'Accept-Encoding: gzip'", "disable-compression"},
	{"--user USER:PASSWORD (-a)", "basic-auth basic"},
	{"--user USER:PASSWORD (-a) for ab's, or --header (-H) 'User-Agent: NAME' for curl's", "A"},
	{"there is basic authentication, --user (-a), and what a --header (-H) can say", "digest"},
	{"--method HEAD (-m)", "I head"},
	{"--method PUT (-m) --body @FILE", "upload-file"},
	{"--body, or --header (-H) 'Cookie: NAME=VALUE'", "b"},
	{"--body @FILE", "body-file body-path input"},
	{"--body @FILE, or --duration (-z) for h2load's", "D"},
	{"--body @FILE, --method HEAD (-m), or --requests (-n) for k6's", "i"},
	{"--data (-d) @FILE for ab's; requests are not pipelined as autocannon's", "p"},
	{"--data (-d)", "data-ascii"},
	{"--data (-d) with the text encoded, such as a%20b", "data-urlencode"},
	{"--data (-d) for a simple form, or --body @FILE with a --header (-H) 'Content-Type: multipart/form-data; boundary=B'", "F form"},
	{"--body, or --data (-d)", "data-raw"},
	{"--body, or --json", "data-binary"},
	{"the body is sent whole, with its Content-Length", "chunked stream"},
	{"write the query into the URL, as in 'http://localhost:8080/?a=1'", "G get url-query"},
	{"want the whole URL", "base-uri"},
	{"one request is sent again and again; want its URL", "targets file har input-file internet rand-regex-url urls-from-file"},
	{"there are no scripts; one request is sent again and again", "script"},

	{"--location", "L redirect redirects max-redirects max-redirs"},
	{"--location, which sends no credentials to other hosts", "location-trusted"},
	{"redirects are not followed without --location", "disable-redirects"},
	{"--expect-status", "fail"},
	{"--expect-body", "expectBody"},
	{"--expect-status, or --expect-body", "expect"},
	{"--expect-body for autocannon's, or --cert for curl's", "E"},
	{"--limit", "threshold thresholds"},
	{"--limit 'errors<=1%'", "bailout"},
	{"a request is not sent again after a failure, unless the server cannot have seen it", "retry"},
	{"latency is always reported", "latency latencies"},
	{"latency is always reported, and responses of any length count", "l"},
	{"statuses are always reported", "renderStatusCodes"},
	{"responses are not printed; their statuses and sizes are always reported", "include"},
	{"responses are read whole", "max-body"},

	{"--no-keepalive", "disable-keepalive disableKeepAlives no-connection-reuse no-keep-alive"},
	{"connections are kept alive, without --no-keepalive", "keepalive keepalive-time"},
	{"--insecure (-k)", "insecure-skip-tls-verify"},
	{"--cacert", "capath root-certs"},
	{"--servername", "sni"},
	{"--tls-min 1.0", "tlsv1.0"},
	{"--tls-min 1.1", "tlsv1.1"},
	{"--tls-min 1.2", "tlsv1.2"},
	{"--tls-min 1.3", "tlsv1.3"},
	{"give the address in the URL, and the name by --header (-H) 'Host: NAME' and --servername NAME", "connect-to resolve"},
	{"for one kind of address, write it in the URL: http://127.0.0.1/, http://[::1]/", "4 6 ipv4 ipv6"},
	{"names are looked up as the system does", "dns-ttl resolvers"},
	{"there are no proxies; the load goes to the URL directly", "x P proxy noproxy proxy-header"},
	{"there are no unix sockets; want a URL of a TCP port", "unix-socket socketPath"},
	{"requests are HTTP/1.1; other versions are not spoken", "2 h2 h2c http2 http3 http2-prior-knowledge http-version window-bits"},
	{"requests are HTTP/1.1 anyway", "0 h1 http1 http1.0 http1.1 npn-list alpn-list"},

	{"--format (-f)", "output-format"},
	{"--format json (-f)", "j csv write-out summary-trend-stats"},
	{"--format json (-f); threads are not needed", "w"},
	{"--format hgrm (-f)", "g"},
	{"--format json (-f) --output FILE (-o)", "summary-export"},
	{"--output FILE (-o)", "out log log-file db-url"},
	{"--quiet (-q)", "S silent show-error no-print"},
	{"--quiet (-q) for curl's; there are no scripts as wrk's and siege's", "s"},
	{"--verbose (-v)", "debug http-debug more print"},
	{"--no-progress", "no-tui fps"},
	{"--no-color", "disable-color"},
	{"--baseline-name", "name title"},
	{"--version", "V"},
}

// foreign are the meanings by the names of the flags.
var foreign = func() map[string]string {
	m := map[string]string{}
	for _, meaning := range meanings {
		for name := range strings.FieldsSeq(meaning.names) {
			m[name] = meaning.ours
		}
	}
	return m
}()

// ofRuns are what to write, in commands that make no run, instead of flags of a run.
var ofRuns = map[string]map[string]string{
	"compare": {
		"requests": "a comparison ends when its verdict is clear; --budget is the longest time",
		"duration": "a comparison ends when its verdict is clear; --budget is the longest time",
		"stage":    "--rate",
	},
	"capacity": {
		"requests": "--budget",
		"duration": "--budget",
		"rate":     "a search chooses its rates: from --start, to --most",
		"stage":    "a search chooses its rates: from --start, to --most",
	},
}

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
		case short && len(name) > 1 && name != "help" && (known != nil || foreign[name] != "" || ofRun(cmd, "-", name) != ""):
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
	if instead := ofRun(cmd, dashes, name); instead != "" {
		meant, known = instead, true
	}
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

// ofRun is what to write in a command that makes no run instead of a flag of a run.
func ofRun(cmd *cobra.Command, dashes, name string) string {
	if f := cmd.Root().Flags().ShorthandLookup(name[:1]); dashes == "-" && len(name) == 1 && f != nil {
		name = f.Name
	}
	return ofRuns[cmd.Name()][name]
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

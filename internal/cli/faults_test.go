package cli

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/loadtestkit/load-tester/internal/baseline"
	"github.com/loadtestkit/load-tester/internal/engine"
)

// Wrong input is status 2 and a line for each fault, which names the flag and
// says what would be right. Nothing is sent.
func TestWrongInput(t *testing.T) {
	raw := serve(t, nil)
	const url = "URL" // stands for the server's
	for _, c := range []struct {
		args []string
		want []string // how each line goes on after "load-tester: "
	}{
		{nil, []string{"--url is missing, want the target: "}},
		{[]string{url, "--concurency", "3"}, []string{"unknown flag --concurency, did you mean --concurrency?"}},
		{[]string{url, "-d", "3s"}, []string{`--data "3s": -d is data, as in curl; the duration is -z 3s (to send it nevertheless: -X POST -d 3s)`}},
		{[]string{"-t4", "-c100", "-d30", "-H", "X: y", url}, []string{
			`--timeout "4": want a unit, for example 4s or 4ms; -t is the timeout: threads, as wrk's, are not needed, and the duration, as ab's, is -z`,
			`--data "30": -d is data, as in curl; the duration is -z 30s `,
		}},
		{[]string{"-q", "10", url}, []string{`"10" is no URL; -q is --quiet, and a rate is --rate 10, of all connections together`}},
		{[]string{"-u", "10"}, []string{`"10" is no URL; -u is --url, and what k6 calls so is --concurrency (-c) 10`}},
		{[]string{"--tag", "a=b", url}, []string{"unknown flag --tag, want one that load-tester --help lists"}},
		{[]string{"-dns-ttl", "0", "-max-body=5", url}, []string{"unknown flag -dns-ttl: names are"}},
		{[]string{"-u", "me:secret", url}, []string{`--url: no URL; a user and password are --user (-a) USER:PASSWORD`}},
		{[]string{"-u", "me:1234", url}, []string{`--url: no URL; a user and password are --user (-a) USER:PASSWORD`}},
		{[]string{"-u", "me:secret"}, []string{`--url: no URL; a user and password are --user (-a) USER:PASSWORD`}},
		{[]string{"-a", "me", url}, []string{`--user: want USER:PASSWORD, for example me:secret, or 'me:' without a password`}},
		{[]string{"-a", "me:x", "-H", "authorization: Bearer y", url}, []string{"--user and --header Authorization are both given, want one of them"}},
		{[]string{"-m", "10", url}, []string{`--method "10": want a method such as GET; the longest time of a request is --timeout (-t) 10s`}},
		{[]string{"-X", "PUT", "-m", "POST", url}, []string{"--method and --request are given together, want one of them"}},
		{[]string{"-d", "a=1", "--json", "{}", "--body", "x", url}, []string{"--body and --data and --json are given together, want one of them"}},
		{[]string{"-H", "Host:", url}, []string{"--header Host: cannot be left out, every HTTP/1.1 request has one; want a value"}},
		{[]string{"-H", "Content-Length:", "--body", "x", url}, []string{"--header Content-Length: cannot be left out, "}},
		{[]string{"-o", "csv", url}, []string{`--output "csv": want a file; the format is --format (-f), and a file of that name ./csv`}},
		{[]string{url, "--json"}, []string{"--json needs a value: post JSON as curl does, with its Content-Type and Accept: text, @FILE or @-; for a report as JSON, want --format json"}},
		{[]string{"-duration=5s", "-rate", "50", url}, []string{"unknown flag -duration, did you mean --duration (-z)?"}},
		{[]string{"-n", "5", "-disable-keepalive", url}, []string{"unknown flag -disable-keepalive, did you mean --no-keepalive?"}},
		{[]string{"-h2", url}, []string{"unknown flag -h2: requests are HTTP/1.1; other versions are not spoken"}},
		{[]string{"-kT", "text/plain", url}, []string{"unknown flag -T, did you mean --header (-H) 'Content-Type: TYPE', or "}},
		{[]string{"--vus", "5", url}, []string{"unknown flag --vus, did you mean --concurrency (-c)?"}},
		{[]string{"capacity", "--max-redirs", "5", url}, []string{"unknown flag --max-redirs, did you mean --location?"}},
		{[]string{"compare", "-x", "localhost:3128"}, []string{"unknown flag -x: there are no proxies; the load goes to the URL directly"}},
		{[]string{"version"}, []string{`unknown command "version", did you mean --version? `}},
		{[]string{"attack", url}, []string{`unknown command "attack", did you mean load-tester URL? `}},
		{[]string{"http:/host/"}, []string{`--url "http:/host/": no scheme; want http:// or https:// in front`}},
		{[]string{"host:99999"}, []string{`--url "http://host:99999": port "99999"; want a number from 1 to 65535`}},
		{[]string{"http://me:secret@a/", url}, []string{`--url: 2 URLs are given, "http://xxxxx@a/" and `}},
		{[]string{url, "--zzz"}, []string{"unknown flag --zzz, want one that load-tester --help lists"}},
		{[]string{"ftp://host/"}, []string{`--url "ftp://host/": scheme "ftp"; want http or https`}},
		{[]string{"http://host:99999/"}, []string{`--url "http://host:99999/": port "99999"; want a number from 1 to 65535`}},
		{[]string{"dmeo"}, []string{`unknown command "dmeo", did you mean demo?`}},
		{[]string{url, url}, []string{"--url: 2 URLs are given, "}},
		{[]string{"--url", url, url}, []string{"--url: 2 URLs are given, "}},
		{[]string{"--url", url, "-u", url}, []string{"--url: 2 URLs are given, "}},
		{[]string{"--url", ""}, []string{`--url "": want one that is not empty`}},
		{[]string{url, "-n", "0"}, []string{`--requests "0": want at least 1`}},
		{[]string{url, "-n", "abc"}, []string{`--requests "abc": want a whole number such as 100, 10k, 2m or 1e6`}},
		{[]string{url, "-n"}, []string{"--requests needs a value: "}},
		{[]string{url, "-c", "-1"}, []string{`--concurrency "-1": want at least 1`}},
		{[]string{url, "-c", "2m"}, []string{"--concurrency: 2000000 is out of range, want 1 to 1000000"}},
		{[]string{url, "-t", "0"}, []string{`--timeout "0": want a time above 0, for example 10s`}},
		{[]string{url, "-z", "5"}, []string{`--duration "5": want a unit, for example 5s or 5ms`}},
		{[]string{url, "--warmup", "-1s"}, []string{`--warmup "-1s": want a time above 0`}},
		{[]string{url, "--rate", "0"}, []string{`--rate "0": want a rate above 0, such as 1000 or 50/m`}},
		{[]string{url, "--stage", "bad"}, []string{`--stage "bad": want TIME:RATE or TIME:FROM..TO, for example 30s:100..1000`}},
		{[]string{url, "--rate", "5", "--stage", "5s:5"}, []string{"--rate and --stage are both given, want one of them"}},
		{[]string{url, "--arrivals", "poisson"}, []string{"--arrivals does nothing without --rate or --stage, want both or neither"}},
		{[]string{url, "--arrivals", "foo"}, []string{`--arrivals "foo": want constant or poisson`}},
		{[]string{url, "--connections-ahead", "x"}, []string{`--connections-ahead "x": want `}},
		{[]string{url, "--rate", "5", "--arrivals", "foo", "--seed", "5"}, []string{`--arrivals "foo": want constant or poisson`}},
		{[]string{url, "--rate", "5", "--seed", "5"}, []string{"--seed does nothing without --arrivals poisson, want both or neither"}},
		{[]string{url, "--connections-ahead", "5"}, []string{"--connections-ahead does nothing without --rate or --stage"}},
		{[]string{url, "--limit", "p99<50"}, []string{`--limit "p99<50": p99 needs a duration with a unit, for example p99<50ms`}},
		{[]string{url, "--header", "nocolon"}, []string{`--header: want 'Name: value'`}},
		{[]string{url, "--header", "bad name: x", "-m", "GE T"}, []string{`--method "GE T": not a token; `, `--header: name is not a token; `}},
		{[]string{url, "--body", "@" + filepath.Join(t.TempDir(), "missing")}, []string{`--body "@`}},
		{[]string{url, "--body", "a", "--body", "b"}, []string{"--body is given 2 times, want it once"}},
		{[]string{url, "--format", "xml"}, []string{`--format "xml": want text, json, hgrm or bench`}},
		{[]string{url, "--quiet", "--verbose"}, []string{"--quiet and --verbose are both given, want one of them"}},
		{[]string{url, "--quiet=maybe"}, []string{`--quiet "maybe": want true or false, or no value`}},
		{[]string{url, "-o", "x", "--hdr-log", "x"}, []string{`--output and --hdr-log are the same file "x", want two`}},
		{[]string{"-n", "0", "-c", "x", "--limit", "z", "-f", "y"}, []string{
			`--requests "0": `, `--concurrency "x": `, `--limit "z": no comparison`, `--format "y": `,
		}},
		{[]string{"demo", "--url", url}, []string{"unknown flag --url, want one that load-tester demo --help lists"}},
		{[]string{"demo", "x"}, []string{`demo takes no argument, got "x"`}},
		{[]string{"schema", "run"}, []string{`schema takes no argument, got "run": there is one schema for all results, want load-tester schema`}},
		{[]string{url, "--budget", "5s"}, []string{"--budget does nothing without --limit, want both or neither"}},
		{[]string{url, "--confirm", "-n", "5"}, []string{"--confirm does nothing without --limit or --baseline, want both or neither"}},
		{[]string{url, "--budget", "5s", "-n", "5", "--limit", "p50<=1s"}, []string{"--budget is of a run without --requests, --duration and --stage, want it or them"}},
		{[]string{url, "--budget", "5s", "-z", "5s", "--limit", "p50<=1s"}, []string{"--budget is of a run without"}},
		{[]string{url, "--budget", "5s", "--stage", "5s:5", "--limit", "p50<=1s"}, []string{"--budget is of a run without"}},
		{[]string{url, "--budget", "0", "--limit", "p50<=1s"}, []string{`--budget "0": want a time above 0`}},
		{[]string{"demo", "--budget", "5s", "-n", "5"}, []string{"--budget is of a run without"}},

		{[]string{"compare"}, []string{"--base is missing, want a target: "}},
		{[]string{"compare", "--base", url}, []string{"--head is missing, want a target: "}},
		{[]string{"compare", "--base", url, "--head", url, "--head", url}, []string{"--head: 2 URLs are given, "}},
		{[]string{"compare", "--base", url, "--head", url, url}, []string{"compare takes no argument, got "}},
		{[]string{"compare", "--base", "ftp://x", "--head", "http://x:99999"}, []string{`--base "ftp://x": scheme "ftp"; want http or https`, `--head "http://x:99999": port "99999"`}},
		{[]string{"compare", "--base", url, "--head", url, "-m", "GE T", "-c", "2m"}, []string{`--method "GE T": not a token; `, "--concurrency: 2000000 is out of range"}},
		{[]string{"compare", "--base", url, "--head", url, "--tolerance", "p99"}, []string{`--tolerance "p99": want a percentile and by how much it may be slower, for example p99=10%`}},
		{[]string{"compare", "--base", url, "--head", url, "--tolerance", "p101=5%"}, []string{`--tolerance "p101=5%": no percentile "p101", want one above p0 and below p100`}},
		{[]string{"compare", "--base", url, "--head", url, "--tolerance", "mean=5%"}, []string{`--tolerance "mean=5%": unknown percentile "mean", want p50, p90, p99, p99.9 or any other`}},
		{[]string{"compare", "--base", url, "--head", url, "--tolerance", "p50=5"}, []string{`--tolerance "p50=5": p50 needs by how much it may be slower, for example p50=5% or p50=1.05`}},
		{[]string{"compare", "--base", url, "--head", url, "--tolerance", "p50=5%", "--tolerance", "p50=6%"}, []string{"--tolerance: p50 is given twice, want it once"}},
		{[]string{"compare", "--base", url, "--head", url, "--limit", "p50<=1s"}, []string{"--limit: p50<=1s, but a comparison judges times by --tolerance; leave it out"}},
		{[]string{"compare", "--base", url, "--head", url, "-n", "5"}, []string{"unknown flag -n: a comparison ends when its verdict is clear; --budget is the longest time"}},
		{[]string{"compare", "--base", url, "--head", url, "-f", "hgrm"}, []string{`--format "hgrm": want text or json`}},
		{[]string{"compare", "--base", url, "--head", url, "-q", "-v"}, []string{"--quiet and --verbose are both given"}},
		{[]string{"compre"}, []string{`unknown command "compre", did you mean compare?`}},

		{[]string{"capacity", url}, []string{"--limit is missing, want what must hold: --limit 'p99<=50ms'"}},
		{[]string{"capacity", "--limit", "p99<=50ms"}, []string{"--url is missing, want the target: "}},
		{[]string{"capacity", "--limit", "p99<=50ms", url, url}, []string{"--url: 2 URLs are given, "}},
		{[]string{"capacity", "--limit", "throughput>=5", url}, []string{"--limit: throughput>=5 is no bound that more load can break, want one such as p99<=50ms or errors<=0.1%"}},
		{[]string{"capacity", "--limit", "p99>=5ms", "--limit", "mean<=5ms", url}, []string{"--limit: p99>=5ms is no bound that", "--limit: mean<=5ms is no bound that"}},
		{[]string{"capacity", "--limit", "p99<=5ms", "--start", "100", "--most", "50", url}, []string{"--most: 50 is out of range, want the rate that the search begins with, 100, or more"}},
		{[]string{"capacity", "--limit", "p99<=5ms", "--start", "0.0000001", url}, []string{"--start: 1e-07 is out of range, want arrivals per second from 1e-6 to 1e9"}},
		{[]string{"capacity", "--limit", "p99<=5ms", "--seed", "5", url}, []string{"--seed does nothing without --arrivals poisson"}},
		{[]string{"capacity", "--limit", "p99<=5ms", "--rate", "5", url}, []string{"unknown flag --rate: a search chooses its rates: from --start, to --most"}},
		{[]string{"help", "x"}, []string{`no command "x", want one that load-tester --help lists`}},
		{[]string{"target", "--latency", "x"}, []string{`--latency "x": "x" is not a duration, want one such as 2ms`}},
		{[]string{"target", "--freeze", "1s"}, []string{`--freeze "1s": want FOR@AT, for example 1s@5s`}},
		{[]string{"target", "--listen", "x"}, []string{`--listen "x": want an address with a port, for example :8080 or 127.0.0.1:0`}},
	} {
		t.Run(strings.Join(c.args, " "), func(t *testing.T) {
			var args []string
			for _, a := range c.args {
				args = append(args, strings.Replace(a, url, raw.URL, 1))
			}
			r := newTrial()
			assert.Equal(t, statusUsage, r.run(args...))
			assert.Empty(t, r.Stdout.String())
			lines := strings.Split(strings.TrimSuffix(r.Stderr.String(), "\n"), "\n")
			require.Len(t, lines, len(c.want), "%q", lines)
			for i, want := range c.want {
				assert.True(t, strings.HasPrefix(lines[i], "load-tester: "+want), lines[i])
			}
		})
	}
	assert.Zero(t, raw.Seen(), "nothing is sent")
}

// Each flag of a run names a field that the engine's options have, so that a
// fault of the engine's names the flag.
func TestPlanFaultsNameFlags(t *testing.T) {
	var o engine.RunOptions
	run := func() *job {
		j := newJob(newTrial().open(), &cobra.Command{}, "")
		j.addURL()
		j.addRequest(&o.Target.RequestOptions)
		j.addRun(&o)
		return j
	}
	for field, flag := range run().byField {
		_, ofRun := reflect.TypeFor[engine.RunOptions]().FieldByName(field)
		_, ofTarget := reflect.TypeFor[engine.Target]().FieldByName(field)
		_, ofBaseline := reflect.TypeFor[baseline.Baseline]().FieldByName(field)
		assert.True(t, ofRun || ofTarget || ofBaseline, field)
		assert.EqualError(t, run().planFaults(&engine.Fault{Field: field, Want: "is wrong"}), "--"+flag+": is wrong")
	}
	_, err := engine.NewRun(engine.RunOptions{
		Target: engine.Target{URL: "ftp://x"}, Requests: -1, Settings: engine.Settings{Timeout: -1, Load: engine.Load{Concurrency: -1, Rate: -1}},
	})
	assert.Len(t, strings.Split(run().planFaults(err).Error(), "\n"), 5, "all of them: %v", err)
	assert.EqualError(t, run().planFaults(os.ErrClosed), os.ErrClosed.Error())
}

func TestNearest(t *testing.T) {
	words := []string{"concurrency", "requests", "rate", "url"}
	for name, want := range map[string]string{
		"concurency": "concurrency", "request": "requests", "conc": "concurrency", "rat": "rate", "raet": "rate",
		"x": "", "zzz": "", "u": "", "c": "", "latency": "",
	} {
		assert.Equal(t, want, nearest(name, words), name)
	}
	assert.Equal(t, 3, edits("kitten", "sitting"))
	assert.Equal(t, 4, edits("", "rate"))
}

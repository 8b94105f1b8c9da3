package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

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
		{[]string{url, "-d", "3s"}, []string{"unknown flag -d, did you mean --duration (-z) or --body?"}},
		{[]string{url, "--zzz"}, []string{"unknown flag --zzz, want one that load-tester --help lists"}},
		{[]string{"ftp://host/"}, []string{`--url "ftp://host/": scheme "ftp"; want http or https`}},
		{[]string{"http://host:99999/"}, []string{`--url "http://host:99999/": port "99999"; want a number from 1 to 65535`}},
		{[]string{"dmeo"}, []string{`unknown command "dmeo", did you mean demo?`}},
		{[]string{url, url}, []string{"--url: 2 URLs are given, "}},
		{[]string{"--url", url, url}, []string{"--url: 2 URLs are given, "}},
		{[]string{"--url", url, "-u", url}, []string{"--url: 2 URLs are given, "}},
		{[]string{"--url", ""}, []string{`--url "": want one that is not empty`}},
		{[]string{url, "-n", "0"}, []string{`--requests "0": want at least 1`}},
		{[]string{url, "-n", "abc"}, []string{`--requests "abc": want a whole number such as 100, 10k or 2m`}},
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
		{[]string{url, "--rate", "5", "--seed", "5"}, []string{"--seed does nothing without --arrivals poisson, want both or neither"}},
		{[]string{url, "--connections-ahead", "5"}, []string{"--connections-ahead does nothing without --rate or --stage"}},
		{[]string{url, "--limit", "p99<50"}, []string{`--limit "p99<50": p99 needs a duration with a unit, for example p99<50ms`}},
		{[]string{url, "--header", "nocolon"}, []string{`--header "nocolon": want 'Name: value'`}},
		{[]string{url, "--header", "bad name: x", "-m", "GE T"}, []string{`--method "GE T": not a token; `, `--header "bad name": name is not a token; `}},
		{[]string{url, "--body", "@" + filepath.Join(t.TempDir(), "missing")}, []string{`--body "@`}},
		{[]string{url, "--body", "a", "--body", "b"}, []string{"--body is given 2 times, want it once"}},
		{[]string{url, "--format", "xml"}, []string{`--format "xml": want text, json or hgrm`}},
		{[]string{url, "--quiet", "--verbose"}, []string{"--quiet and --verbose are both given, want one of them"}},
		{[]string{url, "--quiet=maybe"}, []string{`--quiet "maybe": want true or false, or no value`}},
		{[]string{url, "-o", "x", "--hdr-log", "x"}, []string{`--output and --hdr-log are the same file "x", want two`}},
		{[]string{"-n", "0", "-c", "x", "--limit", "z", "-f", "y"}, []string{
			`--requests "0": `, `--concurrency "x": `, `--limit "z": no comparison`, `--format "y": `,
		}},
		{[]string{"demo", "--url", url}, []string{"unknown flag --url, want one that load-tester demo --help lists"}},
		{[]string{"demo", "x"}, []string{`demo takes no argument, got "x"`}},
		{[]string{"schema", "x"}, []string{`schema takes no argument, got "x"`}},
		{[]string{"help", "x"}, []string{`no command "x", want one that load-tester --help lists`}},
		{[]string{"target", "--latency", "x"}, []string{`--latency "x": "x" is no duration, want one such as 2ms`}},
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

// Each field of the engine's that the command sets has its flag.
func TestPlanFaultsNameFlags(t *testing.T) {
	cmd := newRoot(&session{}, new(int))
	for field, flag := range flagOf {
		assert.NotNil(t, cmd.Flags().Lookup(flag), flag)
		assert.EqualError(t, planFaults(&engine.Fault{Field: field, Want: "is wrong"}, flagOf), "--"+flag+": is wrong")
	}
	_, err := engine.NewPlan(engine.Options{URL: "ftp://x", Requests: -1, Concurrency: -1, Timeout: -1, Rate: -1})
	assert.Len(t, strings.Split(planFaults(err, flagOf).Error(), "\n"), 5, "all of them: %v", err)
	assert.EqualError(t, planFaults(os.ErrClosed, flagOf), os.ErrClosed.Error())
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

package cli

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/loadtestkit/load-tester/internal/report"
)

func TestHelp(t *testing.T) {
	r := newTrial()
	require.Zero(t, r.run("--help"))
	text := r.Stdout.String()
	for _, flag := range []string{
		"-u, --url", "-n, --requests", "-c, --concurrency", "-z, --duration", "-t, --timeout", "    --grace",
		"-m, --method", "-X, --request", "-H, --header", "-a, --user", "    --body", "-d, --data", "    --json", "-k, --insecure", "    --limit", "-f, --format", "-o, --output",
		"-q, --quiet", "    --no-progress", "    --no-color", "    --version", "-h, --help", "    --rate", "    --stage",
		"    --arrivals", "    --seed", "    --warmup", "    --connections-ahead", "    --hdr-log", "    --no-keepalive",
		"    --traceparent", "    --address", "    --cacert", "-E, --cert", "    --key", "    --servername", "    --tls-min", "    --tls-max", "-v, --verbose", "    --budget", "    --confirm", "    --baseline", "    --update", "    --baseline-name", "    --tolerance",
	} {
		assert.Contains(t, text, "\n  "+flag+" ", flag)
	}
	assert.Empty(t, r.Stderr.String())
	for _, command := range []string{"", "compare", "capacity", "demo"} {
		r := newTrial()
		require.Zero(t, r.run(append(strings.Fields(command), "--help")...))
		assert.Contains(t, r.Stdout.String(), "\n  -h, --help  ", command)
		for line := range strings.SplitSeq(r.Stdout.String(), "\n") {
			assert.LessOrEqual(t, utf8.RuneCountInString(line), 105, line)
		}
	}

	for _, args := range [][]string{{"demo", "--help"}, {"help", "demo"}, {"help", "compare"}, {"capacity", "-h"}, {"target", "-h"}, {"completion", "bash", "--help"}, {"help"}} {
		r := newTrial()
		assert.Zero(t, r.run(args...), args)
		assert.Contains(t, r.Stdout.String(), "\nUsage:\n  load-tester ", args)
		assert.Empty(t, r.Stderr.String())
	}
}

func TestOtherCommands(t *testing.T) {
	print := func(args ...string) string {
		r := newTrial()
		assert.Zero(t, r.run(args...), args)
		return r.Stdout.String()
	}
	assert.Equal(t, "load-tester "+report.Version()+"\n", print("--version"))
	assert.Equal(t, string(report.Schema()), print("schema"))
	assert.Contains(t, print("completion", "bash"), "__start_load-tester")
	assert.Contains(t, print("__complete", "--format", ""), "hgrm")
	assert.Contains(t, print("__complete", "--arr"), "--arrivals\tconstant, or poisson")
}

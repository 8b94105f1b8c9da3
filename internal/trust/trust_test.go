// Package trust tries the verdicts for real, on this machine as it is and beside a
// busy neighbour. It is a module of its own because it needs a database.
package trust

import (
	"flag"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/loadtestkit/load-tester/loadtestkit"
)

// trustEnv makes [TestTrust] run. Its value is the file of outcomes.
const trustEnv = "LOADTESTKIT_TRUST"

var (
	partTime = flag.Duration("part", 5*time.Minute, "start no trial after this `time`; 0 only prints the table")
	build    = flag.String("build", "new", "the `name` of the code under test in the table")
	mostRuns = flag.Int("runs", 1000, "make at most `n` trials of each case")
	only     = flag.String("only", "", "make only trials of cases with this `text` in their names")
)

func TestMain(m *testing.M) {
	if role := os.Getenv(roleEnv); role != "" {
		play(role)
		return
	}
	os.Exit(m.Run())
}

// TestTrust makes one part of the trials, in random order, adds their outcomes to
// the file and prints the table of all that are in it. It goes on where earlier
// parts ended.
func TestTrust(t *testing.T) {
	file := os.Getenv(trustEnv)
	if file == "" {
		t.Skipf("takes hours, in parts that add up: set %s to the file of outcomes to run it", trustEnv)
	}
	all, err := readOutcomes(file)
	require.NoError(t, err)
	if *partTime > 0 {
		all = append(all, runPart(t, file, all)...)
	}
	t.Log("\n" + table(all))
	for _, c := range cases() {
		check(t, c, of(all, *build, c.name))
	}
}

// runPart makes trials until the time of the part is over or none is left.
func runPart(t *testing.T, file string, earlier []outcome) (outcomes []outcome) {
	end := time.Now().Add(*partTime)
	left := remaining(earlier)
	if len(left) == 0 {
		return nil
	}
	t.Setenv("TMPDIR", t.TempDir()) // load tests of others are not waited for: they are part of the noise
	p := &part{limit: 5 * quietP99(t, earlier), database: newDatabase(t)}
	startHog(t)
	for i, n := range rand.Perm(len(left)) {
		if i > 0 && time.Now().After(end) {
			break
		}
		o := try(t, left[n], p)
		require.NoError(t, o.appendTo(file))
		t.Logf("%s: %s in %.1f s", o.Case, o.Verdict, o.Seconds)
		outcomes = append(outcomes, o)
	}
	return outcomes
}

// remaining lists the trials that are still to be made: a case is in it once for each.
func remaining(made []outcome) (left []trial) {
	for _, c := range cases() {
		if !strings.Contains(c.name, *only) {
			continue
		}
		for range min(c.runs, *mostRuns) - len(of(made, *build, c.name)) {
			left = append(left, c)
		}
	}
	return left
}

// try makes one trial.
func try(t *testing.T, c trial, p *part) outcome {
	w := &witness{TB: t}
	load := startMeter()
	began := time.Now()
	w.watch(func() { c.run(w, p) })
	return outcome{
		Case: c.name, Build: *build, At: began.UTC().Truncate(time.Second),
		Verdict: w.verdict(), Seconds: time.Since(began).Seconds(), Reason: w.reason(),
		Foreign: load.foreign(), Limit: p.limit.Seconds(), Log: w.log.String(),
	}
}

// check tests what is promised of a case: its errors at any time, the rest when all
// its trials have been made.
func check(t *testing.T, c trial, made []outcome) {
	s := summarize(made)
	if c.want == passed {
		assert.Zero(t, s.count[failed], "%s: wrong fails", c.name)
	}
	if s.runs < c.runs {
		return
	}
	assert.GreaterOrEqual(t, float64(s.count[c.want]), c.share*float64(s.runs), "%s: trials that %s", c.name, c.want)
	if c.within > 0 {
		assert.Less(t, s.median, c.within.Seconds(), "%s: median seconds", c.name)
	}
}

// quietP99 is the p99 of [working] while the machine is as quiet as it gets: the least
// of ten now and those of earlier parts.
func quietP99(t *testing.T, earlier []outcome) time.Duration {
	least := time.Hour
	for range 10 {
		r, err := loadtestkit.Measure(t.Context(), loadtestkit.Options{Target: working(1), Count: 1000})
		require.NoError(t, err)
		p99, ok := r.ResponseTime(0.99)
		require.True(t, ok)
		least = min(least, p99)
	}
	for _, o := range earlier {
		least = min(least, time.Duration(o.Limit/5*float64(time.Second)))
	}
	t.Logf("quiet p99: %v", least)
	return least
}

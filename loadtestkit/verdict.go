package loadtestkit

import (
	"fmt"
	"strings"

	"github.com/loadtestkit/load-tester/internal/report"
	"github.com/loadtestkit/load-tester/internal/text"
	"github.com/loadtestkit/load-tester/internal/unit"
	"github.com/loadtestkit/load-tester/internal/verdict"
)

// A Verdict is what can be said about a limit, or about all of them together. The
// zero Verdict is NotJudged.
type Verdict uint8

const (
	NotJudged    Verdict = iota // measured only
	Passed                      // the limit was kept
	Failed                      // the limit was missed
	Inconclusive                // the measurement does not suffice to say
)

// String returns "not judged", "pass", "fail" or "inconclusive", as reports have
// it.
func (v Verdict) String() string {
	if v > Inconclusive {
		return fmt.Sprintf("Verdict(%d)", uint8(v))
	}
	return verdict.Verdict(v).String()
}

// conclude writes d to the test's log and makes its verdicts count. err is what
// went wrong after the measurement.
func conclude(t test, stop *stop, d *report.Document, err error, onInconclusive Verdict) {
	t.Helper()
	s := style()
	s.Reasoned = true // below
	if err := text.Write(t.Output(), d, s); err != nil {
		t.Errorf("loadtestkit: writing the report: %v", err)
	}
	if err != nil { // before a verdict may skip the test
		t.Errorf("loadtestkit: %v", advise(err))
	}
	switch recorded := strings.HasPrefix(d.Recorded, "recorded"); {
	case d.Recorded == "":
	case recorded || waive() != "" || d.Verdict == verdict.Fail:
		t.Logf("loadtestkit: %s", d.Recorded)
	default: // which was asked for
		t.Errorf("loadtestkit: %s", d.Recorded)
	}
	if d.Interrupted {
		t.Errorf("loadtestkit: interrupted %s after %s: only what was done was judged", stop.cause(), amount(d))
	}
	if d.Stopped != "" { // other verdicts only repeat that
		t.Errorf("loadtestkit: given up: %s", d.Stopped)
		return
	}
	var doubts []string
	missed := false
	for _, l := range d.Judged() {
		switch l.Verdict {
		case verdict.Fail:
			missed = true
			t.Errorf("loadtestkit: %s", l.Reason)
		case verdict.Inconclusive:
			doubts = append(doubts, "loadtestkit: inconclusive: "+l.Reason)
		}
	}
	if d.Kind == report.Run && !missed && !d.Interrupted {
		for _, line := range d.NothingSucceeded() {
			t.Errorf("loadtestkit: could not measure: %s", line)
		}
	}
	switch {
	case len(doubts) == 0:
	case onInconclusive == Failed:
		for _, line := range doubts {
			t.Errorf("%s", line)
		}
	case onInconclusive != Passed && !t.Failed():
		t.Skip(doubts)
	default:
		for _, line := range doubts {
			t.Logf("%s", line)
		}
	}
}

// amount says how much was done.
func amount(d *report.Document) string {
	switch {
	case d.Pairs != nil:
		return unit.Plural(int64(d.Pairs.Rounds), "round")
	case d.Found != nil:
		return fmt.Sprintf("%d trials", len(d.Found.Trials))
	}
	return unit.Duration(d.Elapsed) + " and " + unit.Count(d.Requests.Sent) + " requests"
}

package verdict

import (
	"encoding/json"
	"fmt"
)

// A Verdict is what can be said about a limit.
type Verdict uint8

const (
	NotJudged    Verdict = iota // reported only; ignored by [Overall]
	Pass                        // the limit was kept
	Fail                        // the limit was missed
	Inconclusive                // the measurement does not suffice to say
)

var verdictText = [...]string{"not judged", "pass", "fail", "inconclusive"}

func (v Verdict) String() string { return verdictText[v] }

// MarshalJSON returns the verdict's word, or null for NotJudged.
func (v Verdict) MarshalJSON() ([]byte, error) {
	if v == NotJudged {
		return []byte("null"), nil
	}
	return json.Marshal(v.String())
}

// UnmarshalJSON reads what MarshalJSON writes.
func (v *Verdict) UnmarshalJSON(b []byte) error {
	var word *string
	if err := json.Unmarshal(b, &word); err != nil {
		return fmt.Errorf("reading a verdict: %w", err)
	}
	if word == nil {
		*v = NotJudged
		return nil
	}
	for w := Pass; w <= Inconclusive; w++ {
		if verdictText[w] == *word {
			*v = w
			return nil
		}
	}
	return fmt.Errorf("reading a verdict: unknown word %q", *word)
}

// A Result is the verdict on one limit.
type Result struct {
	Limit        Limit
	Verdict      Verdict
	Observed     float64 // in ns, as a ratio, or per second, by the limit's metric
	HaveObserved bool    // false: Observed is not known, or is without bound
	N            int64   // requests that were due
	Reason       string  // one line for a person: what was observed, what was wanted, from how many
}

// String returns the result as one line, without the verdict's word unless the
// limit was not judged.
func (r Result) String() string { return r.Reason }

// Waive returns r as not judged, with the reason why. What was observed stays.
func (r Result) Waive(why string) Result {
	r.Verdict = NotJudged
	r.Reason = "not judged: " + why + "; " + r.Reason
	return r
}

// Overall returns fail if any limit was missed, else inconclusive if any is,
// else pass, and NotJudged if none was judged.
func Overall(results []Result) Verdict {
	v := NotJudged
	for _, r := range results {
		switch {
		case r.Verdict == Fail:
			return Fail
		case r.Verdict == Inconclusive, v == NotJudged:
			v = r.Verdict
		}
	}
	return v
}

package verdict

import (
	"encoding/json"
	"fmt"
	"time"
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

// A Finding is the verdict on one limit.
type Finding struct {
	Limit        Limit
	Verdict      Verdict
	Observed     float64 // in ns, as a ratio, or per second, by the limit's metric
	HaveObserved bool    // false: Observed is not known, or is without bound
	N            int64   // requests that were due

	// The confidence interval of the metric, with the probabilities of a
	// wrong fail and a wrong pass at its ends: one that lies wholly beyond the
	// limit is a fail, wholly within it a pass. Low 0 and High +Inf are no
	// bound. HaveInterval is false where a fact was judged, or nothing.
	Low, High    float64
	HaveInterval bool

	// How many independent requests N is worth, and how many times as much
	// the share of slow or failed ones varies as it would among independent
	// ones; 0 where the verdict does not use them.
	NEffective, DesignEffect float64

	Confidence float64       // of a pass or a fail, in [0, 1]; 0 for a fact, and where in doubt
	Exact      bool          // noise cannot cause it: neither repeated nor excused
	Anytime    bool          // a pass that need not wait for a look, see [Looks]
	Holds      bool          // what was counted is within the limit, whatever part chance had in it
	Noisy      bool          // in doubt because of what the machine did, or because requests were slow together
	Least      int64         // how many requests any verdict needs as things stand; 0 where that is not why there is none
	Needs      time.Duration // about how much more of the same load would settle it; 0: unknown or settled
	Summary    string        // for a person: metric, observed, wanted, as in "p99 13.3ms, want <= 50ms"
	Basis      string        // what the verdict rests on: doubts, the interval, from how many requests
	Reason     string        // both in one line
	Detail     string        // another for a statistician; may be empty
}

// String returns the result as one line, without the verdict's word unless the
// limit was not judged.
func (r Finding) String() string { return r.Reason }

// Waive returns r as not judged, with the reason why. What was observed stays.
func (r Finding) Waive(why string) Finding {
	r.Verdict = NotJudged
	r.Reason = "not judged: " + why + "; " + r.Reason
	r.Basis = "not judged: " + why
	return r
}

// Doubt returns r as inconclusive if it is a pass that is worth nothing, with the
// reason why.
func (r Finding) Doubt(why string) Finding {
	if r.Verdict == Pass {
		r.Verdict, r.Confidence = Inconclusive, 0
		r.Reason += ": " + why
		r.Basis = join(why, r.Basis)
	}
	return r
}

// Excuse returns r as inconclusive if it is a fail that noise can cause, with
// the reason why that cannot be held against the target. Anything else, and an
// empty reason, leave r as it is: noise never grants a pass.
func (r Finding) Excuse(why string) Finding {
	if r.Verdict != Fail || r.Exact || why == "" {
		return r
	}
	r.Verdict, r.Confidence, r.Noisy = Inconclusive, 0, true
	r.Reason += "; in doubt: " + why
	r.Basis = join("in doubt: "+why, r.Basis)
	return r
}

// Keep returns the verdict of an earlier look where r is in doubt and what was
// counted since does not contradict it: that a run went on a little takes nothing
// back that was settled.
func (r Finding) Keep(earlier Finding) Finding {
	kept := earlier.Verdict == Pass && r.Holds || earlier.Verdict == Fail && !r.Holds
	if r.Verdict != Inconclusive || !kept {
		return r
	}
	return earlier
}

// Advise returns r with what would get an answer on this machine, if noise is why
// it has none.
func (r Finding) Advise(w Words) Finding {
	if r.Verdict != Inconclusive || !r.Noisy {
		return r
	}
	return r.Remark(w.compare())
}

// Remark returns r with a remark behind what it rests on.
func (r Finding) Remark(text string) Finding {
	r.Reason += "; " + text
	if r.Basis != "" {
		text = "; " + text
	}
	r.Basis += text
	return r
}

// join puts a doubt before what a verdict rests on.
func join(why, basis string) string {
	if basis == "" {
		return why
	}
	return why + "; " + basis
}

// Overall returns fail if any limit was missed, else inconclusive if any is,
// else pass, and NotJudged if none was judged.
func Overall(results []Finding) Verdict {
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

// Settled reports whether no more load is needed: nothing is in doubt, or a limit
// was missed.
func Settled(results []Finding) bool { return Overall(results) != Inconclusive }

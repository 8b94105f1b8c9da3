package verdict

import (
	"fmt"

	"github.com/loadtestkit/load-tester/internal/record"
	"github.com/loadtestkit/load-tester/internal/unit"
)

// leastFailed is how many requests have to fail, and none to succeed, for a target to
// be taken for one that answers none: fewer may be chance.
const leastFailed = 3

// AllFailed describes how every request so far failed, those of the warm-up too: "every
// one of the first 812 requests failed: status 401". It returns "" if one succeeded, if
// there are too few to tell, or if none but those of the warm-up have ended.
func AllFailed(r *record.Record) string {
	failed := r.Failed + r.Warmup.Failed
	if r.Succeeded+r.Warmup.Succeeded > 0 || r.Failed == 0 || failed < leastFailed {
		return ""
	}
	all := causes(r)
	how := missedBy(all, r)
	if len(all) == 1 {
		how = ": " + all[0].name
		if first := all[0].first; first != "" {
			how += " (first: " + unit.Line(first) + ")"
		}
	}
	return fmt.Sprintf("every one of the first %s requests failed%s", unit.Count(failed), how)
}

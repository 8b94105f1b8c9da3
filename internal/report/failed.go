package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/loadtestkit/load-tester/internal/record"
	"github.com/loadtestkit/load-tester/internal/unit"
)

// A FailedStatus is a status that made requests fail, with the first response that
// had it. Its text is printable, and the secrets that were sent are masked in it.
type FailedStatus struct {
	Status   int    `json:"status"`
	Count    int64  `json:"count"`
	ID       string `json:"id"`       // of the request that got this response, perhaps in the warm-up
	Redirect string `json:"redirect"` // where a redirect leads, such as "302 to /login"; empty if it is none
	Location string `json:"location"` // of a redirect
	Body     string `json:"body"`     // its first 200 octets
}

// failedStatuses lists the statuses that made requests fail, most frequent first.
func failedStatuses(f Facts, r *record.Record) (all []FailedStatus) {
	for status, n := range r.Rejected {
		s := FailedStatus{Status: status, Count: n}
		if a, ok := r.Answers[status]; ok {
			s.ID, s.Redirect, s.Location, s.Body = f.ID(a.N), unit.Line(a.Redirect(status)), unit.Line(a.Location), unit.Line(a.Text())
		}
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b FailedStatus) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Status, b.Status))
	})
	return all
}

// NothingSucceeded has a line for each target to which no request succeeded: then
// nothing was measured.
func (d *Document) NothingSucceeded() (lines []string) {
	add := func(a *Arm, line string) {
		if a.Requests.Succeeded == 0 {
			lines = append(lines, line)
		}
	}
	switch d.Kind {
	case Comparison:
		add(d.Base, "no request to base succeeded: there is nothing to compare")
		add(&d.Arm, "no request to head succeeded: there is nothing to compare")
	case Search:
		add(&d.Arm, "no request succeeded: there is no rate at which limits hold")
	default:
		add(&d.Arm, "no request succeeded: there is nothing to judge")
	}
	return lines
}

// Expects describes what a success was, the same words for the same; "" for the
// default.
func (c *Config) Expects() string {
	var parts []string
	if c.ExpectStatus != "" {
		parts = append(parts, "status "+c.ExpectStatus)
	}
	if c.ExpectBody != "" {
		parts = append(parts, fmt.Sprintf("body with %q", c.ExpectBody))
	}
	if c.Checked {
		parts = append(parts, "checked")
	}
	if c.FollowRedirects {
		parts = append(parts, "redirects followed")
	}
	return strings.Join(parts, ", ")
}

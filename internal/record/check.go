package record

import (
	"errors"
	"fmt"

	"github.com/loadtestkit/load-tester/internal/hist"
)

// Check returns an error that lists every way in which the counts do not add up. If a
// fresh record does not add up, the fault is in this program, not in the target.
func (r *Record) Check() error {
	errs := r.Totals.check()
	errs = append(errs, r.Warmup.check()...)
	errs = append(errs,
		between("completed", r.Completed(), r.Succeeded, r.Succeeded+r.Failed),
		equal("response times", r.Response.Count(), r.Succeeded),
		equal("response times of failed requests", r.Failures.Count(), r.Failed),
	)
	var statuses, rejected, ended int64
	for _, n := range r.Statuses {
		statuses += n
	}
	for _, n := range r.Rejected {
		rejected += n
	}
	for _, n := range r.Kinds {
		ended += n
	}
	errs = append(errs,
		between("sum of statuses", statuses, 0, r.Completed()),
		equal("responses whose status was not expected", rejected, r.Completed()-r.Succeeded),
		equal("complete responses and errors", ended, r.Succeeded+r.Failed),
	)
	var sum hist.Interval
	for _, i := range r.Series.Intervals() {
		sum.Due += i.Due
		sum.Sent += i.Sent
		sum.Succeeded += i.Succeeded
		sum.Failed += i.Failed
		sum.Completed += i.Completed
		sum.Missed += i.Missed
	}
	errs = append(errs,
		equal("due over all intervals", sum.Due, r.Due),
		equal("sent over all intervals", sum.Sent, r.Sent),
		equal("succeeded over all intervals", sum.Succeeded, r.Succeeded),
		equal("failed over all intervals", sum.Failed, r.Failed),
		equal("completed over all intervals", sum.Completed, r.Completed()),
		equal("missed over all intervals", sum.Missed, r.Missed()),
	)
	for _, route := range r.Routes {
		if err := route.Check(); err != nil {
			errs = append(errs, fmt.Errorf("route %q: %w", route.Name, err))
		}
	}
	return errors.Join(errs...)
}

func equal(what string, got, want int64) error {
	if got == want {
		return nil
	}
	return fmt.Errorf("%s is %d, want %d", what, got, want)
}

func between(what string, got, low, high int64) error {
	if low <= got && got <= high {
		return nil
	}
	return fmt.Errorf("%s is %d, want %d to %d", what, got, low, high)
}

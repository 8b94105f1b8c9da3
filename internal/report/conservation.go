package report

import (
	"errors"
	"fmt"
)

// CheckConservation reports every way in which the report's counts do not add
// up, nil if they do. Whatever it finds is a fault of the program, never of the
// target.
func CheckConservation(r *Report) error {
	q := r.Requests
	var errs []error
	equal := func(what string, got, want int64) {
		if got != want {
			errs = append(errs, fmt.Errorf("%s is %d, want %d", what, got, want))
		}
	}
	between := func(what string, got, low, high int64) {
		if got < low || got > high {
			errs = append(errs, fmt.Errorf("%s is %d, want %d to %d", what, got, low, high))
		}
	}
	for _, n := range []int64{q.Due, q.Sent, q.Completed, q.Succeeded, q.Failed, q.Unsent, q.Unfinished} {
		if n < 0 {
			errs = append(errs, fmt.Errorf("a negative count in %+v", q))
			break
		}
	}
	equal("sent + unsent", q.Sent+q.Unsent, q.Due)
	equal("succeeded + failed + unfinished", q.Succeeded+q.Failed+q.Unfinished, q.Sent)
	between("completed", q.Completed, q.Succeeded, q.Succeeded+q.Failed)

	equal("response_time_ns.count", r.ResponseTime.Count, q.Succeeded)
	equal("failed_response_time_ns.count", r.FailedTime.Count, q.Failed)
	var statuses, kinds int64
	for _, n := range r.StatusCodes {
		statuses += n
	}
	for _, e := range r.Errors {
		kinds += e.Count
	}
	between("sum of status_codes", statuses, 0, q.Succeeded+q.Failed)
	between("sum of errors", kinds, 0, q.Failed)

	if len(r.Intervals) > 0 {
		var sum Interval
		for _, i := range r.Intervals {
			sum.Due += i.Due
			sum.Sent += i.Sent
			sum.Succeeded += i.Succeeded
			sum.Failed += i.Failed
		}
		equal("due over all intervals", sum.Due, q.Due)
		equal("sent over all intervals", sum.Sent, q.Sent)
		equal("succeeded over all intervals", sum.Succeeded, q.Succeeded)
		equal("failed over all intervals", sum.Failed, q.Failed)
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("adding up the requests of run %s: %w", r.RunID, err)
	}
	return nil
}

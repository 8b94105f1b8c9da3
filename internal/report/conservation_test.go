package report

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestCheckConservation(t *testing.T) {
	for _, r := range []*Report{success(), mixed(), timeouts(), interrupted(), open(), {}} {
		assert.NoError(t, CheckConservation(r))
	}
	for _, tc := range []struct {
		spoil func(*Report)
		want  string
		why   string
	}{
		{func(r *Report) { r.Requests.Due++ }, "sent + unsent is 5000, want 5001", "one vanished before it was sent"},
		{func(r *Report) { r.Requests.Unsent-- }, "sent + unsent is 4999, want 5000", "likewise"},
		{func(r *Report) { r.Requests.Unfinished-- }, "succeeded + failed + unfinished is 4995, want 4996", "one vanished in flight"},
		{func(r *Report) { r.Requests.Completed = 4987 }, "completed is 4987, want 4988 to 4993", "a success without a response"},
		{func(r *Report) { r.Requests.Completed = 4994 }, "completed is 4994, want 4988 to 4993", "more responses than requests"},
		{func(r *Report) { r.Requests = Requests{Due: -1, Unsent: -1} }, "a negative count", "adds up, but is nonsense"},
		{func(r *Report) { r.ResponseTime.Count-- }, "response_time_ns.count is 4987, want 4988", "a time was lost"},
		{func(r *Report) { r.FailedTime.Count++ }, "failed_response_time_ns.count is 6, want 5", "a time too many"},
		{func(r *Report) { r.StatusCodes["200"] = 6000 }, "sum of status_codes is 6002, want 0 to 4993", "a status too many"},
		{func(r *Report) { r.Errors[0].Count = 5 }, "sum of errors is 6, want 0 to 5", "an error too many"},
		{func(r *Report) { r.Intervals[3].Due++ }, "due over all intervals is 5001, want 5000", "the course has one too many"},
		{func(r *Report) { r.Intervals[3].Sent-- }, "sent over all intervals is 4995, want 4996", "or one too few"},
		{func(r *Report) { r.Intervals[3].Succeeded++ }, "succeeded over all intervals is 4989, want 4988", "or one too many"},
		{func(r *Report) { r.Intervals[3].Failed++ }, "failed over all intervals is 6, want 5", "or one too many"},
	} {
		r := open()
		tc.spoil(r)
		assert.ErrorContains(t, CheckConservation(r), tc.want, tc.why)
	}
	r := open()
	r.Requests.Due, r.ResponseTime.Count = 1, 1
	err := CheckConservation(r)
	assert.ErrorContains(t, err, "adding up the requests of run 3f2a9c: ")
	assert.ErrorContains(t, err, "want 1")
	assert.ErrorContains(t, err, "response_time_ns.count", "all faults are named")
}

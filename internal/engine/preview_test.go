package engine

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/loadtestkit/load-tester/internal/load"
	"github.com/loadtestkit/load-tester/internal/verdict"
)

// A limit that cannot be judged is known before anything is sent.
func TestPreviewTellsOfTooFewRequests(t *testing.T) {
	stages := func(s ...load.Stage) Load { return Load{Stages: s} }
	for _, c := range []struct {
		o    RunOptions
		want []string
		why  string
	}{
		{RunOptions{Requests: 2_000}, []string{"p99<=200ms needs 3,000 requests to judge, or 5s of load if none comes near it, Count is 2,000"}, "one of two limits"},
		{RunOptions{Requests: 2_000, Settings: Settings{Words: verdict.Flags}}, []string{"p99<=200ms needs 3,000 requests to judge, or 5s of load if none comes near it, --requests is 2,000"}, "in the words of the command"},
		{RunOptions{Requests: 3_000}, nil, "enough"},
		{RunOptions{Duration: time.Second}, nil, "nobody knows how many a second has"},
		{RunOptions{}, nil, "until the verdict is clear"},
		{RunOptions{Duration: 2 * time.Second, Settings: Settings{Load: Load{Rate: 1000}}}, []string{"p99<=200ms needs 3,000 requests to judge, or 5s of load if none comes near it, the schedule has 2,000"}, "2 s at 1000/s"},
		{RunOptions{Duration: 3 * time.Second, Settings: Settings{Load: Load{Rate: 1000}}}, nil, "enough"},
		{RunOptions{Duration: 3 * time.Second, Requests: 100, Settings: Settings{Load: Load{Rate: 1000}}},
			[]string{"p99<=200ms needs 3,000 requests to judge, Count is 100"}, "the lower of both bounds"},
		{RunOptions{Requests: 10}, []string{"p99<=200ms needs 3,000 requests to judge, Count is 10", "p50<=100ms needs 60 requests to judge, Count is 10"}, "both"},
		{RunOptions{Settings: Settings{Load: stages(load.Stage{For: 4 * time.Second, To: 1000})}}, []string{"p99<=200ms needs 3,000 requests to judge, or 5s of load if none comes near it, the schedule has 2,000"}, "a ramp"},
		{RunOptions{Settings: Settings{Warmup: time.Second, Load: stages(load.Stage{For: 4 * time.Second, From: 1000, To: 1000})}}, nil, "3 s after the warm-up"},
		{RunOptions{Settings: Settings{Warmup: 2 * time.Second, Load: stages(load.Stage{For: 4 * time.Second, From: 1000, To: 1000})}},
			[]string{"p99<=200ms needs 3,000 requests to judge, or 5s of load if none comes near it, the schedule has 2,000"}, "those of the warm-up do not count"},
		{RunOptions{Requests: 10, Settings: Settings{Waive: "-race"}}, nil, "times are not judged"},
	} {
		c.o.Target, c.o.Limits = Target{Handler: healthy}, limits(t, "p99<=200ms", "p50<=100ms")
		p, err := NewRun(c.o)
		require.NoError(t, err, c.why)
		var got []string
		for _, w := range p.Preview().Generator.Warnings {
			assert.Equal(t, "few_requests", w.Code)
			got = append(got, w.Text)
		}
		assert.Equal(t, c.want, got, c.why)
	}
}

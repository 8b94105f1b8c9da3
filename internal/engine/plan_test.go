package engine

import (
	"context"
	"errors"
	"math"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/loadtestkit/load-tester/internal/http1"
	"github.com/loadtestkit/load-tester/internal/load"
)

// faultsOf returns the faults that an error of NewRun joins.
func faultsOf(t *testing.T, err error) (fs []*Fault) {
	joined, ok := err.(interface{ Unwrap() []error })
	require.True(t, ok, "%v", err)
	for _, err := range joined.Unwrap() {
		var f *Fault
		require.True(t, errors.As(err, &f), "%v", err)
		require.Equal(t, f.Field+": "+f.Want, err.Error())
		fs = append(fs, f)
	}
	return fs
}

func fine() RunOptions { return RunOptions{Target: Target{URL: "http://127.0.0.1:1/"}, Requests: 10} }

func TestPlanRefuses(t *testing.T) {
	handler := http.NotFoundHandler()
	call := func(context.Context) error { return nil }
	steps := func(s ...load.Stage) []load.Stage { return s }
	for _, c := range []struct {
		field, want string
		edit        func(*RunOptions)
		why         string
	}{
		{"Target", "is missing, nil or empty, want a handler", func(o *RunOptions) { o.Target.URL = "" }, "nothing to send to"},
		{"Target", "exactly one", func(o *RunOptions) { o.Target.Func = call }, "two targets"},
		{"Target", "exactly one", func(o *RunOptions) { o.Target.Handler, o.Target.Func = handler, call }, "three targets"},
		{"ConnectionsAhead", "closed workload", func(o *RunOptions) { o.ConnectionsAhead = 5 }, "it would be ignored"},
		{"Seed", "without Poisson", func(o *RunOptions) { o.Rate, o.Seed = 5, 7 }, "it would be ignored"},
		{"Kept", "1.5 is out of range", func(o *RunOptions) { o.Rate, o.Kept = 5, 1.5 }, "more than is sent"},
		{"Kept", "without a Rate", func(o *RunOptions) { o.Kept = 0.9 }, "a part of nothing"},
		{"Rate", "-1 is out of range", func(o *RunOptions) { o.Rate, o.Kept = -1, 0.9 }, "a rate that is wrong is one"},
		{"Budget", "-1ns is out of range", func(o *RunOptions) { o.Requests, o.Rate, o.Kept, o.Budget = 0, 5, 0.9, -1 }, "no duration was asked for"},

		{"URL", `scheme "ftp"; want http or https`, func(o *RunOptions) { o.Target.URL = "ftp://h/" }, "a protocol it does not speak"},
		{"URL", "no scheme", func(o *RunOptions) { o.Target.URL = "localhost:80" }, "a host alone"},
		{"URL", `port "99999"`, func(o *RunOptions) { o.Target.URL = "http://h:99999" }, "a port past the last"},
		{"URL", `port "0"`, func(o *RunOptions) { o.Target.URL = "http://h:0" }, "no port at all"},
		{"URL", "no host", func(o *RunOptions) { o.Target.URL = "http:///x" }, "nothing there"},
		{"URL", "without brackets", func(o *RunOptions) { o.Target.URL = "http://::1/" }, "IPv6 needs brackets"},
		{"URL", "control character", func(o *RunOptions) { o.Target.URL = "http://h/\r\nX: y" }, "request splitting"},
		{"URL", `scheme "ftp"; want http or https`, func(o *RunOptions) { o.Target.URL, o.Target.Path = "ftp://h", "/a" }, "the path is right"},
		{"Path", "space in path", func(o *RunOptions) { o.Target.Path = "/a b" }, "the URL is right"},
		{"Path", "want a path such as", func(o *RunOptions) { o.Target.URL, o.Target.Handler, o.Target.Path = "", handler, "x" }, "not from the root"},
		{"Path", "space in path", func(o *RunOptions) { o.Target.URL, o.Target.Handler, o.Target.Path = "", handler, "/a b" }, "would end the request line"},
		{"Method", "not a token", func(o *RunOptions) { o.Target.Method = "GE T" }, "no method"},
		{"Method", "tunnel", func(o *RunOptions) { o.Target.Method = "CONNECT" }, "cannot be measured"},
		{"Header", "not a token", func(o *RunOptions) { o.Target.Header = []http1.Field{{Name: "a b", Value: "c"}} }, "a name with a space"},
		{"Header", "control character", func(o *RunOptions) { o.Target.Header = []http1.Field{{Name: "a", Value: "b\r\nc"}} }, "header injection"},
		{"Header", "but the body has 3", func(o *RunOptions) {
			o.Target.Body, o.Target.Header = []byte("abc"), []http1.Field{{Name: "Content-Length", Value: "4"}}
		}, "would hang every request"},

		{"Requests", "-1 is negative", func(o *RunOptions) { o.Requests = -1 }, "never means unlimited"},
		{"Requests", "at least one of them", func(o *RunOptions) { o.Requests = 0 }, "no end"},
		{"Requests", "at least one of them", func(o *RunOptions) { o.Requests, o.Rate = 0, 10 }, "no end"},
		{"Duration", "-1s is out of range", func(o *RunOptions) { o.Duration = -time.Second }, "never means unlimited"},
		{"Duration", "out of range", func(o *RunOptions) { o.Duration = math.MaxInt64 }, "the end plus a grace period would overflow"},
		{"Warmup", "-1ns is out of range", func(o *RunOptions) { o.Warmup = -1 }, "negative"},
		{"Warmup", "as long as all stages", func(o *RunOptions) {
			o.Warmup, o.Stages = 2*time.Second, steps(load.Stage{For: time.Second, From: 1, To: 1}, load.Stage{For: time.Second})
		}, "nothing would be measured"},
		{"Timeout", "out of range", func(o *RunOptions) { o.Timeout = -time.Second }, "wrk counts every request as timed out at 0"},
		{"Grace", "out of range", func(o *RunOptions) { o.Grace = -time.Second }, "negative"},
		{"Concurrency", "-1 is out of range", func(o *RunOptions) { o.Concurrency = -1 }, "never means unlimited"},
		{"Concurrency", "want 1 to 1000000", func(o *RunOptions) { o.Concurrency = 1_000_001 }, "a slip of the finger"},

		{"Rate", "out of range", func(o *RunOptions) { o.Rate = -1 }, "negative"},
		{"Rate", "NaN is out of range", func(o *RunOptions) { o.Rate = math.NaN() }, "not a number"},
		{"Rate", "+Inf is out of range", func(o *RunOptions) { o.Rate = math.Inf(1) }, "all at once"},
		{"Rate", "1e+12 is out of range", func(o *RunOptions) { o.Rate = 1e12 }, "faster than the clock"},
		{"Rate", "out of range", func(o *RunOptions) { o.Rate = 1e-300 }, "the second arrival's due time would overflow, and flood"},
		{"Rate", "Stages are set too", func(o *RunOptions) { o.Rate, o.Stages = 1, steps(load.Stage{For: 1, From: 1, To: 1}) }, "two schedules"},
		{"Stages", "stage 2 lasts 0s", func(o *RunOptions) { o.Stages = steps(load.Stage{For: 1, From: 1, To: 1}, load.Stage{}) }, "no time"},
		{"Stages", "stage 1 goes from -1 to 1", func(o *RunOptions) { o.Stages = steps(load.Stage{For: 1, From: -1, To: 1}) }, "negative rate"},
		{"Stages", "stage 1 goes from 0 to NaN", func(o *RunOptions) { o.Stages = steps(load.Stage{For: 1, To: math.NaN()}) }, "not a number"},
		{"Stages", "stage 1 goes from 0 to +Inf", func(o *RunOptions) { o.Stages = steps(load.Stage{For: 1, To: math.Inf(1)}) }, "all at once"},
		{"Stages", "every rate is 0", func(o *RunOptions) { o.Stages = steps(load.Stage{For: time.Second}) }, "nothing would ever be due"},
		{"Stages", "want less", func(o *RunOptions) {
			o.Stages = steps(load.Stage{For: maxTime, From: 1}, load.Stage{For: maxTime, From: 1})
		}, "their sum would overflow"},
		{"Poisson", "closed workload", func(o *RunOptions) { o.Poisson = true }, "no schedule to be random"},
	} {
		o := fine()
		c.edit(&o)
		_, err := NewRun(o)
		if assert.Error(t, err, c.why) {
			fs := faultsOf(t, err)
			assert.Len(t, fs, 1, "%s: %v", c.why, err)
			assert.Equal(t, c.field, fs[0].Field, c.why)
			assert.Contains(t, fs[0].Want, c.want, c.why)
		}
	}
}

func TestPlanNamesAllFaultsAtOnce(t *testing.T) {
	_, err := NewRun(RunOptions{
		Target:   Target{URL: "ftp://h/", RequestOptions: RequestOptions{Method: "a b", Header: []http1.Field{{Name: "", Value: "x"}}}},
		Settings: Settings{Load: Load{Concurrency: -1, Rate: -1, Stages: []load.Stage{{For: -1}}}, Warmup: -1, Timeout: -1, Grace: -1},
		Requests: -1, Duration: -1,
	})
	var fields []string
	for _, f := range faultsOf(t, err) {
		fields = append(fields, f.Field)
	}
	slices.Sort(fields)
	assert.Equal(t, []string{
		"Concurrency", "Duration", "Grace", "Header", "Method", "Rate", "Requests", "Stages", "Timeout", "URL", "Warmup",
	}, slices.Compact(fields))
}

func TestPlanDefaults(t *testing.T) {
	check := func(concurrency, ahead int, why string, edit func(*RunOptions)) {
		t.Helper()
		o := fine()
		edit(&o)
		p := newRun(t, o).arm
		assert.Equal(t, concurrency, p.Concurrency, why)
		assert.Equal(t, ahead, p.ahead(), why)
		assert.Equal(t, 10*time.Second, p.Timeout)
		assert.Equal(t, 10*time.Second, p.Grace, "the timeout")
	}
	check(10, 0, "closed", func(o *RunOptions) {})
	check(1000, 100, "open: what 100 ms keep in flight", func(o *RunOptions) { o.Rate = 1000 })
	check(1000, 1, "rounded up", func(o *RunOptions) { o.Rate = 0.5 })
	check(1000, 256, "bounded", func(o *RunOptions) { o.Rate = 1e6 })
	check(5, 5, "never above the permits", func(o *RunOptions) { o.Rate, o.Concurrency = 1000, 5 })
	check(1000, 0, "none", func(o *RunOptions) { o.Rate, o.ConnectionsAhead = 1000, -1 })
	check(1000, 700, "as asked", func(o *RunOptions) { o.Rate, o.ConnectionsAhead = 1000, 700 })
	check(1000, 0, "a ramp from nothing", func(o *RunOptions) { o.Stages = []load.Stage{{For: time.Second, To: 1000}} })

	o := fine()
	o.Rate, o.Poisson = 1, true
	seed := newRun(t, o).arm.schedule.Seed
	assert.NotZero(t, seed, "so that the document can name it")
	assert.NotEqual(t, seed, newRun(t, o).arm.schedule.Seed, "a random one")
}

// A path replaces that of a URL, with its query.
func TestPathOfATarget(t *testing.T) {
	for url, want := range map[string]string{
		"http://h:1":            "http://h:1/a?b=c",
		"http://h:1/":           "http://h:1/a?b=c",
		"http://h:1/x/y?z=/q":   "http://h:1/a?b=c",
		"https://[::1]?z#there": "https://[::1]/a?b=c",
	} {
		o := RunOptions{Target: Target{URL: url, RequestOptions: RequestOptions{Path: "/a?b=c"}}, Requests: 1}
		assert.Equal(t, want, newRun(t, o).arm.request.URL(), url)
	}
}

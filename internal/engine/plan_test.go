package engine

import (
	"context"
	"crypto/tls"
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

// faults returns the faults that an error of NewPlan joins.
func faults(t *testing.T, err error) (fs []*Fault) {
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

func fine() Options { return Options{URL: "http://127.0.0.1:1/", Requests: 10} }

func TestPlanRefuses(t *testing.T) {
	handler := http.NotFoundHandler()
	call := func(context.Context) error { return nil }
	steps := func(s ...load.Stage) []load.Stage { return s }
	for _, c := range []struct {
		field, want string
		edit        func(*Options)
		why         string
	}{
		{"Target", "exactly one", func(o *Options) { o.URL = "" }, "nothing to send to"},
		{"Target", "exactly one", func(o *Options) { o.Func = call }, "two targets"},
		{"Target", "exactly one", func(o *Options) { o.Handler, o.Func = handler, call }, "three targets"},
		{"Method", "a function sends no request", func(o *Options) { o.URL, o.Func, o.Method = "", call, "POST" }, "it would be ignored"},
		{"ConnectionsAhead", "closed workload", func(o *Options) { o.ConnectionsAhead = 5 }, "it would be ignored"},
		{"Seed", "without Poisson", func(o *Options) { o.Rate, o.Seed = 5, 7 }, "it would be ignored"},
		{"TLSConfig", "certificate of its own", func(o *Options) { o.URL, o.Handler, o.TLSConfig = "", handler, &tls.Config{} }, "it would be replaced"},
		{"Body", "a function sends no request", func(o *Options) { o.URL, o.Func, o.Body = "", call, []byte("x") }, "it would be ignored"},

		{"URL", `scheme "ftp"; want http or https`, func(o *Options) { o.URL = "ftp://h/" }, "a protocol it does not speak"},
		{"URL", "no scheme", func(o *Options) { o.URL = "localhost:80" }, "a host alone"},
		{"URL", `port "99999"`, func(o *Options) { o.URL = "http://h:99999" }, "a port past the last"},
		{"URL", `port "0"`, func(o *Options) { o.URL = "http://h:0" }, "no port at all"},
		{"URL", "no host", func(o *Options) { o.URL = "http:///x" }, "nobody there"},
		{"URL", "without brackets", func(o *Options) { o.URL = "http://::1/" }, "IPv6 needs brackets"},
		{"URL", "control character", func(o *Options) { o.URL = "http://h/\r\nX: y" }, "request splitting"},
		{"Path", "only a handler", func(o *Options) { o.Path = "/x" }, "a URL has its own, this would be lost"},
		{"Path", "want a path such as", func(o *Options) { o.URL, o.Handler, o.Path = "", handler, "x" }, "not from the root"},
		{"Path", "space in path", func(o *Options) { o.URL, o.Handler, o.Path = "", handler, "/a b" }, "would end the request line"},
		{"Method", "not a token", func(o *Options) { o.Method = "GE T" }, "no method"},
		{"Method", "tunnel", func(o *Options) { o.Method = "CONNECT" }, "cannot be measured"},
		{"Header", "not a token", func(o *Options) { o.Header = []http1.Field{{Name: "a b", Value: "c"}} }, "a name with a space"},
		{"Header", "control character", func(o *Options) { o.Header = []http1.Field{{Name: "a", Value: "b\r\nc"}} }, "header injection"},
		{"Header", "but the body has 3", func(o *Options) {
			o.Body, o.Header = []byte("abc"), []http1.Field{{Name: "Content-Length", Value: "4"}}
		}, "would hang every request"},

		{"Requests", "-1 is negative", func(o *Options) { o.Requests = -1 }, "never means unlimited"},
		{"Requests", "at least one of them", func(o *Options) { o.Requests = 0 }, "no end"},
		{"Requests", "at least one of them", func(o *Options) { o.Requests, o.Rate = 0, 10 }, "no end"},
		{"Duration", "-1s is out of range", func(o *Options) { o.Duration = -time.Second }, "never means unlimited"},
		{"Duration", "out of range", func(o *Options) { o.Duration = math.MaxInt64 }, "the end plus a grace period would overflow"},
		{"Warmup", "-1ns is out of range", func(o *Options) { o.Warmup = -1 }, "negative"},
		{"Warmup", "as long as all stages", func(o *Options) {
			o.Warmup, o.Stages = 2*time.Second, steps(load.Stage{For: time.Second, From: 1, To: 1}, load.Stage{For: time.Second})
		}, "nothing would be measured"},
		{"Timeout", "out of range", func(o *Options) { o.Timeout = -time.Second }, "wrk counts every request as timed out at 0"},
		{"Grace", "out of range", func(o *Options) { o.Grace = -time.Second }, "negative"},
		{"Concurrency", "-1 is out of range", func(o *Options) { o.Concurrency = -1 }, "never means unlimited"},
		{"Concurrency", "want 1 to 1000000", func(o *Options) { o.Concurrency = 1_000_001 }, "a slip of the finger"},

		{"Rate", "out of range", func(o *Options) { o.Rate = -1 }, "negative"},
		{"Rate", "NaN is out of range", func(o *Options) { o.Rate = math.NaN() }, "not a number"},
		{"Rate", "+Inf is out of range", func(o *Options) { o.Rate = math.Inf(1) }, "all at once"},
		{"Rate", "1e+12 is out of range", func(o *Options) { o.Rate = 1e12 }, "faster than the clock"},
		{"Rate", "out of range", func(o *Options) { o.Rate = 1e-300 }, "the second arrival's due time would overflow, and flood"},
		{"Rate", "Stages are set too", func(o *Options) { o.Rate, o.Stages = 1, steps(load.Stage{For: 1, From: 1, To: 1}) }, "two schedules"},
		{"Stages", "stage 2 lasts 0s", func(o *Options) { o.Stages = steps(load.Stage{For: 1, From: 1, To: 1}, load.Stage{}) }, "no time"},
		{"Stages", "stage 1 goes from -1 to 1", func(o *Options) { o.Stages = steps(load.Stage{For: 1, From: -1, To: 1}) }, "negative rate"},
		{"Stages", "stage 1 goes from 0 to NaN", func(o *Options) { o.Stages = steps(load.Stage{For: 1, To: math.NaN()}) }, "not a number"},
		{"Stages", "stage 1 goes from 0 to +Inf", func(o *Options) { o.Stages = steps(load.Stage{For: 1, To: math.Inf(1)}) }, "all at once"},
		{"Stages", "every rate is 0", func(o *Options) { o.Stages = steps(load.Stage{For: time.Second}) }, "nothing would ever be due"},
		{"Stages", "want less", func(o *Options) {
			o.Stages = steps(load.Stage{For: maxTime, From: 1}, load.Stage{For: maxTime, From: 1})
		}, "their sum would overflow"},
		{"Poisson", "closed workload", func(o *Options) { o.Poisson = true }, "no schedule to be random"},
	} {
		o := fine()
		c.edit(&o)
		_, err := NewPlan(o)
		if assert.Error(t, err, c.why) {
			fs := faults(t, err)
			assert.Len(t, fs, 1, "%s: %v", c.why, err)
			assert.Equal(t, c.field, fs[0].Field, c.why)
			assert.Contains(t, fs[0].Want, c.want, c.why)
		}
	}
}

func TestPlanNamesAllFaultsAtOnce(t *testing.T) {
	_, err := NewPlan(Options{
		URL: "ftp://h/", Method: "a b", Header: []http1.Field{{Name: "", Value: "x"}},
		Requests: -1, Duration: -1, Warmup: -1, Timeout: -1, Grace: -1, Concurrency: -1,
		Rate: -1, Stages: []load.Stage{{For: -1}},
	})
	var fields []string
	for _, f := range faults(t, err) {
		fields = append(fields, f.Field)
	}
	slices.Sort(fields)
	assert.Equal(t, []string{
		"Concurrency", "Duration", "Grace", "Header", "Method", "Rate", "Requests", "Stages", "Timeout", "URL", "Warmup",
	}, slices.Compact(fields))
}

func TestPlanDefaults(t *testing.T) {
	check := func(concurrency, ahead int, why string, edit func(*Options)) {
		t.Helper()
		o := fine()
		edit(&o)
		p, err := NewPlan(o)
		require.NoError(t, err, why)
		assert.Equal(t, concurrency, p.opts.Concurrency, why)
		assert.Equal(t, ahead, p.ahead, why)
		assert.Equal(t, 10*time.Second, p.opts.Timeout)
		assert.Equal(t, 10*time.Second, p.opts.Grace, "the timeout")
	}
	check(10, 0, "closed", func(o *Options) {})
	check(1000, 100, "open: what 100 ms keep in flight", func(o *Options) { o.Rate = 1000 })
	check(1000, 1, "rounded up", func(o *Options) { o.Rate = 0.5 })
	check(1000, 256, "bounded", func(o *Options) { o.Rate = 1e6 })
	check(5, 5, "never above the permits", func(o *Options) { o.Rate, o.Concurrency = 1000, 5 })
	check(1000, 0, "none", func(o *Options) { o.Rate, o.ConnectionsAhead = 1000, -1 })
	check(1000, 700, "as asked", func(o *Options) { o.Rate, o.ConnectionsAhead = 1000, 700 })
	check(1000, 0, "a ramp from nothing", func(o *Options) { o.Stages = []load.Stage{{For: time.Second, To: 1000}} })

	o := fine()
	o.Rate, o.Poisson = 1, true
	p, err := NewPlan(o)
	require.NoError(t, err)
	assert.NotZero(t, p.opts.Seed, "chosen, so that the report can name it")
	assert.Equal(t, p.opts.Seed, p.schedule.Seed)
	assert.Zero(t, o.Seed, "on a copy")
}

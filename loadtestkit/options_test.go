package loadtestkit

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"math"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Whatever is wrong is said in one line, under the name that the user wrote.
func TestFaultsHaveTheNamesOfFields(t *testing.T) {
	good := Func(func(context.Context) error { return nil })
	run := func(o Options) func(testing.TB) {
		return func(t testing.TB) {
			if o.Target == nil {
				o.Target = good
			}
			Run(t, o)
		}
	}
	compare := func(o CompareOptions) func(testing.TB) {
		return func(t testing.TB) {
			if o.Base == nil {
				o.Base, o.Head = good, good
			}
			Compare(t, o)
		}
	}
	find := func(o CapacityOptions) func(testing.TB) {
		return func(t testing.TB) {
			if o.Target == nil {
				o.Target = good
			}
			FindCapacity(t, o)
		}
	}
	for _, c := range []struct {
		what string
		call func(testing.TB)
		want string // from the first fault on
	}{
		{"no target", func(t testing.TB) { Run(t, Options{}) }, "Target: is missing, nil or empty, want a handler, a URL, a command or a function"},
		{"zero server", run(Options{Target: Server{}}), "Target: is missing, nil or empty, want a handler, a URL, a command or a function"},
		{"no handler", run(Options{Target: Handler(nil)}), "Target: is missing, nil or empty, want a handler, a URL, a command or a function"},
		{"no URL", run(Options{Target: URL("").Get("/items")}), "Target: is missing, nil or empty, want a handler, a URL, a command or a function"},
		{"no function", run(Options{Target: Func(nil)}), "Target: is missing, nil or empty, want a handler, a URL, a command or a function"},
		{"scheme", run(Options{Target: URL("ftp://x/")}), "Target: "},
		{"path", run(Options{Target: sleeping(0).Get("items")}), `Request.Path: "items", want a path such as /`},
		{"method", run(Options{Target: sleeping(0).Send(Request{Method: "GE T"})}), "Request.Method: "},
		{"header", run(Options{Target: sleeping(0).Send(Request{Header: http.Header{"A": {"x\ny"}}})}), "Request.Header: "},
		{"count", run(Options{Count: -1}), "Count: -1 is negative, want at least 1"},
		{"duration", run(Options{Duration: -1}), "Duration: -1ns is out of range, want a time such as 10s"},
		{"warm-up", run(Options{Warmup: -1}), "Warmup: -1ns is out of range"},
		{"timeout", run(Options{Timeout: -1}), "Timeout: -1ns is out of range"},
		{"grace", run(Options{Grace: -1}), "Grace: -1ns is out of range"},
		{"budget", run(Options{Budget: -1}), "Budget: -1ns is out of range"},
		{"closed", run(Options{Load: Closed(-5)}), "Closed: -5 is out of range, want 1 to 1000000"},
		{"no rate", run(Options{Load: Open{Poisson: true}}), "Open.Rate: 0, want arrivals per second such as 500"},
		{"rate", run(Options{Load: Open{Rate: -5}}), "Open.Rate: -5 is out of range, want arrivals per second from 1e-6 to 1e9"},
		{"NaN", run(Options{Load: Open{Rate: math.NaN()}}), "Open.Rate: NaN is out of range"},
		{"open permits", run(Options{Load: Open{Rate: 5, Concurrency: -1}}), "Open.Concurrency: -1 is out of range"},
		{"ahead", run(Options{Load: Open{Rate: 5, ConnectionsAhead: -1}}), "Open.ConnectionsAhead: -1 is negative, want at least 1"},
		{"seed", run(Options{Load: Open{Rate: 5, Seed: 3}}), "Open.Seed: 3 without Poisson arrivals, want them too or no seed"},
		{"stages seed", run(Options{Load: Staged{Stages: []Stage{{Duration: 1, To: 5}}, Seed: 3}}), "Staged.Seed: 3 without Poisson arrivals"},
		{"no stages", run(Options{Load: Staged{}}), "Staged.Stages: none, want at least one"},
		{"stage", run(Options{Load: Staged{Stages: []Stage{{To: 5}}}}), "Staged.Stages: stage 1 lasts 0s, want a time such as 30s"},
		{"stages ahead", run(Options{Load: Staged{Stages: []Stage{{Duration: 1, To: 5}}, ConnectionsAhead: -1}}), "Staged.ConnectionsAhead: -1"},
		{"limit", run(Options{Limits: Limits{P99: -1}}), "Limits.P99: -1ns is negative, want a time such as 50ms"},
		{"ratio", run(Options{Limits: Limits{ErrorRatio: 2}}), "Limits.ErrorRatio: 2 is out of range, want 0 to 1"},
		{"goodput", run(Options{Limits: Limits{Goodput: math.Inf(1)}}), "Limits.Goodput: +Inf is out of range, want responses per second such as 500"},
		{"kept", run(Options{Load: Open{Rate: 5}, Limits: Limits{Kept: 95}}), "Limits.Kept: 95 is out of range"},
		{"kept of nothing", run(Options{Limits: Limits{Kept: 0.95}}), "Limits.Kept: 0.95 without a Rate"},
		{"processor time", compare(CompareOptions{Tolerance: Tolerance{CPU: -1}}), "Tolerance.CPU: -1 is out of range, want a share such as 0.05, which is 5 %"},
		{"objects", compare(CompareOptions{Tolerance: Tolerance{Allocs: math.Inf(1)}}), "Tolerance.Allocs: +Inf is out of range, want a number of objects such as 2"},
		{"octets", compare(CompareOptions{Tolerance: Tolerance{Bytes: math.NaN()}}), "Tolerance.Bytes: NaN is out of range, want a number of octets such as 512"},
		{"objects elsewhere", compare(CompareOptions{Base: URL("http://127.0.0.1"), Head: good, Tolerance: Tolerance{Allocs: 1}}), "Tolerance.Allocs: is judged where both targets are Go code in this process"},
		{"margin", compare(CompareOptions{Margin: 0.9}), "Margin: 0.9 is out of range, want at least 1, such as 1.2"},
		{"claim", compare(CompareOptions{Claims: []string{"work", "fast"}}), `Claims: "fast" is unknown, want some of work, quick, alone, burst, tail, load, locks, allocs, bytes`},
		{"guards", compare(CompareOptions{Claims: []string{"load", "locks"}}), "Claims: load and locks cannot pass, want one that has a tolerance, other than load and locks"},
		{"uncounted", compare(CompareOptions{Claims: []string{"allocs"}}), "Claims: allocs cannot pass, want one that has a tolerance, other than load and locks"},
		{"tolerance", run(Options{Tolerance: Tolerance{P50: -0.1}}), "Tolerance.P50: -0.1 is out of range, want a share such as 0.05, which is 5 %"},
		{"tolerance of nothing", run(Options{Tolerance: Tolerance{P50: 0.1}}), "Tolerance: is set without a Baseline to be judged by; want both, or Compare"},
		{"verdict", run(Options{OnInconclusive: 7}), "OnInconclusive: 7 is unknown, want Passed or Failed"},

		{"base", compare(CompareOptions{Base: URL("ftp://x"), Head: good}), "Base: "},
		{"head", compare(CompareOptions{Base: good}), "Head: is missing, nil or empty, want a handler"},
		{"compared", compare(CompareOptions{Load: Open{Rate: -1}}), "Open.Rate: -1 is out of range"},
		{"compared closed", compare(CompareOptions{Load: Closed(-1)}), "Closed: -1 is out of range"},
		{"compared ratio", compare(CompareOptions{ErrorRatio: -1}), "ErrorRatio: -1 is out of range, want 0 to 1"},
		{"compared tolerance", compare(CompareOptions{Tolerance: Tolerance{P99: -1}}), "Tolerance.P99: -1"},
		{"compared verdict", compare(CompareOptions{OnInconclusive: 7}), "OnInconclusive: 7"},

		{"searched", find(CapacityOptions{P99: -1}), "P99: -1ns is negative"},
		{"start", find(CapacityOptions{Start: -1}), "Start: -1 is out of range"},
		{"most", find(CapacityOptions{Start: 200, Most: 100}), "Most: 100 is out of range"},
		{"search seed", find(CapacityOptions{Seed: 3}), "Seed: 3 without Poisson arrivals"},
		{"search permits", find(CapacityOptions{Concurrency: -1}), "Concurrency: -1 is out of range"},
	} {
		t.Run(c.what, func(t *testing.T) {
			f := &fakeTB{}
			f.run(c.call)
			require.True(t, f.fatal)
			require.Len(t, f.errors, 1)
			assert.Contains(t, f.errors[0], "loadtestkit: options: "+c.want)
			assert.NotContains(t, f.errors[0], "\n")
			assert.Equal(t, 2, strings.Count(f.errors[0], "options: ")+strings.Count(f.errors[0], c.want), "said once: %s", f.errors[0])
		})
	}
}

func TestAllFaultsAreNamedTogether(t *testing.T) {
	f, _ := runFake(&fakeTB{}, Options{
		Target: URL("ftp://x/"), Load: Open{ConnectionsAhead: -1}, Timeout: -1, Limits: Limits{P99: -1, ErrorRatio: 2},
	})
	require.True(t, f.fatal)
	require.Len(t, f.errors, 1)
	for _, want := range []string{"loadtestkit: options: ", "Target: ", "Open.Rate: 0", "Open.ConnectionsAhead: -1", "Timeout: ", "Limits.P99: ", "Limits.ErrorRatio: "} {
		assert.Contains(t, f.errors[0], want)
	}
	assert.NotContains(t, f.errors[0], "\n")
	assert.NotContains(t, f.errors[0], "closed workload", "which nobody asked for")
}

// The names that faults are given are those of fields that exist.
func TestFieldNamesExist(t *testing.T) {
	parents := map[string]reflect.Type{
		"Request": reflect.TypeFor[Request](), "Server": reflect.TypeFor[Server](), "Limits": reflect.TypeFor[Limits](),
		"Open": reflect.TypeFor[Open](), "Staged": reflect.TypeFor[Staged](), "Tolerance": reflect.TypeFor[Tolerance](),
	}
	for _, name := range fieldNames {
		parent, field, nested := strings.Cut(name, ".")
		if nested {
			_, ok := parents[parent].FieldByName(field)
			assert.True(t, ok, name)
			continue
		}
		found := name == "Closed"
		for _, of := range []reflect.Type{reflect.TypeFor[Options](), reflect.TypeFor[CapacityOptions]()} {
			_, ok := of.FieldByName(name)
			found = found || ok
		}
		assert.True(t, found, name)
	}
}

// The settings of a server hold for each of its requests.
func TestServerSettings(t *testing.T) {
	closing, traced := 0, 0
	server := Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Close {
			closing++
		}
		if r.Header.Get("Traceparent") != "" {
			traced++
		}
	}))
	server.NoKeepAlive, server.Traceparent = true, true
	for _, target := range []Target{server, server.Get("/items")} {
		closing, traced = 0, 0
		r, err := Measure(t.Context(), Options{Target: target, Load: Closed(1), Count: 5})
		require.NoError(t, err)
		assert.EqualValues(t, 5, r.Succeeded)
		assert.Equal(t, 5, closing)
		assert.Equal(t, 5, traced)
	}
}

func TestTLSConfigOfAURL(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(ok))
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // it complains of the client that trusts nobody
	s.StartTLS()
	defer s.Close()
	server := URL(s.URL + "/nowhere")
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	server.TLSConfig = &tls.Config{RootCAs: roots}
	r, err := Measure(t.Context(), Options{Target: server.Get("/items"), Count: 10})
	require.NoError(t, err)
	assert.Equal(t, map[int]int64{200: 10}, r.StatusCodes)

	_, err = Measure(t.Context(), Options{Target: URL(s.URL), Count: 10})
	assert.ErrorContains(t, err, "certificate")
}

// A wrong load has no faults that only follow from what is wrong, and hides none.
func TestFaultsOfALoadAreItsOwn(t *testing.T) {
	const noRate = "Open.Rate: 0, want arrivals per second such as 500"
	const noStages = "Staged.Stages: none, want at least one"
	for _, c := range []struct {
		load Load
		kept float64
		want []string
	}{
		{Open{}, 0.9, []string{noRate}},
		{Open{Rate: -5}, 0.9, []string{"Open.Rate: -5 is out of range, want arrivals per second from 1e-6 to 1e9"}},
		{Open{Poisson: true, Seed: 3, ConnectionsAhead: 5}, 0, []string{noRate}},
		{Open{Concurrency: -1, Seed: 3}, 0, []string{
			noRate, "Open.Concurrency: -1 is out of range, want 1 to 1000000", "Open.Seed: 3 without Poisson arrivals, want them too or no seed",
		}},
		{Open{ConnectionsAhead: -1}, 0, []string{"Open.ConnectionsAhead: -1 is negative, want at least 1", noRate}},
		{Staged{Poisson: true, ConnectionsAhead: 5}, 0, []string{noStages}},
		{Staged{Concurrency: -1}, 0.9, []string{
			noStages, "Limits.Kept: 0.9 without a Rate to be a part of; want one with it", "Staged.Concurrency: -1 is out of range, want 1 to 1000000",
		}},
	} {
		f, _ := runFake(&fakeTB{}, Options{Target: taking(0), Load: c.load, Limits: Limits{Kept: c.kept}, Warmup: time.Second})
		require.Len(t, f.errors, 1)
		assert.Equal(t, "loadtestkit: options: "+strings.Join(c.want, "; "), f.errors[0])
	}
}

func TestSeedOfPoissonArrivals(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r, err := Measure(t.Context(), Options{Target: taking(time.Millisecond), Load: Open{Rate: 100, Seed: 7, Poisson: true}, Count: 5})
		require.NoError(t, err)
		assert.EqualValues(t, 7, r.data.Config.Seed)
	})
}

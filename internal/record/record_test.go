package record

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/loadtestkit/load-tester/internal/hist"
)

var thresholds = []time.Duration{time.Millisecond, 20 * time.Millisecond}

// part returns a record of n random requests with two routes. They end in every
// possible way.
func part(open bool, n int, seed uint64) *Record {
	rng := rand.New(rand.NewPCG(seed, 1))
	r := New(open, thresholds)
	routes := []*Record{New(open, thresholds), New(open, thresholds)}
	routes[0].Name, routes[1].Name = "GET /a", "GET /b"
	r.From = time.Unix(1000-int64(seed), 0).UTC()
	for i := range n {
		due := time.Duration(rng.Int64N(int64(3 * time.Second)))
		s := Sample{N: int64(seed)*1_000_000 + int64(i), Due: due, Sent: due}
		if open {
			s.Waited = time.Duration(rng.Int64N(1e6))
			s.Sent += s.Waited + time.Duration(rng.Int64N(1e5))
		}
		s.Done = s.Sent + time.Duration(rng.ExpFloat64()*5e6).Round(10*time.Microsecond) // some are equal
		s.Octets = Octets{Sent: 100, Received: 200, Body: 50}
		s.Arriving = (s.Done - s.Sent) / 2
		if rng.IntN(5) == 0 {
			s.Stale, s.SentAgain = time.Duration(1+rng.IntN(1000)), rng.IntN(2) == 0
		}
		s.Unanswered = rng.IntN(9) == 0
		switch rng.IntN(8) {
		case 0:
			s.Kind, s.Err = Timeout, errors.New("no response")
		case 1:
			s.Status, s.Unexpected = 503, true
		case 2: // a Go function
		default:
			s.Status = 200
		}
		for _, to := range []*Record{r, routes[i%2]} {
			switch rng.IntN(20) {
			case 0:
				to.AddUnsent(due, 1)
			case 1:
				to.AddUnfinished(s.Due, s.Sent)
			default:
				to.Add(&s)
			}
		}
	}
	r.Offering = time.Duration(seed) * time.Second
	r.Until = r.Offering + 1
	r.PeakInFlight, r.Exhausted, r.Rested, r.Connections = int(seed), time.Duration(seed), time.Duration(seed), int64(seed)
	r.Connecting.Record(int64(seed))
	r.Handshakes.RecordN(int64(seed), 2)
	r.Addresses = []Address{{"10.0.0.1", int64(seed), 1}, {fmt.Sprintf("10.0.0.%d", 1+seed), 1, 0}}
	r.Routes = routes
	return r
}

func encodedText(t *testing.T, r *Record) string {
	t.Helper()
	b, err := json.Marshal(r)
	require.NoError(t, err)
	return string(b)
}

func sum(parts ...*Record) *Record {
	total := New(parts[0].Open, thresholds)
	for _, p := range parts {
		total.Merge(p)
	}
	return total
}

// Parts may be merged in any order and grouping: every count of the sum is the same.
func TestMergeIsAssociativeAndOrderFree(t *testing.T) {
	for _, open := range []bool{true, false} {
		a, b, c := part(open, 500, 1), part(open, 900, 2), part(open, 30, 3)
		want := encodedText(t, sum(a, b, c))
		assert.Equal(t, want, encodedText(t, sum(c, a, b)))
		assert.Equal(t, want, encodedText(t, sum(a, sum(c, b))))
		assert.Equal(t, want, encodedText(t, sum(sum(b, a), c)))
		require.NoError(t, sum(a, b, c).Check())
		assert.Equal(t, a.Due+b.Due+c.Due, sum(a, b, c).Due)
		for _, of := range []func(*Record) *hist.Histogram{
			func(r *Record) *hist.Histogram { return r.Split }, func(r *Record) *hist.Histogram { return r.FirstOctet },
			func(r *Record) *hist.Histogram { return r.Connecting }, func(r *Record) *hist.Histogram { return r.Handshakes },
		} {
			assert.Positive(t, of(a).Count())
			assert.Equal(t, of(a).Count()+of(b).Count()+of(c).Count(), of(sum(a, b, c)).Count())
		}
		assert.Equal(t, a.Routes[1].Sent+b.Routes[1].Sent+c.Routes[1].Sent, sum(a, b, c).Routes[1].Sent, "route by route")
	}
}

// A record that was saved, read back and merged equals one that was only merged.
func TestRecordIsReadBack(t *testing.T) {
	for _, open := range []bool{true, false} {
		a, b := part(open, 500, 1), part(open, 900, 2)
		a.Control = part(open, 20, 4)
		a.Machine.Wall, a.Machine.Steal = time.Second, new(0.1)
		var back Record
		require.NoError(t, json.Unmarshal([]byte(encodedText(t, a)), &back))
		assert.Equal(t, encodedText(t, a), encodedText(t, &back))
		want, got := sum(a, b), sum(b, &back)
		assert.Equal(t, encodedText(t, want), encodedText(t, got))
		assert.Equal(t, want.Series.Intervals(), got.Series.Intervals())
	}
}

func TestRecordsThatCannotBeRead(t *testing.T) {
	text := encodedText(t, part(true, 100, 1))
	check := func(old, replacement, want string) {
		t.Helper()
		require.Contains(t, text, old)
		var r Record
		assert.ErrorContains(t, json.Unmarshal([]byte(strings.Replace(text, old, replacement, 1)), &r), want)
	}
	check(`"version":1`, `"version":2`, "version 2, want 1")
	check(`"timeout":`, `"timeuot":`, `unknown kind "timeuot"`)
	check(`"unsent":`, `"unsent":1`, "sent + unsent is")
	check(`"thresholds_ns":[1000000`, `"thresholds_ns":[1000001`, "thresholds")
	check(`"within":[`, `"within":[0,`, "thresholds")
	check(`"response":"`, `"response":null,"was":"`, "a histogram is missing")
	check(`"name":"GET /b"`, `"name":"GET /a"`, "order of their names")
	check(`"address":"10.0.0.1"`, `"address":"10.0.0.9"`, "addresses are not sorted")
	check(`{"200":`, `{"200":1`, "sum of statuses")
}

// A record with more times than requests is refused.
func TestRecordsWithTooManyTimes(t *testing.T) {
	for want, spoil := range map[string]func(*Record){
		"service times is 1, want 0":         func(r *Record) { r.Service.Record(1) },
		"times late is 1, want 0 to 0":       func(r *Record) { r.Lateness.Record(1) },
		"waits for a permit is 1, want 0 to": func(r *Record) { r.Waited.Record(1) },
		"to the first octet is 1, want 0":    func(r *Record) { r.FirstOctet.Record(1) },
		"several reads is 1, want 0 to 0":    func(r *Record) { r.Split.Record(1) },
		"within 1ms is -1, want 0 to 0":      func(r *Record) { r.Within[0] = -1 },
		"within 20ms is 1, want 0 to 0":      func(r *Record) { r.Within[1] = 1 },
	} {
		r := New(true, thresholds)
		r.AddUnfinished(0, 0)
		require.NoError(t, json.Unmarshal([]byte(encodedText(t, r)), new(Record)))
		spoil(r)
		assert.ErrorContains(t, json.Unmarshal([]byte(encodedText(t, r)), new(Record)), want)
	}
}

// Check finds every kind of contradiction.
func TestCheck(t *testing.T) {
	require.NoError(t, part(true, 1000, 1).Check())
	require.NoError(t, part(false, 1000, 1).Check())
	for what, spoil := range map[string]func(*Record){
		"a negative count":                  func(r *Record) { r.Unsent, r.Due = -1, r.Due-r.Unsent-1 },
		"sent + unsent":                     func(r *Record) { r.Due++ },
		"succeeded + failed + unfinished":   func(r *Record) { r.Succeeded++ },
		"completed is":                      func(r *Record) { r.Kinds[NoError] = r.Succeeded - 1 },
		"response times is":                 func(r *Record) { r.Response.Record(1) },
		"response times of failed":          func(r *Record) { r.Failures.Record(1) },
		"sum of statuses":                   func(r *Record) { r.Statuses[200] += 1000 },
		"complete responses and errors":     func(r *Record) { r.Kinds[Timeout]++ },
		"due over all intervals":            func(r *Record) { r.Series.Due(0) },
		"sent over all intervals":           func(r *Record) { r.Series.Sent(0) },
		"failed over all intervals":         func(r *Record) { r.Series.Done(0, false) },
		"succeeded over all intervals":      func(r *Record) { r.Series.Done(0, true) },
		"completed over all intervals":      func(r *Record) { r.Series.Completed(0) },
		"missed over all intervals":         func(r *Record) { r.Series.Missed(0) },
		`route "GET /a": sent + unsent is `: func(r *Record) { r.Routes[0].Due++ },
	} {
		r := part(true, 1000, 1)
		spoil(r)
		assert.ErrorContains(t, r.Check(), what)
	}
}

func TestFirstOctet(t *testing.T) {
	for _, open := range []bool{true, false} {
		r := New(open, nil)
		s := Sample{Due: 2, Sent: 2, Done: 12, Result: Result{Status: 200}}
		r.Add(&s)
		assert.Zero(t, r.FirstOctets().Count(), "a Go function has none")

		r = New(open, nil)
		s.Octets.Received = 100
		r.Add(&s)
		assert.Equal(t, int64(10), r.FirstOctets().Max(), "with the last octet")
		s.Arriving = 7
		r.Add(&s)
		s.Status, s.Unexpected = 503, true
		r.Add(&s)
		assert.Equal(t, int64(2), r.FirstOctets().Count(), "not of a failed one")
		assert.Equal(t, int64(3), r.FirstOctets().Min())
		assert.Equal(t, int64(10), r.FirstOctets().Max())
		assert.Equal(t, int64(2), r.Service.Count())
	}
}

// merged returns the sum of two records without thresholds.
func merged(a, b *Record) *Record {
	total := New(a.Open, nil)
	total.Merge(a)
	total.Merge(b)
	return total
}

func TestMergeAddsUpConnections(t *testing.T) {
	a, b := New(true, nil), New(true, nil)
	a.Addresses = []Address{{"10.0.0.1", 3, 0}, {"10.0.0.3", 1, 0}}
	b.Addresses = []Address{{"10.0.0.1", 4, 2}, {"10.0.0.2", 5, 0}}
	before := slices.Clone(a.Addresses)
	assert.Equal(t, []Address{{"10.0.0.1", 7, 2}, {"10.0.0.2", 5, 0}, {"10.0.0.3", 1, 0}}, merged(a, b).Addresses)
	assert.Equal(t, before, a.Addresses)
	read := func(n *Record) *Record {
		var back Record
		require.NoError(t, json.Unmarshal([]byte(encodedText(t, n)), &back))
		return &back
	}
	assert.Equal(t, merged(a, b).Addresses, merged(read(a), read(b)).Addresses)
}

func TestAddAllocatesNothing(t *testing.T) {
	r := New(true, thresholds)
	s := Sample{Due: time.Second, Sent: time.Second, Done: time.Second + time.Millisecond, Result: Result{Status: 200, Octets: Octets{Received: 1}}}
	r.Add(&s)
	assert.Zero(t, testing.AllocsPerRun(1000, func() { s.N++; r.Add(&s) }))
}

// A closed workload has one histogram of times where an open one has four.
func TestClosedWorkload(t *testing.T) {
	r := part(false, 100, 1)
	assert.Same(t, r.Response, r.Service)
	assert.Contains(t, encodedText(t, r), `"service":null`, "it is written once")
	assert.Zero(t, r.Lateness.Count())
	assert.Zero(t, r.LastSent)
	assert.Equal(t, max(r.Until, r.Elapsed), r.Course())
	open := part(true, 100, 1)
	assert.Equal(t, open.Until, open.Course())
	assert.Equal(t, open.Response.Count(), open.Service.Count())
}

// The slowest requests and the first failures of each kind are kept.
func TestWhatIsKeptOfSingleRequests(t *testing.T) {
	r := New(false, nil)
	for n := range int64(200) {
		s := Sample{N: n, Done: time.Duration(n%20) * time.Millisecond, Result: Result{Status: 200}}
		if n%10 == 0 {
			s.Kind, s.Err, s.Status, s.Unexpected = Reset, errors.New("reset"), 0, false
		}
		r.Add(&s)
	}
	assert.Len(t, r.Slowest, maxSlowest)
	assert.Equal(t, int64(19), r.Slowest[0].N, "of equal ones the first")
	assert.Equal(t, int64(39), r.Slowest[1].N)
	assert.Equal(t, 18*time.Millisecond, r.Slowest[10].ResponseTime())
	require.Len(t, r.Samples[Reset], maxSamples)
	assert.Equal(t, Failure{N: 40, Text: "reset"}, r.Samples[Reset][4])
	assert.Equal(t, int64(20), r.Kinds[Reset])

	r = New(true, nil)
	for n := range int64(20) { // that the last ends first
		r.Add(&Sample{N: 20 - n, Done: time.Second, Result: Result{Status: 200}})
	}
	assert.Equal(t, int64(1), r.Slowest[0].N, "of equal ones the first, in whatever order they end")
	assert.Equal(t, int64(10), r.Slowest[9].N)
}

func BenchmarkAdd(b *testing.B) {
	r := New(true, thresholds)
	s := Sample{Due: time.Second, Sent: time.Second, Done: time.Second + time.Millisecond, Result: Result{Status: 200}}
	for b.Loop() {
		r.Add(&s)
	}
}

// Whatever a file holds, it is refused or read as a record that can be merged and
// saved.
func FuzzRecord(f *testing.F) {
	for _, open := range []bool{true, false} {
		b, err := json.Marshal(part(open, 20, 1))
		require.NoError(f, err)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var r Record
		if json.Unmarshal(b, &r) != nil {
			return
		}
		sum := New(r.Open, r.Thresholds)
		sum.Merge(&r)
		_, err := json.Marshal(sum)
		require.NoError(t, err)
	})
}

// A request that met a connection that the server had closed is counted once, by
// whether it was sent again, with how long the connection had been idle.
func TestStaleConnectionsAreCounted(t *testing.T) {
	const ms = time.Millisecond
	add := func(r *Record, idle time.Duration, again bool) {
		r.Add(&Sample{Result: Result{Status: 200, Stale: idle, SentAgain: again}})
	}
	r, o := New(true, nil), New(true, nil)
	add(r, 0, false)
	assert.Zero(t, r.Stale)
	add(r, 20*ms, true)
	assert.Equal(t, Stale{Least: 20 * ms, Most: 20 * ms}, r.Stale)
	add(r, 25*ms, false)
	add(o, 18*ms, true)
	o.Merge(New(true, nil))
	r.Merge(o)
	assert.Equal(t, Stale{Failed: 1, Least: 18 * ms, Most: 25 * ms}, r.Stale)
	assert.Equal(t, int64(2), r.SentAgain)
	assert.Equal(t, int64(4), r.Due, "each is one request")
	assert.NoError(t, r.Check())
}

// Reports go on after the message of an error, which Windows ends with a full stop.
func TestErrorIsAClause(t *testing.T) {
	cause := errors.New("dial tcp 127.0.0.1:1: connectex: No connection could be made.")
	e := &Error{Kind: ConnectRefused, Err: cause}
	assert.Equal(t, "dial tcp 127.0.0.1:1: connectex: No connection could be made", e.Error())
	assert.ErrorIs(t, e, cause)
}

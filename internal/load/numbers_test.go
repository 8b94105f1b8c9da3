package load

import (
	"context"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/loadtestkit/load-tester/internal/hist"
	"github.com/loadtestkit/load-tester/internal/record"
)

// An instantMux ends all exchanges at the next Wait, after one delay for all of them.
type instantMux struct {
	delay         time.Duration
	begun, ending []int
	result        record.Result
}

func (m *instantMux) Start(slot int, _ int64) { m.begun = append(m.begun, slot) }

func (m *instantMux) Wait(d time.Duration, done func(int, *record.Result)) (expired bool) {
	if len(m.begun) == 0 {
		time.Sleep(d) // these tests wait only for the pace of arrivals
		return true
	}
	if m.delay > 0 {
		time.Sleep(m.delay)
	}
	m.begun, m.ending = m.ending[:0], m.begun
	m.result = ok(0)
	for _, slot := range m.ending {
		done(slot, &m.result)
	}
	return false
}

func (m *instantMux) Expire(int)                   {}
func (m *instantMux) Connect(context.Context, int) {}
func (m *instantMux) Wake()                        {}
func (m *instantMux) Close()                       {}

// instant configures a load of n requests whose responses take no time, sent with a
// Mux or with goroutines.
func instant(n int64, concurrency int, schedule *Schedule, mux bool) Workload {
	cfg := Workload{Requests: n, Concurrency: concurrency, Timeout: time.Hour, Schedule: schedule}
	if mux {
		cfg.Muxes = []Mux{&instantMux{}}
	} else {
		cfg.NewSender = func() Sender { return sendFunc(ok) }
		cfg.Sleeper = NewTimerSleeper()
	}
	return cfg
}

// eachWay calls f for closed and open workloads and both ways of sending.
func eachWay(f func(name string, schedule *Schedule, mux bool)) {
	f("closed-goroutines", nil, false)
	f("open-goroutines", rate(1e9), false)
	f("closed-mux", nil, true)
	f("open-mux", rate(1e9), true)
}

// The whole loop, with OnFailed set, allocates nothing for a request that succeeds.
func TestSteadyStateAllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	eachWay(func(name string, schedule *Schedule, mux bool) {
		mallocs := func(n int64) int64 {
			cfg := instant(n, 4, schedule, mux)
			cfg.OnFailed = func(record.Sample) {}
			l := New(cfg)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			l.Run(context.Background(), context.Background())
			runtime.ReadMemStats(&after)
			return int64(after.Mallocs - before.Mallocs)
		}
		mallocs(1000)
		few, many := mallocs(10_000), mallocs(210_000)
		// A longer run has more intervals, and more octaves in them.
		assert.Less(t, many-few, int64(20_000), "%s: %d for 10,000 requests, %d for 210,000", name, few, many)
	})
}

// Recording a response, a failure or a wait for a permit does not allocate, nor does
// computing when the next arrival is due.
func TestRecordAndCursorAllocateNothing(t *testing.T) {
	const µs = time.Microsecond
	for name, schedule := range map[string]*Schedule{"closed": nil, "open": rate(1000)} {
		cfg := &Workload{Schedule: schedule}
		h := &shard{seen: record.New(schedule != nil, []time.Duration{100 * µs})}
		for why, s := range map[string]record.Sample{
			"a response":   {Result: record.Result{Status: 200}},
			"a status":     {Result: record.Result{Status: 503, Unexpected: true}},
			"an odd one":   {Result: record.Result{Status: 999}},
			"a failure":    {Result: record.Result{Kind: record.Timeout, Err: errTimeout}},
			"in a warm-up": {Due: -time.Second, Result: record.Result{Status: 200}},
		} {
			record := func() {
				s.Due += 7 * µs
				s.Sent, s.Waited, s.Done = s.Due+3*µs, 2*µs, s.Due+50*µs
				h.record(&s, cfg)
			}
			for range 20 { // more than the samples that are kept
				record()
			}
			assert.Zero(t, testing.AllocsPerRun(1000, record), "%s, %s", name, why)
		}
	}
	for name, schedule := range schedules {
		c := schedule.Cursor()
		assert.Zero(t, testing.AllocsPerRun(1000, func() { c.Next() }), name)
	}
}

// schedules has one schedule of each sort.
var schedules = map[string]Schedule{
	"constant": Constant(1000),
	"stages":   {Stages: []Stage{{time.Second, 10, 1000}, {time.Second, 0, 0}, {time.Hour, 1000, 2000}}},
	"poisson":  {Stages: Constant(1000).Stages, Endless: true, Poisson: true, Seed: 1},
}

// BenchmarkLoop measures what the loop costs per request, without sending it. In an
// open workload that includes releasing the arrival and, since more are due than can
// be sent, waiting for a permit.
func BenchmarkLoop(b *testing.B) {
	eachWay(func(name string, schedule *Schedule, mux bool) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			New(instant(int64(b.N), 8, schedule, mux)).Run(context.Background(), context.Background())
		})
	})
}

// BenchmarkRecord measures counting a finished request.
func BenchmarkRecord(b *testing.B) {
	for name, schedule := range map[string]*Schedule{"closed": nil, "open": rate(1000)} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			cfg := &Workload{Schedule: schedule}
			h := &shard{seen: record.New(schedule != nil, nil)}
			s := record.Sample{Result: record.Result{Status: 200, Octets: record.Octets{Sent: 100, Received: 200, Body: 13}}}
			for b.Loop() {
				s.N++
				s.Due += 10 * time.Microsecond
				s.Sent = s.Due + time.Duration(s.N%64)*time.Microsecond
				s.Done = s.Sent + time.Duration(50+s.N%1024)*time.Microsecond
				h.record(&s, cfg)
			}
		})
	}
}

// BenchmarkCursor measures computing when the next arrival is due.
func BenchmarkCursor(b *testing.B) {
	for name, schedule := range schedules {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			c := schedule.Cursor()
			for b.Loop() {
				c.Next()
			}
		})
	}
}

// BenchmarkSleeper measures how late the pacer is woken when an arrival is due every
// millisecond.
func BenchmarkSleeper(b *testing.B) {
	s := NewSleeper()
	defer s.Close()
	b.ReportAllocs()
	late := hist.New(10)
	began := time.Now()
	for due := time.Millisecond; b.Loop(); due += time.Millisecond {
		for now := time.Since(began); now < due; now = time.Since(began) {
			s.Sleep(due - now)
		}
		late.Record(int64(time.Since(began) - due))
	}
	for unit, q := range map[string]float64{"p50-µs-late": 0.5, "p99-µs-late": 0.99} {
		v, _ := late.Quantile(q)
		b.ReportMetric(float64(v)/1e3, unit)
	}
}

package verdict

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/loadtestkit/load-tester/internal/record"
)

// A lossCase is a run beside other load and a control that has its turns meanwhile.
type lossCase struct {
	took    func(r *rand.Rand) float64 // ms, a request
	cpu     time.Duration              // that a request needs of the processors
	foreign float64
	control func(r *rand.Rand) float64 // ms, a request of the control
}

// run makes the record of 10,000 requests, ten at a time on two processors.
func (c *lossCase) run(l Limit, seed uint64) *record.Record {
	const null = 50 * time.Microsecond // of processor time
	w := &world{new: func(r *rand.Rand) func() float64 { return func() float64 { return c.took(r) } }}
	r := newVirtual(w, l, seed).until(10_000)
	w = &world{new: func(r *rand.Rand) func() float64 { return func() float64 { return c.control(r) } }}
	r.Control = newVirtual(w, l, seed+1).until(5_000)
	r.Control.Machine.HaveCPU, r.Control.Machine.CPUUser = true, 5_000*null
	r.Place, r.Processors, r.PeakInFlight = record.InProcess, 2, 10
	r.Machine.Wall, r.Machine.HaveCPU = 11*time.Second, true
	r.Machine.CPUUser = 10_000*c.cpu + 5_000*null
	r.Machine.ForeignCPU = &c.foreign
	return r
}

// often returns in which part of runs a limit is missed and not excused.
func (c *lossCase) often(l Limit, times int, edits ...func(*record.Record)) (fail float64) {
	for k := range times {
		r := c.run(l, uint64(k))
		for _, edit := range edits {
			edit(r)
		}
		f := Judge([]Limit{l}, r, DefaultStandard)[0]
		if f.Excuse(Excuse(f, r)).Verdict == Fail {
			fail += 1 / float64(times)
		}
	}
	return fail
}

// about is a response time that hardly varies.
func about(ms float64) func(*rand.Rand) float64 {
	return func(r *rand.Rand) float64 { return ms * lognormal(r, 0, 0.05) }
}

// Other load excuses what it can have cost, and no more.
func TestExcuseIsBoundedByTheLoss(t *testing.T) {
	t.Parallel()
	beside := func(ms, delay float64) func(*rand.Rand) float64 { // of some ms in half of the requests
		return func(r *rand.Rand) float64 {
			if r.IntN(2) == 0 {
				return ms + delay*r.ExpFloat64()
			}
			return ms
		}
	}
	tail := func(r *rand.Rand) float64 { // 3 % take 80 ms
		if r.IntN(100) < 3 {
			return 80
		}
		return 5 + 2*r.ExpFloat64()
	}
	for _, tc := range []struct {
		limit string
		c     lossCase
		want  Verdict
		why   string
	}{
		{"p99<=25ms", lossCase{about(50), 100 * time.Microsecond, 0.5, beside(0.3, 1)}, Fail, "every request takes twice as long, and the control loses 5 ms"},
		{"p99<=25ms", lossCase{about(50), 100 * time.Microsecond, 0.85, beside(0.3, 4)}, Fail, "also where there is next to nothing left of the processors"},
		{"p50<=25ms", lossCase{about(50), 100 * time.Microsecond, 0.5, beside(0.3, 1)}, Fail, "a median"},
		{"p99<=25ms", lossCase{about(45), 8 * time.Millisecond, 0.5, beside(0.3, 0.2)}, Inconclusive, "20 ms of computing, slowed down by a factor and not by what the control loses"},
		{"p99<=25ms", lossCase{about(60), 8 * time.Millisecond, 0.3, beside(0.3, 0.2)}, Fail, "more than that share of the processors can slow it down"},
		{"p99<=25ms", lossCase{about(26), 100 * time.Microsecond, 0.5, beside(0.3, 4)}, Inconclusive, "missed by less than the control loses"},
		{"p99<=25ms", lossCase{tail, 100 * time.Microsecond, 0.5, beside(0.3, 1)}, Fail, "a tail of its own, far beyond what the control loses there"},
		{"p99<=25ms", lossCase{tail, 100 * time.Microsecond, 0.5, beside(0.3, 15)}, Inconclusive, "the control has such a tail too"},
		{"p99<=25ms", lossCase{tail, 2 * time.Millisecond, 0.5, beside(0.3, 1)}, Inconclusive, "what computes for 40 times as long can lose 40 times as much"},
		{"p99<=25ms", lossCase{about(50), 100 * time.Microsecond, 0.97, beside(3, 8)}, Fail, "the processors are nearly gone, of which it hardly needs any"},
		{"p99<=2ms", lossCase{about(4), 100 * time.Microsecond, 0.5, beside(0.3, 0.3)}, Fail, "every request takes 4 ms"},
		{"mean<=25ms", lossCase{about(50), 100 * time.Microsecond, 0.5, beside(0.3, 1)}, Inconclusive, "no quantile"},
	} {
		fail := tc.c.often(limit(t, tc.limit), 5)
		if tc.want == Fail {
			assert.Equal(t, 1.0, fail+1e-16, "%s: %s", tc.limit, tc.why)
		} else {
			assert.Zero(t, fail, "%s: %s", tc.limit, tc.why)
		}
	}

	none := lossCase{about(50), 100 * time.Microsecond, 0.5, beside(0.3, 1)}
	l := limit(t, "p99<=25ms")
	r := none.run(l, 1)
	f := Judge([]Limit{l}, r, DefaultStandard)[0]
	f.Low = float64(l.Time) // the tail tells nothing
	assert.Empty(t, Excuse(f, r), "all of them exceed what was lost")
	for why, without := range map[string]func(*record.Record){
		"no control":           func(r *record.Record) { r.Control = nil },
		"no processor time":    func(r *record.Record) { r.Machine.HaveCPU = false },
		"none of the control":  func(r *record.Record) { r.Control.Machine.HaveCPU = false },
		"no processor is left": func(r *record.Record) { r.Machine.ForeignCPU, r.Machine.CPUUser = new(0.95), 10_000*9*time.Millisecond },
	} {
		r := none.run(l, 1)
		without(r)
		assert.NotEmpty(t, Excuse(f, r), why)
	}
}

// What a server in another process of this machine loses is not known: its fails are
// excused by what is, without a bound.
func TestExcuseOfAServerInAnotherProcess(t *testing.T) {
	t.Parallel()
	stolen := func(place record.Place, share float64) func(*record.Record) {
		return func(r *record.Record) { r.Place, r.Machine.Steal = place, &share }
	}
	computes := lossCase{about(45), 50 * time.Microsecond, 0, about(0.3)} // for 20 ms, or for 45
	l := limit(t, "p99<=25ms")
	assert.Zero(t, computes.often(l, 3, stolen(record.Loopback, 0.4)), "this process's clock does not show for how long")
	assert.InDelta(t, 1, computes.often(l, 3, stolen(record.InProcess, 0.4)), 1e-9, "it does here")
	assert.InDelta(t, 1, computes.often(l, 3, stolen(record.Loopback, 0)), 1e-9, "nothing was stolen")

	l = limit(t, "p99<=2ms")
	beside := lossCase{about(4), 100 * time.Microsecond, 0.5, about(0.3)}
	assert.InDelta(t, 1, beside.often(l, 3, stolen(record.Loopback, 0)), 1e-9, "what other processes use may be what it uses itself")
	beside.control = about(1.5)
	assert.Zero(t, beside.often(l, 3, stolen(record.Loopback, 0)), "a handler that does nothing takes most of the limit")
}

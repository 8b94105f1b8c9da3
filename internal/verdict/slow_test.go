package verdict

import (
	"container/heap"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/loadtestkit/load-tester/internal/record"
)

// A slowWorld is a handler of about 100 ms under a closed load of ten permits.
type slowWorld struct {
	name string
	// new returns how long a request takes, in ms, that is sent at a time.
	new func(r *rand.Rand) func(at float64) float64
}

// hundred is a time of 100 ms with a little noise.
func hundred(r *rand.Rand) float64 { return 100 * lognormal(r, 0, 0.02) }

// slowWorlds keep a p99 of 1 s with room to spare, or would just miss it: late
// requests are a hundredth, and take 1.1 s.
var slowWorlds = []slowWorld{
	{"kept", func(r *rand.Rand) func(float64) float64 {
		return func(float64) float64 { return hundred(r) }
	}},
	{"kept, hog", func(r *rand.Rand) func(float64) float64 { // a neighbour 0.1 to 3 s on and off
		on, until := false, 0.0
		return func(at float64) float64 {
			for at >= until {
				on, until = !on, until+100+2900*r.Float64()
			}
			took := hundred(r)
			if on {
				took += 8 * r.ExpFloat64()
			}
			return took
		}
	}},
	{"kept, collector", func(r *rand.Rand) func(float64) float64 { // all wait for up to 60 ms, twice a second
		return func(at float64) float64 {
			took := hundred(r)
			if end := at + took; math.Mod(end, 500) < 60 {
				took += 60 - math.Mod(end, 500)
			}
			return took
		}
	}},
	{"late alone", late(1)},
	{"late in pairs", late(2)},
	{"late as ten", late(10)},
	{"stalls of every length", func(r *rand.Rand) func(float64) float64 { // 1 s at the mean, 20 a minute
		stall := 0.0
		next := 3000 * r.ExpFloat64()
		return func(at float64) float64 {
			for at >= next {
				stall = next + 400*r.ExpFloat64()
				next += 3000 * r.ExpFloat64()
			}
			return hundred(r) + max(0, stall-at)
		}
	}},
	{"heavy tail", func(r *rand.Rand) func(float64) float64 { // p99 1 s
		sd := math.Log(10) / 2.3263478740408408
		return func(float64) float64 { return 100 * lognormal(r, 0, sd) }
	}},
}

// late makes one request in a hundred late, in runs of the given length.
func late(together int) func(r *rand.Rand) func(float64) float64 {
	return func(r *rand.Rand) func(float64) float64 {
		left := 0
		return func(float64) float64 {
			if left == 0 && r.Float64() < 0.01/float64(together) {
				left = together
			}
			if left > 0 {
				left--
				return 1100
			}
			return hundred(r)
		}
	}
}

// slowRun makes a closed load and judges it as a run until its verdict is clear
// does: each second whether none came near, at looks all else.
func slowRun(w *slowWorld, l Limit, seed uint64) (v Verdict, after time.Duration) {
	const budget = 30 * time.Second
	rng := rand.New(rand.NewPCG(seed, 2))
	next := w.new(rng)
	var free starts
	for k := range 10 {
		free = append(free, float64(k)/10) // about at once
	}
	heap.Init(&free)
	seen := record.New(false, Thresholds([]Limit{l}))
	looks := Looks(budget)
	check := time.Second
	for n := int64(0); ; n++ {
		at := heap.Pop(&free).(float64)
		for now := time.Duration(at * 1e6); now >= check; check += time.Second / 2 {
			seen.Until, seen.Elapsed = max(seen.Until, check), max(seen.Elapsed, check)
			for len(looks) > 0 && looks[0].At <= check {
				if f := Judge([]Limit{l}, seen, DefaultStandard.Share(looks[0].Share))[0]; f.Verdict != Inconclusive {
					return f.Verdict, check
				}
				looks = looks[1:]
			}
			if len(looks) == 0 {
				return Inconclusive, budget
			}
			if check < farTime || seen.Due < neededFar(l.Q) || seen.Within[0] < seen.Due {
				continue // it costs time to ask
			}
			if f := Judge([]Limit{l}, seen, DefaultStandard)[0]; f.Anytime {
				return f.Verdict, check
			}
		}
		took := next(at)
		due := time.Duration(at * 1e6)
		seen.Add(&record.Sample{N: n, Due: due, Sent: due, Done: due + time.Duration(took*1e6), Result: record.Result{Status: 200}})
		heap.Push(&free, at+took)
	}
}

type starts []float64

func (s starts) Len() int           { return len(s) }
func (s starts) Less(i, j int) bool { return s[i] < s[j] }
func (s starts) Swap(i, j int)      { s[i], s[j] = s[j], s[i] }
func (s *starts) Push(x any)        { *s = append(*s, x.(float64)) }
func (s *starts) Pop() any {
	n := len(*s) - 1
	x := (*s)[n]
	*s = (*s)[:n]
	return x
}

// A limit on a slow handler that no request comes near passes within seconds, and
// one that is missed passes no more often than is said.
func TestSlowHandlers(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		world               string
		q                   float64
		few                 int
		leastPass, mostPass float64
		why                 string
	}{
		{"kept", 0.99, 10, 0.95, 1, "nothing depends on anything"},
		{"kept, hog", 0.99, 10, 0.9, 1, "a neighbour"},
		{"kept, collector", 0.99, 0, 0.9, 1, "pauses of what all share"},
		{"kept, hog", 0.95, 0, 0.95, 1, "fewer requests do"},
		{"kept, hog", 0.5, 0, 0.95, 1, "and fewer yet"},
		{"late alone", 0.99, 10, 0, 0.05, "missed"},
		{"late in pairs", 0.99, 0, 0, 0.05, "missed"},
		{"heavy tail", 0.99, 10, 0, 0.05, "missed"},
		{"stalls of every length", 0.99, 0, 0, 0.25, "20 a minute, of which some are seen"},
		{"late as ten", 0.99, 0, 0, 0.6, "a stall of all every 10 s may stay unseen, whatever a limit"},
	} {
		for i := range slowWorlds {
			w := &slowWorlds[i]
			times := runs(300, tc.few)
			if w.name != tc.world || times == 0 {
				continue
			}
			l := Limit{Metric: Quantile, Q: tc.q, Op: AtMost, Time: time.Second}
			pass, fail, soon := 0, 0, 0
			for k := range times {
				switch v, after := slowRun(w, l, uint64(k)); {
				case v == Fail:
					fail++
				case v == Pass:
					pass++
					if after <= 7*time.Second {
						soon++
					}
				}
			}
			part := func(n int) float64 { return float64(n) / float64(times) }
			t.Logf("%-22s p%v of %3d: pass %5.1f%%, within 7 s %5.1f%%, fail %.1f%%", w.name, tc.q*100, times, 100*part(pass), 100*part(soon), 100*part(fail))
			one := 1 / float64(times)
			assert.GreaterOrEqual(t, part(pass), tc.leastPass-one, "%s: %s", w.name, tc.why)
			assert.LessOrEqual(t, part(pass), tc.mostPass+tolerance(times, tc.mostPass), "%s: %s", w.name, tc.why)
			if tc.leastPass > 0 && tc.q == 0.99 {
				assert.GreaterOrEqual(t, part(soon), 0.9-one, "%s: %s", w.name, tc.why)
			}
			assert.Zero(t, fail, "%s: its fails need 10 s and 3000 requests, or most of them late", w.name)
		}
	}
}

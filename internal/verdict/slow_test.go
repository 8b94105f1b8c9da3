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

// late makes one request in a hundred late, so many in a row.
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
func slowRun(w *slowWorld, l Limit, inStep bool, seed uint64) (v Verdict, after time.Duration) {
	const budget = 30 * time.Second
	rng := rand.New(rand.NewPCG(seed, 2))
	next := w.new(rng)
	var free starts
	for k := range 10 {
		at := 0.0
		if !inStep {
			at = float64(k) * 10
		}
		free = append(free, at)
	}
	heap.Init(&free)
	seen := record.New(false, Thresholds([]Limit{l}))
	looks := Looks(budget)
	check := time.Second
	for n := int64(0); ; n++ {
		at := heap.Pop(&free).(float64)
		for now := time.Duration(at * 1e6); now >= check; check += time.Second / 4 {
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

func TestSlowTry(t *testing.T) {
	for _, q := range []float64{0.99, 0.95, 0.5} {
		for i := range slowWorlds {
			w := &slowWorlds[i]
			for _, inStep := range []bool{true, false} {
				l := Limit{Metric: Quantile, Q: q, Op: AtMost, Time: time.Second}
				pass, fail, in8 := 0, 0, 0
				const times = 200
				for k := range times {
					v, after := slowRun(w, l, inStep, uint64(k))
					if v == Pass {
						pass++
						if after <= 7*time.Second {
							in8++
						}
					}
					if v == Fail {
						fail++
					}
				}
				t.Logf("%v %-24s in step %-5v pass %.1f%% (7 s: %.1f%%) fail %.1f%%", q, w.name, inStep, float64(pass)/2, float64(in8)/2, float64(fail)/2)
			}
		}
	}
	assert.True(t, true)
}

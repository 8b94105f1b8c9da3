package loadtestkit_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"hash/crc32"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/loadtestkit/load-tester/loadtestkit"
)

// Without an end of its own a run goes on until its verdict is clear.
func ExampleRun_untilClear() {
	report := loadtestkit.Run(t, loadtestkit.Options{
		Target:         loadtestkit.Handler(routes()).Get("/items"),
		Limits:         loadtestkit.Limits{P50: 10 * time.Second},
		OnInconclusive: loadtestkit.Passed,
	})
	fmt.Println(report.Verdict)
	// Output: pass
}

// A rate that has to be kept up, and how fast the answers are at it.
func ExampleLimits_kept() {
	report := loadtestkit.Run(t, loadtestkit.Options{
		Target:         loadtestkit.Handler(routes()).Get("/items"),
		Load:           loadtestkit.Open{Rate: 500},
		Duration:       200 * time.Millisecond, // 10s if it were left out
		Limits:         loadtestkit.Limits{Kept: 0.95, P50: 10 * time.Second},
		OnInconclusive: loadtestkit.Passed,
	})
	fmt.Println(report.Due, "due,", report.Limits[2].Limit)
	// Output: 100 due, goodput>=475
}

// The verdict on each limit, with numbers, and why.
func ExampleLimitResult() {
	report, _ := loadtestkit.Measure(context.Background(), loadtestkit.Options{
		Target: loadtestkit.Handler(routes()).Get("/items"),
		Count:  100,
	})
	for _, l := range report.Limits {
		fmt.Println(l.Limit, l.Verdict, l.Observed, "-", l.Reason)
	}
	// Output: errors<=0% pass 0 - error ratio 0, want <= 0 (0 of 100)
}

// By default a verdict that is not clear skips the test; here the test goes on.
func ExampleVerdict() {
	report := loadtestkit.Run(t, loadtestkit.Options{
		Target:         loadtestkit.Handler(routes()).Get("/items"),
		Count:          100, // too few for a p99
		Limits:         loadtestkit.Limits{P99: 10 * time.Second},
		OnInconclusive: loadtestkit.Passed,
	})
	if report.Verdict != loadtestkit.Failed {
		fmt.Println(report.Succeeded, "requests, and the test goes on")
	}
	// Output: 100 requests, and the test goes on
}

func ExampleVerdict_String() {
	fmt.Println(loadtestkit.NotJudged, loadtestkit.Passed, loadtestkit.Failed, loadtestkit.Inconclusive)
	// Output: not judged pass fail inconclusive
}

// The old code and the new, measured in turns in one run.
func ExampleCompare() {
	comparison := loadtestkit.Compare(t, loadtestkit.CompareOptions{
		Base:           loadtestkit.Handler(routes()).Get("/items"),
		Head:           loadtestkit.Handler(routes()).Get("/items"),
		Tolerance:      loadtestkit.Tolerance{P50: 20}, // 0.05, which is 5 %, takes a little longer
		OnInconclusive: loadtestkit.Passed,
	})
	fmt.Println(comparison.Verdict)
	// Output: pass
}

// compare is loadtestkit.Compare, called once for all examples that compare
// checksums.
func compare(t testing.TB, opts loadtestkit.CompareOptions) loadtestkit.Comparison {
	once.Do(func() { compared = loadtestkit.Compare(t, opts) })
	return compared
}

var (
	once     sync.Once
	compared loadtestkit.Comparison

	page   = make([]byte, 64<<10)
	oldSum = loadtestkit.Func(func(context.Context) error { sha256.Sum256(page); return nil })
	newSum = loadtestkit.Func(func(context.Context) error { crc32.ChecksumIEEE(page); return nil })
)

// A limit that means the same on every machine: at most three times as long as a
// reference.
func ExampleCompareOptions() {
	c := compare(t, loadtestkit.CompareOptions{
		Base:           oldSum,
		Head:           newSum,
		Load:           loadtestkit.Closed(2),
		Tolerance:      loadtestkit.Tolerance{P50: 2},
		OnInconclusive: loadtestkit.Passed,
	})
	fmt.Println(c.Verdict)
	// Output: pass
}

func ExampleComparison() {
	c := compare(t, loadtestkit.CompareOptions{Base: oldSum, Head: newSum, Load: loadtestkit.Closed(2), Tolerance: loadtestkit.Tolerance{P50: 2}})
	fmt.Println(c.Succeeded > 0, c.Base.Succeeded > 0, c.Failed+c.Base.Failed)
	// Output: true true 0
}

// What a comparison asks, and how surely it was answered.
func ExampleClaim() {
	c := compare(t, loadtestkit.CompareOptions{Base: oldSum, Head: newSum, Load: loadtestkit.Closed(2), Tolerance: loadtestkit.Tolerance{P50: 2}})
	for _, claim := range c.Claims {
		if claim.Name == "quick" {
			fmt.Println(claim.Statement)
			fmt.Println(claim.Low <= claim.Estimate, claim.Estimate <= claim.High, claim.Base > claim.Head)
		}
	}
	// Output:
	// an undisturbed request of head, sent alone, takes at most 3 times as long as one of base
	// true true true
}

// Sustained load can fail a comparison and not pass it.
func ExampleRatio() {
	c := compare(t, loadtestkit.CompareOptions{Base: oldSum, Head: newSum, Load: loadtestkit.Closed(2), Tolerance: loadtestkit.Tolerance{P50: 2}})
	for _, r := range c.Ratios {
		fmt.Println(r.Quantile, r.Low <= r.Estimate, r.Estimate <= r.High, r.Verdict)
	}
	// Output: p50 true true not judged
}

// A share of 2 is three times as long; 0.05 would be 1.05 times.
func ExampleTolerance() {
	c := compare(t, loadtestkit.CompareOptions{Base: oldSum, Head: newSum, Load: loadtestkit.Closed(2), Tolerance: loadtestkit.Tolerance{P50: 2}})
	for _, r := range c.Ratios {
		fmt.Printf("%s: at most %v times base\n", r.Quantile, r.Tolerance)
	}
	// Output: p50: at most 3 times base
}

// searched is a search with time for one trial, where half a minute would do.
var searched = sync.OnceValue(func() loadtestkit.Capacity {
	return loadtestkit.FindCapacity(t, loadtestkit.CapacityOptions{
		Target:         loadtestkit.Handler(routes()).Get("/items"),
		P99:            10 * time.Second,
		Budget:         1500 * time.Millisecond,
		OnInconclusive: loadtestkit.Passed,
	})
})

// How many requests a second a handler takes while 99 % of its answers come in
// time.
func ExampleFindCapacity() {
	capacity := searched()
	fmt.Println(capacity.Verdict, capacity.StoppedBy)
	// Output: inconclusive budget
}

func ExampleCapacityOptions() {
	capacity := loadtestkit.FindCapacity(t, loadtestkit.CapacityOptions{
		Target:         loadtestkit.Handler(routes()).Get("/items"),
		P50:            20 * time.Millisecond,
		P99:            100 * time.Millisecond,
		ErrorRatio:     0.001,
		Start:          500,
		Most:           20_000,
		Budget:         500 * time.Millisecond, // half a minute would do
		OnInconclusive: loadtestkit.Passed,
	})
	fmt.Println(capacity.StoppedBy)
	// Output: budget
}

func ExampleCapacity() {
	c := searched()
	fmt.Println(math.IsInf(c.High, 1), "- no rate was too high")
	fmt.Println(c.Sent, "requests at 100/s")

	var text strings.Builder
	c.WriteText(&text) // as a Report
	fmt.Println(strings.Contains(text.String(), "Capacity:"))
	// Output:
	// true - no rate was too high
	// 100 requests at 100/s
	// true
}

// What benchstat compares, from a benchmark.
func ExampleBench() {
	result := testing.Benchmark(func(b *testing.B) {
		loadtestkit.Bench(b, loadtestkit.BenchOptions{Target: loadtestkit.Handler(routes()).Get("/items")})
	})
	fmt.Println(result.Extra["p50-ns"] > 0, result.Extra["req/s"] > 0)
	// Output: true true
}

func ExampleBenchOptions() {
	opts := loadtestkit.BenchOptions{
		Target: loadtestkit.Func(func(context.Context) error { time.Sleep(10 * time.Microsecond); return nil }),
		Load:   loadtestkit.Closed(2),
	}
	result := testing.Benchmark(func(b *testing.B) { loadtestkit.Bench(b, opts) })
	fmt.Println(result.N > 1, result.Extra["p50-ns"] >= 10_000)
	// Output: true true
}

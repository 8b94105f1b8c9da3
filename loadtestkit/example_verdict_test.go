package loadtestkit_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/loadtestkit/load-tester/loadtestkit"
)

// Without an end of its own a run goes on until its verdict is clear.
func ExampleRun_untilClear() {
	report := loadtestkit.Run(t, loadtestkit.Options{
		Target:         loadtestkit.Handler(routes()),
		Path:           "/items",
		Limits:         loadtestkit.Limits{P50: 10 * time.Second},
		OnInconclusive: loadtestkit.Warn,
	})
	fmt.Println(report.Verdict)
	// Output: pass
}

// A rate that has to be kept up, and how fast the answers are at it.
func ExampleLimits_minRate() {
	report := loadtestkit.Run(t, loadtestkit.Options{
		Target:         loadtestkit.Handler(routes()),
		Path:           "/items",
		Duration:       200 * time.Millisecond,
		Limits:         loadtestkit.Limits{MinRate: 500, P50: 10 * time.Second},
		OnInconclusive: loadtestkit.Warn,
	})
	fmt.Println(report.Due, "due,", report.Limits[2].Limit)
	// Output: 100 due, goodput>=475
}

// A limit that means the same on every machine: at most a hundred times what a
// handler takes that does nothing.
func ExampleRelative() {
	nothing := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	report := loadtestkit.Run(t, loadtestkit.Options{
		Target:         loadtestkit.Handler(routes()),
		Path:           "/items",
		Requests:       100,
		Limits:         loadtestkit.Limits{Relative: loadtestkit.Relative{To: loadtestkit.Handler(nothing), Times: 100}},
		OnInconclusive: loadtestkit.Warn,
	})
	fmt.Println(report.Limits[1].Limit, report.Verdict)
	// Output: p50<=100x reference pass
}

// The verdict on each limit, and why.
func ExampleJudged() {
	report, _ := loadtestkit.Measure(context.Background(), loadtestkit.Options{
		Target:   loadtestkit.Handler(routes()),
		Path:     "/items",
		Requests: 100,
	})
	for _, j := range report.Limits {
		fmt.Println(j.Limit, j.Verdict, "-", j.Reason)
	}
	// Output: errors<=0% pass - error ratio 0, want <= 0 (0 of 100)
}

// By default a verdict that is not clear skips the test; here it is a warning.
func ExampleAction() {
	report := loadtestkit.Run(t, loadtestkit.Options{
		Target:         loadtestkit.Handler(routes()),
		Path:           "/items",
		Requests:       100, // too few for a p99
		Limits:         loadtestkit.Limits{P99: 10 * time.Second},
		OnInconclusive: loadtestkit.Warn,
	})
	fmt.Println(report.Succeeded, "requests, and the test goes on")
	// Output: 100 requests, and the test goes on
}

// compared is a comparison of a handler with its like.
var compared = sync.OnceValue(func() loadtestkit.Comparison {
	return loadtestkit.Compare(t, loadtestkit.Options{
		Path:           "/items",
		Tolerance:      loadtestkit.Tolerance{P50: 20}, // 0.05, which is 5 %, takes some seconds
		OnInconclusive: loadtestkit.Warn,
	}, loadtestkit.Handler(routes()), loadtestkit.Handler(routes()))
})

// The old code and the new, measured in turns in one run.
func ExampleCompare() {
	c := compared()
	fmt.Println(c.Verdict)
	// Output: pass
}

func ExampleComparison() {
	c := compared()
	fmt.Println(c.BaseAllocs > 0, c.Pairs >= 12)
	// Output: true true
}

func ExampleComparison_WriteText() {
	var text strings.Builder
	compared().WriteText(&text)
	fmt.Println(strings.Contains(text.String(), "Throughput:"))
	// Output: true
}

func ExampleComparison_WriteJSON() {
	var json strings.Builder
	compared().WriteJSON(&json)
	fmt.Println(strings.Contains(json.String(), `"ratios": [`))
	// Output: true
}

func ExampleRatio() {
	for _, r := range compared().Ratios {
		fmt.Println(r.Quantile, r.Low <= r.Estimate, r.Estimate <= r.High, r.High <= r.Tolerance)
	}
	// Output: p50 true true true
}

// A share of 20 is 21 times as long; 0.05 would be 1.05 times.
func ExampleTolerance() {
	for _, r := range compared().Ratios {
		fmt.Printf("%s: at most %v times base\n", r.Quantile, r.Tolerance)
	}
	// Output: p50: at most 21 times base
}

// searched is a search with far too little time.
var searched = sync.OnceValue(func() loadtestkit.Capacity {
	return loadtestkit.MaxRate(t, loadtestkit.Options{
		Target:         loadtestkit.Handler(routes()),
		Path:           "/items",
		Limits:         loadtestkit.Limits{P99: 10 * time.Second},
		Budget:         time.Second,
		OnInconclusive: loadtestkit.Warn,
	})
})

// How many requests a second a handler takes while 99 % of its answers come in
// time.
func ExampleMaxRate() {
	c := searched()
	fmt.Println(c.Verdict, c.StoppedBy)
	// Output: inconclusive budget
}

func ExampleCapacity() {
	c := searched()
	fmt.Println(c.High, "is not known")
	// Output: 0 is not known
}

func ExampleCapacity_WriteText() {
	var text strings.Builder
	searched().WriteText(&text)
	fmt.Println(strings.Contains(text.String(), "Capacity:"))
	// Output: true
}

func ExampleCapacity_WriteJSON() {
	var json strings.Builder
	searched().WriteJSON(&json)
	fmt.Println(strings.Contains(json.String(), `"stopped_by": "budget"`))
	// Output: true
}

// What benchstat compares, from a benchmark.
func ExampleBench() {
	result := testing.Benchmark(func(b *testing.B) {
		loadtestkit.Bench(b, loadtestkit.Options{Target: loadtestkit.Handler(routes()), Path: "/items"})
	})
	fmt.Println(result.Extra["p50-ns"] > 0, result.Extra["req/s"] > 0)
	// Output: true true
}

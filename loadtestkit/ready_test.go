package loadtestkit

import (
	"context"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// kinds are the functions that measure for a test.
var kinds = map[string]func(testing.TB){
	"Run":          func(t testing.TB) { Run(t, Options{Target: nothing(), Count: 1}) },
	"Compare":      func(t testing.TB) { Compare(t, CompareOptions{Base: nothing(), Head: nothing()}) },
	"FindCapacity": func(t testing.TB) { FindCapacity(t, CapacityOptions{Target: nothing()}) },
}

func nothing() Target { return Func(func(context.Context) error { return nil }) }

// refused checks that f was stopped at once with one line.
func refused(t *testing.T, f *fakeTB, want string) {
	t.Helper()
	require.Len(t, f.errors, 1)
	assert.Equal(t, "loadtestkit: "+want, f.errors[0])
	assert.True(t, f.fatal)
	assert.Empty(t, f.output.String(), "nothing was measured")
}

func TestNotInABubble(t *testing.T) {
	const why = ": it measures real time, which a synctest bubble does not have; call it outside"
	for name, measure := range kinds {
		f := &fakeTB{}
		synctest.Test(t, func(*testing.T) { f.run(measure) })
		refused(t, f, name+why)
	}
	synctest.Test(t, func(t *testing.T) {
		_, err := Measure(t.Context(), Options{Target: nothing(), Count: 1})
		assert.EqualError(t, err, "loadtestkit: Measure"+why)
	})
	testing.Benchmark(func(b *testing.B) {
		synctest.Test(t, func(t *testing.T) { assert.Equal(t, errBubble, unfit(b)) })
	})
}

func TestNotAfterTheTest(t *testing.T) {
	for name, measure := range kinds {
		f := &fakeTB{}
		t.Run("ends", func(t *testing.T) {
			f.ctx = t.Context()
			t.Cleanup(func() { f.run(measure) })
		})
		want := name + ": the context of the test has ended; call it while the test runs, not in t.Cleanup or after it"
		refused(t, f, want)

		said := panicOf(func() { measure(endedTB{f}) })
		assert.Equal(t, "loadtestkit: "+want, said, "there is no test to fail")
	}
}

// An endedTB is a test that is over, as package testing has it.
type endedTB struct{ *fakeTB }

func (endedTB) Fatalf(string, ...any) { panic("Fail in goroutine after TestFake has completed") }

func TestNotInAnotherGoroutine(t *testing.T) {
	done := make(chan error)
	go func() { done <- unfit(t) }()
	assert.ErrorContains(t, <-done, "call it from the goroutine that runs the test")
	go func() { deep(100, func() { done <- unfit(t) }) }()
	assert.Error(t, <-done)

	deep(100, func() { assert.NoError(t, unfit(t)) })
	t.Run("subtest", func(t *testing.T) {
		t.Parallel()
		assert.NoError(t, unfit(t))
	})
	go func() { done <- unfit(&fakeTB{ctx: t.Context()}) }()
	assert.NoError(t, <-done, "other frameworks have their own goroutines")
}

// deep calls f with n frames below it.
func deep(n int, f func()) {
	if n == 0 {
		f()
		return
	}
	deep(n-1, f)
	runtime.KeepAlive(n)
}

func TestNilT(t *testing.T) {
	for name, measure := range kinds {
		for _, none := range []testing.TB{nil, (*testing.T)(nil), (*testing.B)(nil)} {
			assert.Equal(t, "loadtestkit: "+name+": its t is nil, want that of the test", panicOf(func() { measure(none) }))
		}
	}
	assert.Contains(t, panicOf(func() { Bench(nil, BenchOptions{}) }), "loadtestkit: Bench: its t is nil")
}

// panicOf returns what f panics with.
func panicOf(f func()) (said string) {
	defer func() { said, _ = recover().(string) }()
	f()
	return ""
}

func TestNoTarget(t *testing.T) {
	for _, target := range []Target{nil, Server{}, Handler(nil), TLSHandler(nil), URL(""), Func(nil)} {
		f, _ := runFake(&fakeTB{}, Options{Target: target, Count: 1})
		refused(t, f, "options: Target: is missing, nil or empty, want a handler, a URL, a command or a function")
	}
}

// The zero results have methods that may be called.
func TestZeroResults(t *testing.T) {
	for name, r := range map[string]Report{
		"Report": {}, "Comparison": Comparison{}.Report, "base": Comparison{}.Base, "Capacity": Capacity{}.Report,
	} {
		_, ok := r.ResponseTime(0.5)
		assert.False(t, ok, name)
		_, ok = r.ServiceTime(1)
		assert.False(t, ok, name)
		var b strings.Builder
		require.NoError(t, r.WriteText(&b))
		assert.Equal(t, "Nothing was measured.\n", b.String(), name)
		b.Reset()
		require.NoError(t, r.WriteJSON(&b))
		assert.Equal(t, "null\n", b.String(), name)
		assert.Equal(t, "not judged", r.Verdict.String(), name)
	}
}

// Bench is called once, without a loop.
func TestBenchMisused(t *testing.T) {
	opts := BenchOptions{Target: nothing()}
	loops := map[string]func(*testing.B){
		"b.Loop": func(b *testing.B) {
			for b.Loop() {
				Bench(b, opts)
			}
		},
		"b.N": func(b *testing.B) {
			for range b.N {
				Bench(b, opts)
			}
		},
		"twice": func(b *testing.B) {
			Bench(b, opts)
			Bench(b, opts)
		},
		"once": func(b *testing.B) { Bench(b, opts) },
	}
	for name, loop := range loops {
		failed := false
		result := testing.Benchmark(func(b *testing.B) {
			defer func() { failed = b.Failed() }()
			loop(b)
		})
		assert.Equal(t, name != "once", failed, name)
		assert.Equal(t, name == "once", result.N > 1, name)
	}
}

package engine

import (
	"context"
	"math"
	"runtime"
	"sync"
	"time"
)

// allocations is what one request makes this process allocate.
type allocations struct{ objects, bytes float64 }

const (
	// From allocLeast to allocMost requests are made to learn what one
	// allocates, as many as fit allocFor: few enough for some of the tries to
	// have nothing else in between.
	allocLeast, allocMost = 20, 100
	allocFor              = 300 * time.Millisecond
	// allocTries is how often; the least is taken, as anything else that
	// allocates meanwhile only adds.
	allocTries = 10
	// allocSlack is how far the count may be below a whole number and mean it.
	// More often it is above: net/http allocates something now and then, from
	// 0.1 to 0.4 objects a request as measured.
	allocSlack = 0.25
	// allocPatience is how long all of that may take; what is known by then
	// counts. A target too slow for one try, at 30 ms a request, allocates no
	// more than all else that goes on meanwhile.
	allocPatience = 2 * time.Second
)

// oneProcessor serializes code that sets GOMAXPROCS(1).
var oneProcessor sync.Mutex

// measureAllocations measures what one request to a target in this process
// allocates, the server's part included; nil for a target elsewhere, if requests
// fail, or if they take too long. A few requests and then many are sent, one at a
// time: what the beginning and the end of a stretch allocate is in both.
func (a *arm) measureAllocations(ctx, cut context.Context) (*allocations, error) {
	if a.target.isOutside() || a.seen.Succeeded == 0 {
		return nil, nil
	}
	// With more than one, it is chance whether a server's connection waits again
	// when the next request comes, and it allocates otherwise if not.
	oneProcessor.Lock()
	defer oneProcessor.Unlock()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	cut, cancel := context.WithTimeout(cut, allocPatience)
	defer cancel()
	requests := int64(allocMost)
	if median, ok := a.seen.Service.Quantile(0.5); ok {
		requests = min(max(int64(allocFor)/max(median, 1), allocLeast), allocMost)
	}
	few, many := allocations{math.Inf(1), math.Inf(1)}, allocations{math.Inf(1), math.Inf(1)}
	for range allocTries {
		least, err := a.allocate(ctx, cut, allocLeast)
		if err != nil {
			return nil, err
		}
		most, err := a.allocate(ctx, cut, allocLeast+requests)
		if err != nil {
			return nil, err
		}
		if cut.Err() != nil {
			break
		}
		few, many = few.least(least), many.least(most)
	}
	objects := (many.objects - few.objects) / float64(requests)
	if math.IsNaN(objects) || objects < -allocSlack {
		return nil, nil
	}
	bytes := (many.bytes - few.bytes) / float64(requests)
	return &allocations{math.Floor(objects + allocSlack), math.Round(bytes)}, nil
}

// least is the least of both, NaN if one is.
func (a allocations) least(b allocations) allocations {
	return allocations{min(a.objects, b.objects), min(a.bytes, b.bytes)}
}

// allocate returns what n requests, one at a time, allocate in all; NaN if one
// failed.
func (a *arm) allocate(ctx, cut context.Context, n int64) (all allocations, err error) {
	runtime.GC()
	var before, after runtime.MemStats // which, unlike runtime/metrics, is exact
	runtime.ReadMemStats(&before)
	r, err := a.send(ctx, cut, stretch{requests: n, grace: a.Grace, alone: true}, nil)
	runtime.ReadMemStats(&after)
	if err != nil {
		return all, err
	}
	all.objects = float64(after.Mallocs - before.Mallocs)
	all.bytes = float64(after.TotalAlloc - before.TotalAlloc)
	if r.Succeeded < n {
		all.objects = math.NaN()
	}
	return all, nil
}

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
	// Between so many requests are made to learn what one allocates, as many as
	// fit allocFor. Chosen: few enough for some of the tries to have nothing
	// else in between.
	allocLeast, allocMost = 20, 100
	allocFor              = 300 * time.Millisecond
	// allocTries is how often; the least is taken, as anything else that
	// allocates meanwhile only adds. Chosen.
	allocTries = 10
	// allocSlack is how far the count may be below a whole number and mean it.
	// More often it is above: net/http allocates something now and then, from
	// 0.1 to 0.4 objects a request as measured here. Chosen.
	allocSlack = 0.25
	// allocPatience is how long all of that may take; what is known by then
	// counts. Chosen: a target too slow for one try, 30 ms a request, allocates
	// no more than all else that goes on meanwhile.
	allocPatience = 2 * time.Second
)

// oneProcessor is held by who has left the process one processor.
var oneProcessor sync.Mutex

// measureAllocations measures what one request to a target in this process
// allocates, the server's part included; nil for a target elsewhere, if requests
// fail, or if they take too long. A few requests and then many are sent, one at a
// time: what the beginning and the end of a stretch allocate is in both.
func (c *contestant) measureAllocations(ctx, cut context.Context) (*allocations, error) {
	if c.arm.pool != nil && c.arm.server == nil || c.outcome == nil {
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
	if median, ok := c.outcome.Service.Quantile(0.5); ok {
		requests = min(max(int64(allocFor)/max(median, 1), allocLeast), allocMost)
	}
	few, many := allocations{math.Inf(1), math.Inf(1)}, allocations{math.Inf(1), math.Inf(1)}
	for range allocTries {
		a, err := c.allocate(ctx, cut, allocLeast)
		if err != nil {
			return nil, err
		}
		b, err := c.allocate(ctx, cut, allocLeast+requests)
		if err != nil {
			return nil, err
		}
		if cut.Err() != nil {
			break
		}
		few, many = few.least(a), many.least(b)
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

// allocate returns what so many requests, one at a time, allocate in all; NaN
// if one failed.
func (c *contestant) allocate(ctx, cut context.Context, requests int64) (a allocations, err error) {
	runtime.GC()
	var before, after runtime.MemStats // which, unlike runtime/metrics, is exact
	runtime.ReadMemStats(&before)
	o, err := c.arm.run(ctx, cut, stretch{requests: requests, grace: c.plan.opts.Grace, alone: true}, nil)
	runtime.ReadMemStats(&after)
	if err != nil {
		return a, err
	}
	a.objects = float64(after.Mallocs - before.Mallocs)
	a.bytes = float64(after.TotalAlloc - before.TotalAlloc)
	if o.Succeeded < requests {
		a.objects = math.NaN()
	}
	return a, nil
}

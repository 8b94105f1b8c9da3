package engine

import (
	"fmt"
	"math"
	"runtime"
	"sync"
	"time"

	"github.com/loadtestkit/load-tester/internal/unit"
	"github.com/loadtestkit/load-tester/internal/verdict"
)

// allocations is what one request makes this process allocate.
type allocations struct {
	objects, bytes float64
	certain        bool // counted several times without anything else in between
}

const (
	// allocRequests are made at a time to learn what one allocates, so few that in some
	// of the tries there is nothing else: net/http allocates an object of a kilobyte
	// now and then, as measured with every seventh request. The least is taken, as
	// anything else only adds, and is certain once allocAgree tries have come to it.
	allocRequests = 5
	allocAgree    = 4
	// allocFor is how long that may take of each target with enough tries for that,
	// and allocPatience without.
	allocFor      = 250 * time.Millisecond
	allocPatience = time.Second
	// Tries agree if they differ by less than allocSlack and bytesSlack a request. A
	// count above a whole number by less means that number.
	allocSlack = 0.1
	bytesSlack = 4
)

// oneProcessor serializes code that sets GOMAXPROCS(1).
var oneProcessor sync.Mutex

// countAllocations counts what a request to each target allocates, if both can be
// told, and judges it.
func (c *contest) countAllocations() {
	for _, t := range c.to {
		t.allocs = t.countAllocations()
	}
	base, head := c.to[0].allocs, c.to[1].allocs
	if base == nil || head == nil {
		return
	}
	if !base.certain || !head.certain {
		return
	}
	if *base != *head {
		c.monitor.find(fmt.Sprintf("a request of head allocates %s and %s, one of base %s and %s",
			plural(head.objects), unit.Size(int64(head.bytes)), plural(base.objects), unit.Size(int64(base.bytes))))
	}
	c.inquiry.Add(verdict.Allocs, verdict.Reading{Base: base.objects, Head: head.objects})
	c.inquiry.Add(verdict.Bytes, verdict.Reading{Base: base.bytes, Head: head.bytes})
}

func plural(objects float64) string { return unit.Plural(int64(objects), "object") }

// countAllocations counts what one request to a target in this process allocates, the
// server's part included; nil for a target elsewhere, if requests fail, or if they
// take too long.
func (t *contender) countAllocations() *allocations {
	if t.target.isOutside() || t.driver.Record().Succeeded == 0 || allocRequests*t.takes > allocPatience {
		return nil
	}
	// With more than one, it is chance whether a server's connection waits again
	// when the next request comes, and it allocates otherwise if not.
	oneProcessor.Lock()
	defer oneProcessor.Unlock()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	own := t.allocate(0) // of counting itself
	least, agree := allocations{objects: math.Inf(1), bytes: math.Inf(1)}, 0
	began := t.clock().Now()
	for tries := 0; agree < allocAgree; tries++ {
		if took := t.clock().Since(began); took > allocPatience || took > allocFor && tries >= allocAgree {
			break
		}
		n := t.allocate(allocRequests)
		if math.IsNaN(n.objects) {
			return nil
		}
		objects, bytes := (n.objects-own.objects)/allocRequests, (n.bytes-own.bytes)/allocRequests
		switch {
		case objects < least.objects-allocSlack || bytes < least.bytes-bytesSlack:
			agree = 1
		case objects < least.objects+allocSlack && bytes < least.bytes+bytesSlack:
			agree++
		}
		least.objects, least.bytes = min(least.objects, objects), min(least.bytes, bytes)
	}
	return &allocations{math.Floor(max(least.objects, 0) + allocSlack), math.Round(max(least.bytes, 0)), agree >= allocAgree}
}

// allocate returns what n requests, one at a time, allocate in all; NaN if one failed
// or none was sent.
func (t *contender) allocate(n int) (all allocations) {
	var before, after runtime.MemStats // which, unlike runtime/metrics, is exact
	runtime.ReadMemStats(&before)
	v := t.driver.Volley(n, 1, nil)
	runtime.ReadMemStats(&after)
	if v.Ended < n || v.Failed > 0 {
		return allocations{objects: math.NaN()}
	}
	return allocations{objects: float64(after.Mallocs - before.Mallocs), bytes: float64(after.TotalAlloc - before.TotalAlloc)}
}

package baseline

import (
	"cmp"
	"encoding/json"
	"hash/crc32"
	"slices"
	"strconv"
	"time"
)

// How often the reference work is done; chosen: an odd number, so that there is
// a median, and some milliseconds in all.
const references = 61

// Reference returns how long a fixed piece of work takes on one processor: the
// median of many times some 0.1 ms, a few milliseconds in all. It computes and
// allocates as handlers do, sends nothing and touches no file. The work must
// not change: records of old runs hold its time. (It changes with Go, whose
// version is in the fingerprint.)
func Reference() time.Duration {
	work() // what is first has caches to fill
	var times []time.Duration
	for range references {
		start := time.Now()
		work()
		times = append(times, time.Since(start))
	}
	slices.Sort(times)
	return times[references/2]
}

// item is what the reference work writes and reads.
type item struct {
	ID   int      `json:"id"`
	Name string   `json:"name"`
	Tags []string `json:"tags"`
	Cost float64  `json:"cost"`
}

// work makes items, sorts them, writes them as JSON, reads them back, and
// returns a sum of it all.
func work() uint32 {
	items := make([]item, 0, 32)
	seed := uint32(1)
	for i := range cap(items) {
		seed = seed*1664525 + 1013904223 // Numerical Recipes' linear congruential generator
		name := strconv.FormatUint(uint64(seed), 36)
		items = append(items, item{i, name, []string{name[:2], name[2:]}, float64(seed) / 7})
	}
	slices.SortFunc(items, func(a, b item) int { return cmp.Compare(a.Name, b.Name) })
	text, _ := json.Marshal(items)
	var back []item
	json.Unmarshal(text, &back)
	sum := crc32.ChecksumIEEE(text)
	for _, it := range back {
		sum += uint32(it.ID)
	}
	return sum
}

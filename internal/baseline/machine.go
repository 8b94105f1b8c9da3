package baseline

import (
	"cmp"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/loadtestkit/load-tester/internal/clock"
	"github.com/loadtestkit/load-tester/internal/host"
)

// A Fingerprint identifies the kind of machine that a run was made on. A field is
// zero if it is not known.
type Fingerprint struct {
	CPU         string  `json:"cpu"`
	GOMAXPROCS  int     `json:"gomaxprocs"`
	Go          string  `json:"go"` // such as go1.26.1
	OS          string  `json:"os"` // GOOS
	Arch        string  `json:"arch"`
	Kernel      string  `json:"kernel"`
	Virtualised bool    `json:"virtualised"`
	CgroupQuota float64 `json:"cgroup_quota"` // in processors; 0 means no limit
}

// Here returns the fingerprint of this process.
func Here() Fingerprint { return fingerprint(os.DirFS("/")) }

// fingerprint reads what package runtime does not provide from fsys, the root of the
// file system.
func fingerprint(fsys fs.FS) Fingerprint {
	kernel, _ := fs.ReadFile(fsys, "proc/sys/kernel/osrelease")
	f := Fingerprint{
		GOMAXPROCS:  runtime.GOMAXPROCS(0),
		Go:          runtime.Version(),
		OS:          runtime.GOOS,
		Arch:        runtime.GOARCH,
		Kernel:      strings.TrimSpace(string(kernel)),
		CgroupQuota: host.Quota(fsys),
	}
	f.CPU, f.Virtualised = host.CPU(fsys)
	return f
}

// Differences describes the differences between f and o that make their runs
// incomparable, such as "CPU A, was B"; nil if there are none. Only the first two
// numbers of the versions of Go and of the kernel count: bug fixes seldom change
// speed, and hosted machines get them every week.
func (f Fingerprint) Differences(o Fingerprint) (all []string) {
	differ := func(name string, here, there any) {
		if here != there {
			all = append(all, fmt.Sprintf("%s %v, was %v", name, here, there))
		}
	}
	differ("CPU", f.CPU, o.CPU)
	differ("GOMAXPROCS", f.GOMAXPROCS, o.GOMAXPROCS)
	differ("Go version", minor(f.Go), minor(o.Go))
	differ("system", f.OS+"/"+f.Arch, o.OS+"/"+o.Arch)
	differ("kernel", minor(f.Kernel), minor(o.Kernel))
	differ("virtualised", f.Virtualised, o.Virtualised)
	differ("CPU quota", f.CgroupQuota, o.CgroupQuota)
	return all
}

// minor cuts a version after its second number: go1.26.1 becomes go1.26, and
// 6.8.0-45-generic becomes 6.8.
func minor(version string) string {
	first, rest, ok := strings.Cut(version, ".")
	if !ok {
		return version
	}
	end := strings.IndexFunc(rest, func(r rune) bool { return r < '0' || r > '9' })
	if end < 0 {
		end = len(rest)
	}
	return first + "." + rest[:end]
}

// referenceRuns is how often the reference work is done: an odd number, so that
// one of the times is the median. They take a few milliseconds in all.
const referenceRuns = 61

// Reference returns how long a fixed piece of work takes on one processor: the median
// of many runs of about 0.1 ms. The work computes and allocates like a handler, without
// network or files. It must not change, because the records of old runs contain its
// time. (It does change with Go, but the fingerprint contains Go's version.)
func Reference() time.Duration {
	Work() // fills caches
	var times []time.Duration
	for range referenceRuns {
		start := clock.System.Now()
		Work()
		times = append(times, clock.System.Since(start))
	}
	slices.Sort(times)
	return times[referenceRuns/2]
}

// An item is encoded and decoded by the reference work.
type item struct {
	ID   int      `json:"id"`
	Name string   `json:"name"`
	Tags []string `json:"tags"`
	Cost float64  `json:"cost"`
}

// Work does the reference work once, about 0.1 ms of it.
func Work() { done.Store(uint64(work())) }

// Arithmetic computes for about 50 µs in the registers of a processor alone. Unlike the
// reference work it follows nothing but the processor's speed, whatever its neighbours do
// to caches and memory. It must not change either.
func Arithmetic() {
	x := uint64(1)
	for range 50_000 {
		x = x*6364136223846793005 + 1442695040888963407 // Knuth's MMIX
	}
	done.Store(x)
}

// done holds results, so that no compiler leaves out the work for them.
var done atomic.Uint64

// work creates items, sorts them, encodes them as JSON and decodes them again. It
// returns a checksum of the result.
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

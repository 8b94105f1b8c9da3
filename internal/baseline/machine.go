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
	"time"

	"github.com/loadtestkit/load-tester/internal/host"
)

// A Fingerprint is what kind of machine a run was made on. What is not known is
// empty.
type Fingerprint struct {
	CPU         string  `json:"cpu"`
	GOMAXPROCS  int     `json:"gomaxprocs"`
	Go          string  `json:"go"` // such as go1.26.1
	OS          string  `json:"os"` // GOOS
	Arch        string  `json:"arch"`
	Kernel      string  `json:"kernel"`
	Virtualised bool    `json:"virtualised"`
	CgroupQuota float64 `json:"cgroup_quota"` // processors' worth of time; 0 is no limit
}

// Here returns the fingerprint of this process.
func Here() Fingerprint { return fingerprint(os.DirFS("/")) }

// fingerprint reads what Go does not tell from the root of a file system.
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

// Differences says in what f and o differ so that their runs cannot be
// compared, such as "CPU A, was B"; nil if they can be. Versions of Go and of
// the kernel count to the second number: bug fixes seldom change speed, and
// hosted machines take them every week.
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

// minor cuts a version after its second number: go1.26.1 is go1.26, and
// 6.8.0-45-generic is 6.8.
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

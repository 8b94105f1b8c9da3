package baseline

import (
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"strings"

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
